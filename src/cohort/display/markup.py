"""HTML from templates: one table for readers, wherever one is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import escape
from pathlib import Path

from cohort.errors import extras

with extras():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"

Attributes = Mapping[str, str | None]
Cell = tuple[object, Attributes]
Row = tuple[Iterable[Cell], Attributes]


def _escaped(value: object) -> object:
    """Escape as Python's own library does, so that committed notebooks and new ones have the same bytes."""
    return value if hasattr(value, "__html__") else Markup(escape(str(value)))


@lru_cache(maxsize=4)
def template_environment(*folders: Path) -> Environment:
    """Return what reads templates: from the given folders first, then from the package's own.

    Parameters
    ----------
    *folders : Path
        Folders of templates.

    Returns
    -------
    Environment
        It escapes what it is given, except `Markup`, and refuses names that a template does not get.

    Examples
    --------
    >>> template_environment().from_string("<b>{{ name }}</b>").render(name="a < b")
    '<b>a &lt; b</b>'
    """
    return Environment(
        autoescape=True,
        finalize=_escaped,
        loader=FileSystemLoader([*folders, TEMPLATES]),
        undefined=StrictUndefined,
    )


def table_html(heads: Iterable[Cell], rows: Iterable[Row], attributes: Attributes) -> Markup:
    """Return a table as HTML; the first cell of a row is its head.

    Parameters
    ----------
    heads : iterable of (object, mapping)
        What each column is called, with the attributes of its cell.
    rows : iterable of (iterable of (object, mapping), mapping)
        The cells of each row, as the heads, and the attributes of the row.
    attributes : mapping of str to str
        Those of the table. An attribute that is None is left out.

    Returns
    -------
    Markup
        Text is escaped; `Markup` stays as it is.

    Examples
    --------
    >>> print(table_html([("model", {})], [([("Phi-2", {"class": "name"})], {})], {}))
    <table>
    <thead>
    <tr><th scope="col">model</th></tr>
    </thead>
    <tbody>
    <tr><th scope="row" class="name">Phi-2</th></tr>
    </tbody>
    </table>
    """
    return Markup(
        template_environment()
        .get_template("table.html")
        .render(heads=heads, rows=rows, attributes=attributes)
    )
