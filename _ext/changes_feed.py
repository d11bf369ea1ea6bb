"""The directive ``citation`` and the feed of changes: what the project's own files say, for readers.

The feed needs absolute addresses: it is written where the book's address is known. A version without a date
of its own has that of the build, as ``SOURCE_DATE_EPOCH`` gives it; without either it is not in the feed.
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from ruamel.yaml import YAML
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from cohort import __version__

CHANGES = "CHANGELOG.md"
CITED = "CITATION.cff"
PAGE = "changelog"
FEED = "changes.xml"
HEAD = re.compile(
    r"^## (?P<version>\S+) \((?P<date>[^)]*)\)\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
DATE = re.compile(r"\d{4}-\d\d-\d\d")
KEY = "cohort_of_models"


def bibtex(cited: Mapping[str, Any], version: str, address: str = "") -> str:
    r"""Return the entry by which the book is cited, in BibTeX.

    Parameters
    ----------
    cited : mapping
        As in ``CITATION.cff``.
    version : str
        Of the package.
    address : str
        Of the published book; empty where it is not known.

    Returns
    -------
    str
    """
    authors = " and ".join(_author(one) for one in cited["authors"])
    fields = {"author": authors, "title": cited["title"], "version": version}
    if "date-released" in cited:
        fields["year"] = str(cited["date-released"])[:4]
    if found := address or cited.get("url"):
        fields["url"] = found
    if "doi" in cited:
        fields["doi"] = cited["doi"]
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@{cited['type']}{{{KEY},\n{lines}\n}}"


def _author(author: Mapping[str, str]) -> str:
    """Return a person as BibTeX sorts one; the name of a group stays whole."""
    if "family-names" in author:
        return f"{author['family-names']}, {author['given-names']}"
    return f"{{{author['name']}}}"


class Citation(SphinxDirective):
    """Show how the book is cited."""

    def run(self) -> list[nodes.Node]:
        """Return the entry as a block to copy."""
        path = Path(self.env.srcdir) / CITED
        self.env.note_dependency(str(path))
        cited = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        text = bibtex(cited, __version__, self.config.html_baseurl)
        return [nodes.literal_block(text, text, language="bibtex")]


def feed(changes: str, title: str, base: str, built: str) -> str:
    """Return the changes as an Atom feed.

    Parameters
    ----------
    changes : str
        A changelog in Markdown, a section for each version with its date in brackets.
    title : str
        Of the book.
    base : str
        The book's address.
    built : str
        The date of the build, as ``2026-11-26``, for a version that is not released; empty if not known.

    Returns
    -------
    str
        XML.
    """
    found = [
        (one["version"], one["date"] if DATE.fullmatch(one["date"]) else built, one["text"].strip())
        for one in HEAD.finditer(changes)
    ]
    dated = [one for one in found if one[1]]
    entries = "".join(
        f"<entry><title>{escape(version)}</title><id>{base}{PAGE}.html#{_anchor(version)}</id>"
        f'<link href="{base}{PAGE}.html"/><updated>{date}T00:00:00Z</updated>'
        f'<content type="text">{escape(text)}</content></entry>\n'
        for version, date, text in dated
    )
    latest = max((date for _, date, _ in dated), default="1970-01-01")
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>{escape(title)}: changes</title><id>{base}{FEED}</id>"
        f'<link rel="self" href="{base}{FEED}"/><updated>{latest}T00:00:00Z</updated>'
        f"<author><name>{escape(title)}</name></author>\n{entries}</feed>\n"
    )


def _anchor(version: str) -> str:
    return f"v{version.replace('.', '-')}"


def build_date(environment: Mapping[str, str]) -> str:
    """Return the date of the build; empty where the environment names none.

    Parameters
    ----------
    environment : mapping of str to str
        Environment variables.

    Returns
    -------
    str
    """
    seconds = environment.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(seconds), UTC).date().isoformat() if seconds else ""


def name_feed(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Name the feed in the head of every page."""
    base = app.config.html_baseurl
    if base:
        link = f'\n<link rel="alternate" type="application/atom+xml" title="Changes" href="{base}{FEED}" />'
        context["metatags"] = context.get("metatags", "") + link


def write_feed(app: Sphinx, exception: Exception | None) -> None:
    """Write the feed into the built book."""
    base = app.config.html_baseurl
    if exception is None and app.builder.format == "html" and base:
        changes = (Path(app.srcdir) / CHANGES).read_text(encoding="utf-8")
        text = feed(changes, app.config.html_title, base, build_date(os.environ))
        (Path(app.outdir) / FEED).write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive and connect the feed."""
    app.add_directive("citation", Citation)
    app.connect("html-page-context", name_feed)
    app.connect("build-finished", write_feed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
