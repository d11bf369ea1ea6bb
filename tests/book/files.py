"""The built book as files: its pages, their links and their weight."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from browser import SITE

# The page that only sends the reader on to the first one.
REDIRECT = "index.html"
# Relations of a link in a page's head that lead to other pages.
RELATED_PAGES = ("next", "prev", "index", "search", "canonical", "alternate")


def pages() -> list[str]:
    """Paths of all pages below the root of the built book, the redirect left out."""
    found = (path.relative_to(SITE) for path in SITE.rglob("*.html"))
    return sorted(str(path) for path in found if path.parts[0] != "_static" and str(path) != REDIRECT)


@dataclass
class Markup(HTMLParser):
    """The identifiers, addresses and tables in one file."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    assets: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)  # their classes

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        if tag == "table":
            self.tables.append(values.get("class", ""))
        elif tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and "href" in values:
            # A browser loads styles, icons and preloads; the other relations only name pages.
            is_page = values.get("rel") in RELATED_PAGES
            (self.links if is_page else self.assets).append(values["href"])
        elif tag in ("img", "script", "source", "iframe") and "src" in values:
            self.assets.append(values["src"])


@cache
def markup(page: str) -> Markup:
    """The parsed file of a page."""
    parsed = Markup()
    parsed.feed((SITE / page).read_text(encoding="utf-8"))
    return parsed


def is_external(address: str) -> bool:
    """Whether an address leads out of the book."""
    parts = urlsplit(address)
    return bool(parts.scheme or parts.netloc)


def target(page: str, address: str) -> tuple[Path, str]:
    """The file and the anchor that an address on a page leads to."""
    parts = urlsplit(address)
    file = SITE / page if not parts.path else (SITE / page).parent / unquote(parts.path)
    return file.resolve(), unquote(parts.fragment)


def own_files(page: str) -> Iterator[Path]:
    """The page itself and what it alone loads: neither the theme's files nor the shared search index."""
    yield SITE / page
    for address in dict.fromkeys(markup(page).assets):
        if not is_external(address):
            file, _ = target(page, address)
            if "_static" not in file.parts and file.name != "searchindex.js":
                yield file
