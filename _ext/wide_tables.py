"""The directives ``wide-table`` and ``counted``: tables and sentences that the build makes from the data.

A page that shows a wide table also loads the script that lets readers search it, sort it and choose columns.
Without the script the whole table is there to read.
"""

import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import linked_sources
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from wide_html import Table, html, with_links

from cohort.errors import CohortError

ASSETS = Path(__file__).parent / "assets"
FOLDER = "wide_tables"
SCRIPT = f"{FOLDER}/wide_tables.js"
STYLE = f"{FOLDER}/wide_tables.css"
BOX = 'class="wide-box"'
MARK = 'class="dataframe wide'
# A source that is still called by its key.
KEY = re.compile(r'(?P<start>href="bib:(?P<key>[^"]+)">)(?P=key)<')

# What the pages can show, by name, from the book's folder; the extensions that make them register them here.
TABLES: dict[str, Callable[[Path], Table]] = {}
SENTENCES: dict[str, Callable[[Path], str]] = {}

logger = logging.getLogger(__name__)


class made_table(nodes.General, nodes.Element):  # noqa: N801 - docutils names its nodes so
    """A table as HTML, the links of which are still to be resolved."""


class FromData(SphinxDirective):
    """What is made from the data and the chapters: a page that shows it is stale when one of them changes."""

    @property
    def folder(self) -> Path:
        """The book's folder."""
        return Path(self.env.srcdir)

    def depend(self) -> None:
        """Note the files that the page is made from."""
        for path in [*self.folder.glob("data/*.csv"), *self.folder.glob("notebooks/*.ipynb")]:
            self.env.note_dependency(str(path))


class Made(FromData):
    """What is made from the data: a maker's name as argument."""

    required_arguments = 1
    final_argument_whitespace = True

    def make(self, makers: dict[str, Callable[[Path], Any]]) -> Any:
        """Return what the named maker makes; a fault in the data fails the build."""
        name = self.arguments[0]
        if name not in makers:
            raise self.error(f"{name!r} is not made here; known: {', '.join(sorted(makers))}")
        self.depend()
        try:
            return makers[name](self.folder)
        except CohortError as error:
            raise ExtensionError(f"{self.env.docname}: {error}") from None


class WideTable(Made):
    """Show a table under a caption, which is the directive's content."""

    has_content = True
    option_spec = {  # noqa: RUF012
        "hidden": directives.unchanged,
        "phone": directives.unchanged,
        "stacked": directives.flag,
        "without-controls": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Return the caption and the table."""
        self.assert_has_content()
        name = nodes.make_id(f"table-{self.arguments[0]}")
        caption = nodes.paragraph("", "", ids=[f"{name}-caption"], classes=["wide-caption"])
        found, messages = self.state.inline_text(" ".join(self.content), self.lineno)
        caption += [*found, *messages]
        table = self.make(TABLES)
        try:
            markup = html(
                table,
                f"{name}-caption",
                self._heads("hidden"),
                "without-controls" not in self.options,
                self._heads("phone"),
                "stacked" in self.options,
            )
        except ValueError as error:
            raise self.error(str(error)) from None
        return [nodes.container("", caption, made_table(markup=markup), ids=[name], classes=["wide-table"])]

    def _heads(self, option: str) -> list[str]:
        return [head.strip() for head in self.options.get(option, "").split(";") if head.strip()]


class Counted(Made):
    """Say a sentence whose numbers are counted."""

    def run(self) -> list[nodes.Node]:
        """Return the sentence as a paragraph."""
        found, messages = self.state.inline_text(self.make(SENTENCES), self.lineno)
        return [nodes.paragraph("", "", *found), *messages]


def resolve_links(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Turn every made table into HTML with the addresses of the built pages."""
    builder = app.builder
    cite: Any = app.env.get_domain("cite")
    citations = {one.key: one for one in cite.citations}

    def entry(key: str) -> str:
        if key not in citations:
            logger.warning(
                "a table names the source %r, which is not in the bibliography", key, location=docname
            )
            return ""
        page = citations[key].bibliography_key.docname
        return f"{builder.get_relative_uri(docname, page)}#{citations[key].citation_id}"

    def page(path: str) -> str:
        document, mark, place = path.partition("#")
        return f"{builder.get_relative_uri(docname, document)}{mark}{place}"

    def named(link: re.Match[str]) -> str:
        known = citations.get(link["key"])
        return link[0] if known is None else f"{link['start']}{escape(linked_sources.name(known.entry))}<"

    for node in list(doctree.findall(made_table)):
        markup = with_links(KEY.sub(named, node["markup"]), {"bib": entry, "doc": page})
        node.replace_self(nodes.raw("", markup, format="html"))


def write_assets(app: Sphinx) -> None:
    """Put the script and the style among the book's shared files."""
    if app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    (static / FOLDER).mkdir(parents=True, exist_ok=True)
    for name in (SCRIPT, STYLE):
        (static / name).write_bytes((ASSETS / Path(name).name).read_bytes())


def load_assets(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Let the pages with a made table load the style, and those with a wide one the script."""
    body = context.get("body", "")
    if BOX in body or MARK in body:
        app.add_css_file(STYLE)
    if MARK in body:
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives, and what serves their pages."""
    app.add_node(made_table)
    app.add_directive("wide-table", WideTable)
    app.add_directive("counted", Counted)
    app.connect("builder-inited", write_assets)
    app.connect("doctree-resolved", resolve_links)
    app.connect("html-page-context", load_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
