"""Draw the picture that a shared link shows: a chapter's title beside its first figure.

Only where the book's address is known, since such a link has to be absolute.
"""

import json
import re
from html import escape
from pathlib import Path
from textwrap import wrap

import matplotlib
import resvg_py
from docutils import nodes
from figure_tools import drawings
from published_address import PREVIEWS
from sphinx.application import Sphinx

WIDTH, HEIGHT = 1200, 630  # pixels, as the services that show links advise
MARGIN, COLUMN, LINE = 40, 440, 50
LETTERS, LINES = 17, 7  # of the title
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
BOX = re.compile(r'viewBox="0 0 (?P<width>[\d.]+) (?P<height>[\d.]+)"')
PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
SIZES = re.compile(r' (?:width|height)="[\d.]+pt"')


def card(title: str, book: str, svg: str) -> str:
    """Return the picture as SVG.

    Parameters
    ----------
    title, book : str
        Of the chapter, and of the book.
    svg : str
        The figure.

    Returns
    -------
    str
        SVG.

    Raises
    ------
    ValueError
        If the figure says no size.
    """
    box = BOX.search(svg)
    if box is None:
        raise ValueError("a figure without a viewBox cannot be fitted into a preview")
    # The figure keeps its own coordinates: it is only placed, and scaled to the room beside the title.
    place = (
        f'<svg x="{MARGIN + COLUMN}" y="{MARGIN}" width="{WIDTH - COLUMN - 2 * MARGIN}" '
        f'height="{HEIGHT - 2 * MARGIN}"'
    )
    figure = SIZES.sub("", PROLOGUE.sub("", svg), count=2).replace("<svg", place, 1)
    lines = wrap(title, LETTERS)[:LINES]
    heads = "".join(
        f'<text x="{MARGIN}" y="{MARGIN + LINE * number}" font-size="38" font-weight="bold">'
        f"{escape(line)}</text>"
        for number, line in enumerate(lines, 1)
    )
    name = f'<text x="{MARGIN}" y="{HEIGHT - MARGIN}" font-size="26" fill="#555555">{escape(book)}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="DejaVu Sans" fill="#222222"><rect width="100%" height="100%" '
        f'fill="#ffffff"/>{heads}{name}{figure}</svg>'
    )


def png(svg: str) -> bytes:
    """Return a drawing as PNG, its text in the fonts that Matplotlib carries, so that no machine differs.

    Parameters
    ----------
    svg : str
        SVG.

    Returns
    -------
    bytes
    """
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            skip_system_fonts=True,
            font_files=[str(FONTS / "DejaVuSans.ttf"), str(FONTS / "DejaVuSans-Bold.ttf")],
            font_family="DejaVu Sans",
            sans_serif_family="DejaVu Sans",
        )
    )


def first_figure(app: Sphinx, document: str) -> str:
    """Return the first figure of a chapter or of the front page as SVG; empty where there is none.

    Parameters
    ----------
    app : Sphinx
        Once everything is read.
    document : str
        Name of the page.

    Returns
    -------
    str
    """
    notebook = Path(app.srcdir) / f"{document}.ipynb"
    if notebook.is_file():
        found = drawings(json.loads(notebook.read_text(encoding="utf-8")))
        return found[0].svg if found else ""
    if document == app.config.root_doc:
        for image in app.env.get_doctree(document).findall(nodes.image):
            if image["uri"].endswith(".svg"):
                return Path(app.srcdir, str(image["uri"])).read_text(encoding="utf-8")
    return ""


def draw(app: Sphinx, env: object) -> None:
    """Draw the previews before the pages that name them are written."""
    if app.builder.format != "html" or not app.config.html_baseurl:
        return
    folder = Path(app.outdir) / "_static" / PREVIEWS
    folder.mkdir(parents=True, exist_ok=True)
    for document in sorted(app.env.found_docs):
        if svg := first_figure(app, document):
            picture = png(card(app.env.titles[document].astext(), app.config.html_title, svg))
            (folder / f"{Path(document).name}.png").write_bytes(picture)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the drawing."""
    app.connect("env-updated", draw)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
