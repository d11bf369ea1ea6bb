"""Below each figure of a chapter: to enlarge it, its data, its drawing, and a link that cites it.

The data are what the figure itself draws: `cohort.display.drawn` puts them beside the picture in the output
of the cell. Files have stable names: ``figures/CHAPTER/fig-NAME.csv`` and ``.svg``.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from wide_html import TEMPLATES

from cohort.display.drawn import MIME

FOLDER = "figures"
SCRIPT = "figures.js"
ASSETS = Path(__file__).parent / "assets"
SVG = "image/svg+xml"


@dataclass(frozen=True)
class Drawing:
    """A figure of a notebook.

    Attributes
    ----------
    name : str
        Such as ``fig-growth``.
    svg : str
        The drawing.
    values : str
        What it draws, as CSV; empty for a diagram.
    """

    name: str
    svg: str
    values: str


def drawings(notebook: dict[str, Any]) -> list[Drawing]:
    """Return the figures of an executed notebook, in their order.

    Parameters
    ----------
    notebook : dict
        Of nbformat 4.

    Returns
    -------
    list of Drawing
    """
    found = []
    for cell in notebook["cells"]:
        name = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if name and SVG in data:
                found.append(Drawing(name, "".join(data[SVG]), "".join(data.get(MIME, ""))))
    return found


def _of_chapter(app: Sphinx, document: str) -> list[Drawing]:
    path = Path(app.srcdir) / f"{document}.ipynb"
    return drawings(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def add_tools(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the tools into the caption of each figure that a notebook draws."""
    if app.builder.format != "html":
        return
    known = {one.name: one for one in _of_chapter(app, docname)}
    for figure in doctree.findall(nodes.figure):
        for drawing in filter(None, map(known.get, figure["ids"])):
            figure += tools(drawing, docname)


def tools(drawing: Drawing, docname: str) -> nodes.legend:
    """Return what a reader can do with a figure, as the end of its caption.

    Parameters
    ----------
    drawing : Drawing
        The figure.
    docname : str
        Name of its page.

    Returns
    -------
    legend
    """
    chapter, up = Path(docname).name, "../" * docname.count("/")
    markup = TEMPLATES.get_template("figure_tools.html").render(
        name=drawing.name,
        base=f"{up}{FOLDER}/{chapter}/{drawing.name}",
        file=f"{chapter}-{drawing.name}",
        values=bool(drawing.values),
    )
    return nodes.legend("", nodes.raw("", markup, format="html"))


def write(drawing: Drawing, folder: Path) -> None:
    """Write a drawing and what it draws.

    Parameters
    ----------
    drawing : Drawing
        The figure.
    folder : Path
        Where the files go; it is made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{drawing.name}.svg").write_text(drawing.svg, encoding="utf-8")
    if drawing.values:
        (folder / f"{drawing.name}.csv").write_text(drawing.values, encoding="utf-8")


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Write the drawings and what they draw into the built book."""
    if exception is not None or app.builder.format != "html":
        return
    for document in sorted(app.env.found_docs):
        for drawing in _of_chapter(app, document):
            write(drawing, Path(app.outdir) / FOLDER / Path(document).name)


def write_script(app: Sphinx) -> None:
    """Put the script among the book's shared files."""
    if app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        static.mkdir(parents=True, exist_ok=True)
        (static / SCRIPT).write_bytes((ASSETS / SCRIPT).read_bytes())


def load_script(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Let the pages with tools load what enlarges a figure."""
    if "figure-tools" in context.get("body", ""):
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the tools and the files."""
    app.connect("builder-inited", write_script)
    app.connect("doctree-resolved", add_tools)
    app.connect("html-page-context", load_script)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
