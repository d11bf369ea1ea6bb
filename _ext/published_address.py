"""What pages say of themselves to others: a description; and where the book's address is known, much more.

The address is ``html.baseurl`` in ``_config.yml`` or the environment variable ``BOOK_URL``. Where it is
known, pages name their canonical address and a preview for links that are shared, and there are
``sitemap.xml`` and ``robots.txt``. The page for what is not found is always there.
"""

import os
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from wide_tables import SENTENCES

VARIABLE = "BOOK_URL"
LENGTH = 200  # characters of a description, at most
MISSING = "404"
PREVIEWS = "previews"
EDITION = "a-cohort-of-models.pdf"  # `make pdf` writes it
# Pages that are no place to arrive at from elsewhere.
UNLISTED = {MISSING, "search", "genindex", "py-modindex"}
RELATIVE = re.compile(r'(?P<name>href|src)="(?!#|[a-z]+:|//)(?P<address>[^"]*)"')
BODY = """<section id="not-found"><h1>There is no such page</h1>
<p>The address may be mistyped, or the page has moved.
<a href="intro.html">The first page</a> leads to all chapters, and <a href="search.html">the search</a> finds
sections, terms and functions.</p></section>"""


def address(configured: str, environment: Mapping[str, str]) -> str:
    """Return the address of the published book with a slash at its end; empty where it is not known.

    Parameters
    ----------
    configured : str
        Of the book's configuration, which goes first.
    environment : mapping of str to str
        Environment variables.

    Returns
    -------
    str
    """
    found = configured or environment.get(VARIABLE, "")
    return f"{found.rstrip('/')}/" if found else ""


def description(doctree: nodes.document | None) -> str:
    """Return how a page begins, as a description of it.

    Parameters
    ----------
    doctree : document or None
        None for a page that is not written.

    Returns
    -------
    str
        Whole sentences as far as they go, at most `LENGTH` characters; empty where the page has no prose.
    """
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        text = " ".join(paragraph.astext().split())
        if len(text) > 20 and text.endswith((".", "?", "!")):
            return shortened(text)
    return ""


def shortened(text: str) -> str:
    """Return the first sentences of a text that fit into `LENGTH`, or its first words.

    Parameters
    ----------
    text : str
        Running text.

    Returns
    -------
    str

    Examples
    --------
    >>> shortened("One. Two?")
    'One. Two?'
    """
    if len(text) <= LENGTH:
        return text
    whole = re.match(rf".{{20,{LENGTH - 1}}}[.?!](?= )", text)
    return whole[0] if whole else f"{text[: LENGTH - 1].rpartition(' ')[0]}…"


def tags(title: str, said: str, page: str, base: str, preview: str) -> str:
    """Return what the head of a page says of it.

    Parameters
    ----------
    title, said : str
        The page's title and description.
    page : str
        Its path from the book's root.
    base : str
        The book's address; empty where it is not known.
    preview : str
        Path of a picture from the book's root; empty where there is none.

    Returns
    -------
    str
        HTML.
    """
    found = [("name", "description", said)] if said else []
    if base:
        found += [
            ("property", "og:type", "article"),
            ("property", "og:title", title),
            ("property", "og:url", base + page),
            ("name", "twitter:card", "summary_large_image" if preview else "summary"),
        ]
        found += [("property", "og:description", said)] if said else []
        found += [("property", "og:image", base + preview)] if preview else []
    return "".join(f'\n<meta {kind}="{name}" content="{escape(value)}" />' for kind, name, value in found)


def edition(base: str) -> str:
    """Say where the chapters are as one file to print.

    Parameters
    ----------
    base : str
        The book's address; empty where it is not known.

    Returns
    -------
    str
        Markdown.
    """
    if not base:
        return "`make pdf` prints the chapters, the glossary and the bibliography as one PDF."
    return f"The chapters, the glossary and the bibliography are there [as one PDF]({base}{EDITION}) too."


def learn_address(app: Sphinx, config: Config) -> None:
    """Take the address from the environment where the configuration has none."""
    base = config.html_baseurl = address(config.html_baseurl, os.environ)
    SENTENCES["edition"] = lambda folder: edition(base)


def say_of_page(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Add the tags to the page's head."""
    if app.builder.format != "html":
        return
    title = re.sub(r"<[^>]+>", "", context.get("title", "")) or app.config.html_title
    base = app.config.html_baseurl
    preview = f"_static/{PREVIEWS}/{Path(pagename).name}.png" if pagename in app.env.found_docs else ""
    if not (Path(app.outdir) / preview).is_file():
        preview = ""
    written = tags(title, description(doctree), f"{pagename}.html", base, preview)
    context["metatags"] = context.get("metatags", "") + written


def missing_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Give the page for what is not found."""
    yield MISSING, {"title": "Page not found", "body": BODY}, "page.html"


def anywhere(page: str, base: str) -> str:
    """Return a page whose links hold wherever a server shows it: at the address that was asked for.

    Parameters
    ----------
    page : str
        HTML of a page in the book's root.
    base : str
        The book's address.

    Returns
    -------
    str
        HTML.
    """
    return RELATIVE.sub(lambda found: f'{found["name"]}="{urljoin(base, found["address"])}"', page)


def sitemap(pages: list[str], base: str) -> str:
    """Return the list of pages for search engines.

    Parameters
    ----------
    pages : list of str
        Their names, without ``.html``.
    base : str
        The book's address.

    Returns
    -------
    str
        XML.
    """
    places = "".join(f"<url><loc>{escape(f'{base}{page}.html')}</loc></url>\n" for page in pages)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}</urlset>\n'
    )


def publish(app: Sphinx, exception: Exception | None) -> None:
    """Write what only a known address makes possible."""
    base = app.config.html_baseurl
    if exception is not None or app.builder.format != "html" or not base:
        return
    out = Path(app.outdir)
    page = out / f"{MISSING}.html"
    page.write_text(anywhere(page.read_text(encoding="utf-8"), base), encoding="utf-8")
    listed = sorted(set(app.env.found_docs) - UNLISTED)
    (out / "sitemap.xml").write_text(sitemap(listed, base), encoding="utf-8")
    (out / "robots.txt").write_text(
        f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n", encoding="utf-8"
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect all of it."""
    app.connect("config-inited", learn_address)
    app.connect("html-collect-pages", missing_page)
    app.connect("html-page-context", say_of_page)
    app.connect("build-finished", publish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
