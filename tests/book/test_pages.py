"""Every page as a reader meets it, in headless Chromium."""

import re

import pytest
from files import pages
from visits import DARK, LIGHT, PHONE, VIEWS, View, Visitor

EVERY_PAGE = pytest.mark.parametrize("page", pages())
EVERY_VIEW = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
CHAPTERS = [page for page in pages() if page.startswith("notebooks/")]

# What is left in running text when a role, a directive, a formula or emphasis was not rendered.
RAW = re.compile(
    r"\{[a-z][a-z:_-]*\}`|`{3}|:::|\$[^$\s][^$]*\$|\\[(\[]|\*\*\w[^*]*\*\*|\]\(|</?(?:div|span|br|em|sub|sup)\b"
)
FILE_NAME = re.compile(r"\.(?:svg|png|jpe?g|gif|webp)$|/")


@EVERY_PAGE
@EVERY_VIEW
def test_no_console_error(visitor: Visitor, page: str, view: View) -> None:
    assert visitor.visit(page, view).errors == []


@EVERY_PAGE
@EVERY_VIEW
def test_no_request_to_another_host_and_none_fails(visitor: Visitor, page: str, view: View) -> None:
    visit = visitor.visit(page, view)
    assert visit.requests
    assert [url for url in visit.requests if not url.startswith((visitor.root, "data:", "blob:"))] == []
    assert {url: status for url, status in visit.statuses.items() if status >= 400} == {}


@EVERY_PAGE
@pytest.mark.parametrize("view", [LIGHT, DARK], ids=lambda view: view.name)
def test_no_serious_accessibility_finding(visitor: Visitor, page: str, view: View) -> None:
    visit = visitor.visit(page, view)
    assert visit.observed["theme"] == view.scheme
    assert visit.violations == []


@EVERY_PAGE
def test_a_phone_scrolls_no_page_sideways(visitor: Visitor, page: str) -> None:
    observed = visitor.visit(page, PHONE).observed
    assert observed["innerWidth"] == PHONE.width
    assert observed["scrollWidth"] <= PHONE.width


@EVERY_PAGE
@EVERY_VIEW
def test_tables_stay_in_their_box(visitor: Visitor, page: str, view: View) -> None:
    tables = visitor.visit(page, view).observed["tables"]
    assert [table for table in tables if table["right"] > view.width] == []


def test_wide_tables_scroll_on_a_phone(visitor: Visitor) -> None:
    tables = visitor.visit("data_dictionary.html", PHONE).observed["tables"]
    assert any(table["scrolls"] for table in tables)


@EVERY_PAGE
def test_images_load_and_say_what_they_show(visitor: Visitor, page: str) -> None:
    images = visitor.visit(page, LIGHT).observed["images"]
    assert images
    assert [image for image in images if not (image["alt"] or "").strip()] == []
    assert [image for image in images if FILE_NAME.search(image["alt"])] == []
    assert [image for image in images if not image["shown"]] == []


@EVERY_PAGE
def test_no_markup_is_left_unrendered(visitor: Visitor, page: str) -> None:
    observed = visitor.visit(page, LIGHT).observed
    assert [text for text in observed["texts"] if RAW.search(text)] == []


@EVERY_PAGE
def test_formulas_are_typeset(visitor: Visitor, page: str) -> None:
    observed = visitor.visit(page, LIGHT).observed
    assert observed["typeset"] == observed["formulas"]
    assert observed["formulaErrors"] == 0


def test_the_book_has_formulas(visitor: Visitor) -> None:
    assert visitor.visit("glossary.html", LIGHT).observed["formulas"] > 5


def test_search_finds_a_word(visitor: Visitor) -> None:
    page = visitor.page(LIGHT)
    page.goto(visitor.root + "intro.html", wait_until="load")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input[type=search]").fill("bandwidth")
    page.keyboard.press("Enter")
    # Results come one after another; the glossary, which defines the word, is among them.
    page.locator("#search-results ul.search li a[href*='glossary.html']").first.wait_for()
    page.close()


def test_search_finds_nothing_where_there_is_nothing(visitor: Visitor) -> None:
    page = visitor.page(LIGHT)
    page.goto(visitor.root + "search.html?q=xylophoneless", wait_until="load")
    page.locator(".search-summary").wait_for()
    results = page.locator("#search-results ul.search li").count()
    page.close()
    assert results == 0


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_downloads_as_a_notebook(visitor: Visitor, chapter: str) -> None:
    page = visitor.page(LIGHT)
    page.goto(visitor.root + chapter, wait_until="load")
    page.locator(".dropdown-download-buttons > button").hover()
    link = page.locator("a.btn-download-source-button")
    assert link.is_visible()
    address = link.evaluate("one => one.href")
    response = page.request.get(address)
    page.close()
    assert address.endswith(".ipynb")
    assert response.ok
    notebook = response.json()
    assert notebook["nbformat"] == 4
    assert any(cell["cell_type"] == "code" for cell in notebook["cells"])


def test_there_is_a_chapter() -> None:
    assert CHAPTERS
