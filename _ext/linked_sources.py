"""Name sources in the tables of chapters as the text does, with a link, where a notebook has their keys."""

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

CELL = re.compile(r"(<t[dh][^>]*>)([a-z0-9][a-z0-9 ,;]*[a-z0-9])(</t[dh]>)")
KEY = re.compile(r"[a-z0-9]+")


def name(entry: Any) -> str:
    """Return how the text calls a source.

    Parameters
    ----------
    entry : pybtex.database.Entry
        With an author and a year.

    Returns
    -------
    str
        The last name of its author, or of its first one of several, and its year.
    """
    authors = entry.persons["author"]
    first = re.sub(r"[{}]", "", " ".join([*authors[0].prelast_names, *authors[0].last_names]))
    others = ["others"] in [author.last_names for author in authors]
    if len(authors) > 2 or others:
        return f"{first} et al., {entry.fields['year']}"
    second = f" and {' '.join(authors[1].last_names)}" if len(authors) == 2 else ""
    return f"{first}{second}, {entry.fields['year']}"


def with_names(page: str, links: Mapping[str, tuple[str, str]]) -> str:
    """Return a page whose cells name sources in place of their keys.

    Parameters
    ----------
    page : str
        HTML.
    links : mapping of str to (str, str)
        The name and the address of each source, by its key.

    Returns
    -------
    str
        HTML. A cell that holds anything but keys and what separates them stays as it is.
    """

    def cell(found: re.Match[str]) -> str:
        keys = KEY.findall(found[2])
        if not all(key in links for key in keys):
            return found[0]
        named = KEY.sub(lambda key: _link(*links[key[0]]), found[2])
        return f"{found[1]}{named}{found[3]}"

    return CELL.sub(cell, page)


def _link(text: str, address: str) -> str:
    return f'<a class="reference internal" href="{escape(address)}">{escape(text)}</a>'


def link_sources(app: Sphinx, exception: Exception | None) -> None:
    """Name the sources in every chapter of the built book."""
    if exception is not None or app.builder.format != "html":
        return
    cite: Any = app.env.get_domain("cite")
    builder = app.builder
    for document in sorted(app.env.found_docs):
        if not document.startswith("notebooks/"):
            continue
        links = {
            one.key: (
                name(one.entry),
                f"{builder.get_relative_uri(document, one.bibliography_key.docname)}#{one.citation_id}",
            )
            for one in cite.citations
        }
        path = Path(app.outdir) / f"{document}.html"
        path.write_text(with_names(path.read_text(encoding="utf-8"), links), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to the end of the build."""
    app.connect("build-finished", link_sources)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
