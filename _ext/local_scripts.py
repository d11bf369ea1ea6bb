"""Keep the pages' scripts and styles to those that the book serves itself."""

from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

# Jupyter Book always loads sphinx-thebe, whose scripts name public hosts; the book has no use for it.
UNUSED_EXTENSION = "sphinx_thebe"
UNUSED_STYLE = "sphinx-thebe.css"


def unplug_thebe(app: Sphinx, config: Config) -> None:
    """Take sphinx-thebe's callbacks from Sphinx's events, so that it writes nothing into a page."""
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if one.handler.__module__ != UNUSED_EXTENSION]


def keep(asset: Any) -> bool:
    """Whether a page may load this asset.

    Parameters
    ----------
    asset : str or object
        An entry of Sphinx's ``script_files`` or ``css_files``: a path, or an object with a ``filename``.

    Returns
    -------
    bool
        False for an asset of another host and for thebe's style.
    """
    filename = str(getattr(asset, "filename", asset) or "")
    return "//" not in filename and not filename.endswith(UNUSED_STYLE)


def drop_foreign_assets(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Filter the page's asset lists just before its template is rendered."""
    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context.get(kind, []) if keep(asset)]


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect both, the filter after every extension has added its assets."""
    app.connect("config-inited", unplug_thebe)
    app.connect("html-page-context", drop_foreign_assets, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
