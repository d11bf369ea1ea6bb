"""Search by section: each section, term and function of the book is found by itself, with a clean excerpt.

The index of Sphinx knows pages only. This one holds the running text of the sections: no code, no cells of
tables welded into sentences; of the tables made from the data only what names their rows.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bs4 import BeautifulSoup
from docutils import nodes
from native_formulas import mathml
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from wide_tables import made_table

INDEX = "search_sections.js"
SCRIPT = "section_search.js"
ASSETS = Path(__file__).parent / "assets"
# What Sphinx writes for its own search; its index alone is half a megabyte.
REPLACED = ("searchindex.js", "_static/searchtools.js", "_static/language_data.js")
SEARCH_PAGE = "search"
STORE = "section_search_entries"
HIDDEN = "sd-hide-link-text"  # the text of a link that is as large as its card
# Parts of a page that are no prose.
SILENT = (nodes.literal_block, nodes.math_block, nodes.raw, nodes.comment, nodes.image, nodes.table,
          nodes.system_message, addnodes.index, addnodes.toctree)  # fmt: skip
APART = (nodes.section, addnodes.desc, nodes.definition_list_item, nodes.title)
# Weights of what is found: a term is defined once, functions are many.
PAGE, SECTION, TERM, FUNCTION = 1.4, 1.0, 1.6, 0.35
# Pages that describe files rather than answer a question.
FAINT = {"data_dictionary": 0.6, "data_licence": 0.5, "changelog": 0.4}


@dataclass(frozen=True)
class Entry:
    """A place that a search can find.

    Attributes
    ----------
    title : str
        Of the section, term or function.
    page : str
        The title of its page.
    address : str
        From the book's root, with its anchor.
    text : str
        Its running text, without what has an entry of its own.
    weight : float
        How much a find counts.
    """

    title: str
    page: str
    address: str
    text: str
    weight: float


def entries(doctree: nodes.document, page: str, api: bool = False, scale: float = 1.0) -> Iterator[Entry]:
    """Give the places of a page.

    Parameters
    ----------
    doctree : document
        As it was read, before its references were resolved.
    page : str
        Path of the built page from the book's root.
    api : bool
        Whether the page describes the package.
    scale : float
        How much its sections count.

    Yields
    ------
    Entry
    """
    first = doctree.next_node(nodes.title)
    name = first.astext() if first else ""
    for section in doctree.findall(nodes.section):
        title = section.next_node(nodes.title)
        top = section.parent is doctree
        weight = FUNCTION if api else PAGE if top else SECTION
        address = page if top else f"{page}#{section['ids'][0]}"
        yield Entry(title.astext() if title else "", name, address, _text(section), scale * weight)
    for item in doctree.findall(nodes.definition_list_item):
        term, definition = item.next_node(nodes.term), item.next_node(nodes.definition)
        if term and definition and term["ids"] and term["ids"][0].startswith("term-"):
            yield Entry(term.astext(), name, f"{page}#{term['ids'][0]}", _text(definition), TERM)
    for described in doctree.findall(addnodes.desc):
        signature, body = described.next_node(addnodes.desc_signature), described.children[-1]
        if signature and signature["ids"] and isinstance(body, nodes.Element):
            title_text = signature["ids"][0]
            yield Entry(title_text, name, f"{page}#{title_text}", _summary(body), FUNCTION)


def _summary(body: nodes.Element) -> str:
    """Return the first paragraph of a docstring."""
    first = body.next_node(nodes.paragraph)
    return _clean(first) if first else ""


def _text(section: nodes.Element) -> str:
    """Return the running text of a section without its subsections."""
    return " ".join(text for child in section.children if (text := _words(child)))


def _words(node: nodes.Node) -> str:
    if isinstance(node, made_table):
        return _rows(node["markup"])
    if isinstance(node, (*SILENT, *APART)):
        return ""
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, nodes.paragraph):
        return _clean(node)
    return " ".join(text for child in node.children if (text := _words(child)))


def _clean(paragraph: nodes.Element) -> str:
    """Return the text of a paragraph without its citations, whose keys say nothing, and its comments."""
    text = "".join(_parts(paragraph))
    return re.sub(r" ([.,;:])", r"\1", " ".join(text.split()))


def _parts(node: nodes.Node) -> Iterator[str]:
    is_citation = isinstance(node, addnodes.pending_xref) and node.get("refdomain") == "cite"
    if (
        is_citation
        or isinstance(node, SILENT)
        or HIDDEN in getattr(node, "attributes", {}).get("classes", ())
    ):
        return
    if isinstance(node, addnodes.pending_xref) and node["reftype"] == "doc" and not node["refexplicit"]:
        yield node["reftarget"].rpartition("/")[2].replace("_", " ")
    elif isinstance(node, nodes.math):
        yield from ElementTree.fromstring(mathml(node.astext())).itertext()
    elif isinstance(node, nodes.Text):
        yield node.astext()
    else:
        for child in node.children:
            yield from _parts(child)


def _rows(markup: str) -> str:
    """Return what names the rows of a made table."""
    heads = BeautifulSoup(markup, "html.parser").select("tbody th")
    return ", ".join(dict.fromkeys(" ".join(head.get_text().split()) for head in heads))


def read_page(app: Sphinx, doctree: nodes.document) -> None:
    """Note the places of a page as it is read; where they stand is known once the book is written."""
    document = app.env.docname
    is_api = document == "api" or document.startswith("api/")
    noted(app.env)[document] = list(entries(doctree, "", is_api, FAINT.get(document, 1.0)))


def noted(env: BuildEnvironment) -> dict[str, list[Entry]]:
    """Return the places of the pages read, which stay with the build's environment."""
    if not hasattr(env, STORE):
        setattr(env, STORE, {})
    found: dict[str, list[Entry]] = getattr(env, STORE)
    return found


def forget_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget the places of a page that is read again or gone."""
    noted(env).pop(docname, None)


def merge_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    """Take over what another process has read."""
    noted(env).update({name: places for name, places in noted(other).items() if name in docnames})


def index_of(app: Sphinx) -> list[Entry]:
    """Return the places of the book, in the order of the pages' names."""
    return [
        replace(place, address=app.builder.get_target_uri(document) + place.address)
        for document, places in sorted(noted(app.env).items())
        for place in places
    ]


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Write the index and the script, and take away those of Sphinx."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    rows = [[one.title, one.page, one.address, one.text, one.weight] for one in index_of(app)]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    (out / "_static" / INDEX).write_text(f"window.searchSections = [\n{lines}\n];\n", encoding="utf-8")
    (out / "_static" / SCRIPT).write_bytes((ASSETS / SCRIPT).read_bytes())
    for name in REPLACED:
        (out / name).unlink(missing_ok=True)


def load_script(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Let the search page load the index and what searches it."""
    if pagename == SEARCH_PAGE:
        for name in (INDEX, SCRIPT):
            app.add_js_file(name, loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the index and the page."""
    app.connect("html-page-context", load_script)
    app.connect("doctree-read", read_page, priority=900)  # after all that adds to a page
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge_pages)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
