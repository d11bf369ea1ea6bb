"""Every page as a reader meets it, in headless Chromium."""

import re

import pytest
from files import pages
from visits import DARK, LIGHT, PHONE, VIEWS, View, Visit, Visitor

CHAPTERS = [page for page in pages() if page.startswith("notebooks/")]

# What is left in running text when a role, a directive, a formula or emphasis was not rendered.
RAW = re.compile(
    r"\{[a-z][a-z:_-]*\}`|`{3}|:::|\$[^$\s][^$]*\$|\\[(\[]|\*\*\w[^*]*\*\*|\]\(|</?(?:div|span|br|em|sub|sup)\b"
)
MOST_TABLES, LEAST_FIGURES = 0.15, 0.20  # shares of a chapter's height on a wide screen
FILE_NAME = re.compile(r"\.(?:svg|png|jpe?g|gif|webp)$|/")


def console(visitor: Visitor, view: View, visit: Visit) -> list[str]:
    """No error on the console."""
    return visit.errors


def requests(visitor: Visitor, view: View, visit: Visit) -> list[str]:
    """No request to another host, and none that fails."""
    elsewhere = [url for url in visit.requests if not url.startswith((visitor.root, "data:", "blob:"))]
    failed = [f"{status}: {url}" for url, status in visit.statuses.items() if status >= 400]
    return [*elsewhere, *failed] if visit.requests else ["nothing was loaded"]


def accessibility(visitor: Visitor, view: View, visit: Visit) -> list[str]:
    """No serious finding, in the theme of the view."""
    theme = visit.observed["theme"]
    return [*visit.violations, *([] if theme == view.scheme else [f"the theme is {theme}"])]


def width(visitor: Visitor, view: View, visit: Visit) -> list[str]:
    """A phone scrolls no page sideways, and tables stay in their box at any width."""
    seen = visit.observed
    outside = [f"table outside: {one['start']}" for one in seen["tables"] if one["right"] > view.width]
    if view is PHONE and not seen["scrollWidth"] <= seen["innerWidth"] == PHONE.width:
        outside.append(f"{seen['scrollWidth']} pixels of {seen['innerWidth']}")
    return outside


def images(visitor: Visitor, view: View, visit: Visit) -> list[str]:
    """Images load and say in words what they show."""
    wrong = [
        str(image)
        for image in visit.observed["images"]
        if not (image["alt"] or "").strip() or FILE_NAME.search(image["alt"]) or not image["shown"]
    ]
    return wrong if visit.observed["images"] else ["there is none, not even the logo"]


def markup(visitor: Visitor, view: View, visit: Visit) -> list[str]:
    """No markup is left unrendered."""
    return [text for text in visit.observed["texts"] if RAW.search(text)]


def formulas(visitor: Visitor, view: View, visit: Visit) -> list[str]:
    """Formulas are typeset."""
    seen = visit.observed
    is_set = seen["typeset"] == seen["formulas"] and seen["formulaErrors"] == 0
    return [] if is_set else [f"{seen['typeset']} of {seen['formulas']}, {seen['formulaErrors']} errors"]


CHECKS = (console, requests, accessibility, width, images, markup, formulas)


@pytest.mark.parametrize("page", pages())
def test_a_page_in_every_view(visitor: Visitor, page: str) -> None:
    """All checks of a page in one test, which visits it once for each view."""
    problems = {
        f"{check.__name__}, {view.name}": found
        for view in VIEWS
        for check in CHECKS
        if (found := check(visitor, view, visitor.visit(page, view)))
    }
    assert problems == {}


def test_wide_tables_scroll_on_a_phone(visitor: Visitor) -> None:
    tables = visitor.visit("data_dictionary.html", PHONE).observed["tables"]
    assert any(table["scrolls"] for table in tables)


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


@pytest.mark.parametrize("view", [LIGHT, DARK])
def test_a_page_begins_in_the_theme_of_the_reader(visitor: Visitor, view: View) -> None:
    page = visitor.page(view)
    page.goto(visitor.root + "intro.html", wait_until="load")
    theme = page.evaluate("document.documentElement.dataset.theme")
    page.close()
    assert theme == view.scheme


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_is_read_before_it_is_run(visitor: Visitor, chapter: str) -> None:
    """Findings come within a phone's first screen; code is folded, and tables that support a text are."""
    wide, phone = visitor.visit(chapter, LIGHT).observed, visitor.visit(chapter, PHONE).observed
    assert 0 < phone["briefTop"] < PHONE.height
    assert wide["openCode"] == phone["openCode"] == 0
    assert 0 < wide["tablesHeight"] / wide["height"] < MOST_TABLES
    assert wide["figuresHeight"] / wide["height"] > LEAST_FIGURES
    assert 0.98 < wide["widest"] <= 1
    assert 0.98 < phone["widest"] <= 1


def test_there_is_a_chapter() -> None:
    assert CHAPTERS


# Texts that are styled alike, but for what a test puts among them.
ALIKE = "<p>Readable <b>text</b>.</p>" * 200
FAULTS = {
    "nothing": "",
    "a pale text": '<p>Readable <b style="color: #ccc">pale</b>.</p>',
    "a pale text of another size": '<p style="font-size: 30px; color: #aaa">pale</p>',
    "a dark ground": '<p style="background: #333">Readable <b>text</b>.</p>',
    "a dark ground far around": '<div style="background: #444"><div><p>Readable text.</p></div></div>',
    "a transparent text": '<div style="opacity: 0.3"><p>Readable <b>text</b>.</p></div>',
    "a picture without words": '<img src="data:,">',
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("every", [False, True], ids=["alike once", "every text"])
def test_the_audit_finds_a_fault_among_much_that_is_alike(
    visitor: Visitor, fault: str, every: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "every", every)
    page = visitor.page(LIGHT)
    page.set_content(
        '<html lang="en"><title>x</title><main style="background: #fff"><h1>x</h1>'
        f"{ALIKE}{FAULTS[fault]}{ALIKE}</main>"
    )
    found = visitor.audit(page)
    page.close()
    rule = "image-alt" if "picture" in fault else "color-contrast"
    assert {one.split()[0] for one in found} == (set() if fault == "nothing" else {rule})
