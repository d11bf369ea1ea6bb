"""The built book, read as files: no browser needed."""

import csv
import io
import json
import os
import re
from urllib.parse import urlsplit

import pytest
from browser import SITE
from bs4 import BeautifulSoup
from changes_feed import FEED
from figure_tools import Drawing, drawings
from files import REDIRECT, is_external, markup, own_files, pages, target
from published_address import VARIABLE
from section_search import REPLACED
from term_hovers import EVERYDAY
from term_hovers import FILE as DEFINITIONS

EXPECTED = {
    "intro.html",
    "notebooks/the_cohort.html",
    "notebooks/chinchilla_fit.html",
    "notebooks/data_optimal.html",
    "notebooks/attention_memory.html",
    "notebooks/serving_roofline.html",
    "notebooks/expert_tradeoffs.html",
    "notebooks/training_footprint.html",
    "notebooks/serving_footprint.html",
    "notebooks/decide.html",
    "explore.html",
    "notebooks/my_footprint.html",
    "log_well.html",
    "rerun.html",
    "tables.html",
    "corrections.html",
    "claims.html",
    "changelog.html",
    "404.html",
    "adding_a_model.html",
    "glossary.html",
    "data_dictionary.html",
    "data_licence.html",
    "api.html",
    "api/architecture.html",
    "api/experts.html",
    "api/scaling.html",
    "api/fitting.html",
    "api/serving.html",
    "api/footprint.html",
    "api/registry.html",
    "api/display.html",
    "api/panels.html",
    "api/runner.html",
    "api/chapters.html",
    "api/chapters/front_page.html",
    "api/chapters/the_cohort.html",
    "api/chapters/chinchilla_fit.html",
    "api/chapters/data_optimal.html",
    "api/chapters/attention_memory.html",
    "api/chapters/serving_roofline.html",
    "api/chapters/expert_tradeoffs.html",
    "api/chapters/training_footprint.html",
    "api/chapters/serving_footprint.html",
    "api/chapters/decide.html",
    "api/planning.html",
    "api/chapters/my_footprint.html",
    "bibliography.html",
    "genindex.html",
    "search.html",
}
LIMIT = 600_000
pytestmark = pytest.mark.xdist_group("files")  # one worker parses the pages
ROOT = SITE.parents[1]
LINK = re.compile(r"\]\(([^)#]+)")


def test_the_book_is_built_and_whole() -> None:
    assert set(pages()) >= EXPECTED, "build the book first: make book"


@pytest.mark.parametrize("page", pages())
def test_internal_links_and_anchors_resolve(page: str) -> None:
    broken = []
    for address in markup(page).links:
        if is_external(address):
            continue
        file, anchor = target(page, address)
        if not file.is_file():
            broken.append(f"{address}: no such file")
        elif anchor and file.suffix == ".html":
            other = str(file.relative_to(SITE.resolve()))
            if anchor not in markup(other).anchors:
                broken.append(f"{address}: no such anchor")
    assert markup(page).links
    assert not broken


@pytest.mark.parametrize("page", pages())
def test_pages_load_only_what_the_book_serves(page: str) -> None:
    assets = markup(page).assets
    assert assets
    assert [address for address in assets if is_external(address)] == []
    assert [address for address in assets if not target(page, address)[0].is_file()] == []


@pytest.mark.parametrize("page", pages())
def test_own_weight(page: str) -> None:
    # Of a figure in the light and in the dark, a reader loads one; its data and its drawing are downloads.
    files = [file for file in own_files(page) if not file.name.endswith("-dark.svg")]
    sizes = {file.name: file.stat().st_size for file in files}
    assert sum(sizes.values()) < LIMIT, sizes


def test_first_page_is_the_introduction() -> None:
    text = (SITE / REDIRECT).read_text(encoding="utf-8")
    assert "url=intro.html" in text


def test_external_links_are_encrypted() -> None:
    addresses = {address for page in pages() for address in markup(page).links if is_external(address)}
    assert addresses
    assert {urlsplit(address).scheme for address in addresses} <= {"https", "mailto"}


def test_data_dictionary_names_every_column() -> None:
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    text = (SITE / "data_dictionary.html").read_text(encoding="utf-8")
    columns = [
        one["name"] for table in package["resources"] for one in table.get("schema", {}).get("fields", [])
    ]
    assert columns
    named = {code.get_text() for code in BeautifulSoup(text, "html.parser").select("td code")}
    assert [name for name in columns if name not in named] == []


def test_no_page_needs_a_script_for_its_formulas() -> None:
    assert [
        page
        for page in pages()
        if re.search(r"<script[^>]*>[^<]*mathjax|mathjax/", (SITE / page).read_text(encoding="utf-8"), re.I)
    ] == []


def test_what_nobody_asks_for_is_left_out() -> None:
    assert [name for name in REPLACED if (SITE / name).exists()] == []


def described(page: str) -> list[str]:
    """What the head of a page says of it."""
    text = (SITE / page).read_text(encoding="utf-8")
    return re.findall(r'<meta name="description" content="([^"]+)"', text)


@pytest.mark.parametrize("page", sorted(EXPECTED - {"404.html", "genindex.html", "search.html"}))
def test_a_page_says_what_it_is_about(page: str) -> None:
    (said,) = described(page)
    assert 20 <= len(said) <= 300


def test_no_two_pages_say_the_same() -> None:
    said = [one for page in pages() for one in described(page)]
    assert len(set(said)) == len(said)


def test_an_address_that_is_not_known_is_not_named() -> None:
    if os.environ.get(VARIABLE):
        pytest.skip("the address is known here")
    text = (SITE / "intro.html").read_text(encoding="utf-8")
    assert [one for one in ("og:url", "canonical", "atom+xml") if one in text] == []
    assert [one for one in ("sitemap.xml", "robots.txt", FEED) if (SITE / one).exists()] == []


# --- figures

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DRAWINGS = [
    (path.stem, one) for path in NOTEBOOKS for one in drawings(json.loads(path.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("chapter", [path.stem for path in NOTEBOOKS])
def test_each_figure_offers_its_drawing_and_its_data(chapter: str) -> None:
    page = f"notebooks/{chapter}.html"
    drawn = [one for name, one in DRAWINGS if name == chapter]
    files = [SITE / "figures" / chapter / f"{one.name}.svg" for one in drawn]
    data = [SITE / "figures" / chapter / f"{one.name}.csv" for one in drawn if one.values]
    linked = {target(page, address)[0] for address in markup(page).links if "/figures/" in address}
    assert linked == {file.resolve() for file in (*files, *data)}
    assert {one.name for one in drawn} <= markup(page).anchors
    assert [file.name for file, one in zip(files, drawn, strict=True) if file.read_text() != one.svg] == []
    assert data


@pytest.mark.parametrize(("chapter", "drawing"), DRAWINGS, ids=lambda one: getattr(one, "name", one))
def test_the_data_of_a_figure_are_a_table(chapter: str, drawing: Drawing) -> None:
    rows = list(csv.reader(io.StringIO(drawing.values)))
    has_axes = '<g id="xtick_1">' in drawing.svg
    assert bool(rows) == has_axes
    assert {len(row) for row in rows} <= {len(rows[0])} if rows else True


# --- terms

TERMS = {
    term: found["id"]
    for section in BeautifulSoup((SITE / "glossary.html").read_text(encoding="utf-8"), "html.parser").select(
        "article section section"
    )
    if EVERYDAY not in section.select_one("h2").get_text()  # type: ignore[union-attr]
    for found in section.select("dl.glossary > dt[id]")
    if (term := found.get_text().replace("#", "").strip())
}


def used(text: str, term: str) -> bool:
    """Whether a text has a term as whole words, alone or in the plural."""
    flags = re.IGNORECASE if term.islower() else 0
    return bool(re.search(rf"(?<![\w-]){re.escape(term)}(?:s|es)?(?![\w-])", text, flags))


def longest(text: str, found: list[str]) -> list[str]:
    """The terms of a text that stand there by themselves, not only inside longer ones."""
    kept = []
    for term in sorted(found, key=len, reverse=True):
        if used(text, term):
            kept.append(term)
        text = re.sub(rf"(?<![\w-]){re.escape(term)}(?:s|es)?(?![\w-])", " ", text, flags=re.IGNORECASE)
    return kept


@pytest.mark.parametrize("chapter", [path.stem for path in NOTEBOOKS])
def test_each_term_of_a_section_has_its_definition(chapter: str) -> None:
    page = BeautifulSoup((SITE / "notebooks" / f"{chapter}.html").read_text(encoding="utf-8"), "html.parser")
    missing, seen = [], 0
    for section in page.select("article > section > section"):
        if section["id"] == "try-it":
            continue
        linked = {link["href"].partition("#")[2] for link in section.select('a[href*="glossary.html#"]')}
        for apart in section.select("h2, h3, code, pre, math, table, figcaption, .text_html, a"):
            if not apart.decomposed and "glossary.html#" not in str(apart.get("href", "")):
                apart.decompose()
        text = "|".join(one.get_text("|") for one in section.select("p, li"))
        found = longest(" ".join(text.split()), [term for term in TERMS if used(text, term)])
        seen += len(found)
        missing += [(section["id"], term) for term in found if TERMS[term] not in linked]
    assert missing == []
    assert seen > 10


def test_the_definitions_are_the_glossary_s() -> None:
    text = (SITE / "_static" / DEFINITIONS).read_text(encoding="utf-8")
    known = json.loads(text.removeprefix("window.glossaryTerms = ").rstrip(";\n"))
    assert set(TERMS.values()) <= set(known)
    assert "kept so that they need not be computed again" in known["term-KV-cache"]
    assert [name for name, one in known.items() if "<a" in one or not one.startswith("<p><strong>")] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_between_the_project_s_own_files_resolve(name: str) -> None:
    addresses = LINK.findall((ROOT / name).read_text(encoding="utf-8"))
    assert [one for one in addresses if not is_external(one) and not (ROOT / one).exists()] == []


def test_the_picture_in_the_readme_is_small() -> None:
    (address,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert (ROOT / address).stat().st_size < 200_000
