"""Serve MathJax from the book itself, and of its 24 MB only what a page can ask for."""

import importlib.util
import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

# The distribution's import name really has hyphens, so it cannot be imported by a statement.
PACKAGE = "sphinx-mathjax-offline"
ENTRY = "startup.js"
# What typesets TeX as HTML with a text for screen readers; the menu, a third of the whole, is left out.
PARTS = ("core", "input/tex", "output/chtml", "a11y/assistive-mml")
# The parts, their fonts, and TeX extensions that are loaded on first use.
NEEDED = (ENTRY, *(f"{part}.js" for part in PARTS), "output/chtml/fonts", "input/tex/extensions")


def mathjax_folder() -> Path:
    """Folder of the installed MathJax.

    Raises
    ------
    ExtensionError
        If the package that carries MathJax is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ExtensionError(f"{PACKAGE} is not installed; 'make install' installs it")
    return Path(spec.origin).parent / "static" / "mathjax"


def use_local_copy(app: Sphinx, config: Config) -> None:
    """Point the pages at the book's own copy."""
    config.mathjax_path = f"mathjax/{ENTRY}"
    config.mathjax3_config = {"loader": {"load": list(PARTS)}}


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Copy the needed files into the built book."""
    if exception is not None or app.builder.format != "html":
        return
    source, target = mathjax_folder(), Path(app.outdir) / "_static" / "mathjax"
    for name in NEEDED:
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, copy, dirs_exist_ok=True)
        else:
            shutil.copyfile(source / name, copy)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the path and the copy."""
    app.connect("config-inited", use_local_copy)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
