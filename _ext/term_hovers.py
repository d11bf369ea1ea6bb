"""Give every term of the glossary in a chapter its definition, at a glance: for a mouse, a key and a finger.

The first time that a section uses a term it links to the glossary; a script shows the definition beside such
a link. The definitions are those of the glossary's own page, in one file with a stable name.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

GLOSSARY = "glossary"
FILE = "glossary_terms.js"
SCRIPT = "term_hovers.js"
ASSETS = Path(__file__).parent / "assets"
# These are words of every day too, so only links written by hand are meant.
EVERYDAY = "How numbers are marked"
# Where a word is no running text, or means a cell of the notebook.
APART = (nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.raw,
         nodes.caption, nodes.table, nodes.legend, addnodes.pending_xref)  # fmt: skip
LEFT_OUT = {"try-it"}


def terms(doctree: nodes.document) -> dict[str, str]:
    """Return the anchors of the glossary's terms, those of everyday words left out.

    Parameters
    ----------
    doctree : document
        Of the glossary's page.

    Returns
    -------
    dict of str to str
        By the term.
    """
    found = {}
    for section in doctree.findall(nodes.section):
        if section.next_node(nodes.title).astext() == EVERYDAY:  # type: ignore[union-attr]
            continue
        for term in section.findall(nodes.term):
            if term["ids"]:
                found[term.astext()] = term["ids"][0]
    return found


def pattern(known: list[str]) -> re.Pattern[str]:
    """Return what finds the terms in a text, the longest first, in the plural too.

    Parameters
    ----------
    known : list of str
        As the glossary has them. What is written in small letters may begin a sentence.

    Returns
    -------
    re.Pattern
        Each match has the term as its group ``term``.

    Examples
    --------
    >>> [found["term"] for found in pattern(["router", "GQA", "KV cache"]).finditer("Routers of a KV cache")]
    ['Router', 'KV cache']
    """
    parts = []
    for term in sorted(known, key=len, reverse=True):
        escaped = r"\s+".join(map(re.escape, term.split()))  # a line may end within a term
        first = escaped[0]
        parts.append(f"[{first}{first.upper()}]{escaped[1:]}" if first.islower() else escaped)
    return re.compile(rf"(?<![\w-])(?P<term>{'|'.join(parts)})(?:s|es)?(?![\w-])")


def mark(section: nodes.Element, known: dict[str, str], address: str, wanted: re.Pattern[str]) -> None:
    """Link the first use of each term in a section, unless the section links it already.

    Parameters
    ----------
    section : Element
        It is changed.
    known : dict of str to str
        Anchors, by term.
    address : str
        Of the glossary's page, as the section's page has it.
    wanted : re.Pattern
        As `pattern` returns it for `known`.
    """
    linked = {
        target.partition("#")[2]
        for one in section.findall(nodes.reference)
        if (target := one.get("refuri", "")).startswith(f"{address}#")
    }
    for text in list(_running(section)):
        made: list[nodes.Node] = []
        end = 0
        for found in wanted.finditer(text.astext()):
            said = " ".join(found["term"].split())
            name = said if said in known else said[0].lower() + said[1:]
            if known[name] in linked:
                continue
            linked.add(known[name])
            made.append(nodes.Text(text.astext()[end : found.start()]))
            target = f"{address}#{known[name]}"
            made.append(nodes.reference("", found[0], refuri=target, internal=True, classes=["term"]))
            end = found.end()
        if made:
            text.parent.replace(text, [*made, nodes.Text(text.astext()[end:])])


def _running(section: nodes.Element) -> Iterator[nodes.Text]:
    """Give the running text of a section."""
    for text in section.findall(nodes.Text):
        node: Any = text.parent
        inside = False
        while node is not section and node is not None and not isinstance(node, APART):
            inside = inside or isinstance(node, nodes.paragraph)
            node = node.parent
        if inside and node is section:
            yield text


def mark_chapter(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link the terms in each section of a chapter."""
    if app.builder.format != "html" or not docname.startswith("notebooks/"):
        return
    known = terms(app.env.get_doctree(GLOSSARY))
    address, wanted = app.builder.get_relative_uri(docname, GLOSSARY), pattern(list(known))
    # Sections of the second level: a section further down belongs to the one around it.
    for chapter in doctree.findall(lambda node: isinstance(node.parent, nodes.document)):
        for section in [one for one in chapter.children if isinstance(one, nodes.Element)]:
            if not LEFT_OUT & set(section.get("ids", [])) and not isinstance(section, nodes.title):
                mark(section, known, address, wanted)


def definitions(page: str) -> dict[str, str]:
    """Return the definitions on the glossary's page, as HTML without links.

    Parameters
    ----------
    page : str
        HTML.

    Returns
    -------
    dict of str to str
        By the anchor of the term.
    """
    found = {}
    for term in BeautifulSoup(page, "html.parser").select("dl.glossary > dt[id]"):
        body = term.find_next_sibling("dd")
        assert isinstance(body, Tag)
        for mark in term.select("a.headerlink"):
            mark.decompose()
        for link in body.select("a, span:not(.math)"):
            link.unwrap()
        said = " ".join(body.decode_contents().split())
        found[str(term["id"])] = f"<p><strong>{term.get_text().strip()}</strong></p>{said}"
    return found


def write_definitions(app: Sphinx, exception: Exception | None) -> None:
    """Write the definitions and what shows them into the built book."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    found = definitions((out / f"{GLOSSARY}.html").read_text(encoding="utf-8"))
    # A script rather than data, which a page read straight from a disk may not fetch.
    text = f"window.glossaryTerms = {json.dumps(found, ensure_ascii=False, indent=0)};\n"
    (out / "_static" / FILE).write_text(text, encoding="utf-8")


def write_script(app: Sphinx) -> None:
    """Put the script among the book's shared files."""
    if app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        static.mkdir(parents=True, exist_ok=True)
        (static / SCRIPT).write_bytes((ASSETS / SCRIPT).read_bytes())


def load_script(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Let the pages that name a term load the script."""
    if f"{GLOSSARY}.html#term-" in context.get("body", "") and pagename != GLOSSARY:
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the links, the definitions and the script."""
    app.connect("builder-inited", write_script)
    app.connect("doctree-resolved", mark_chapter, priority=900)
    app.connect("html-page-context", load_script)
    app.connect("build-finished", write_definitions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
