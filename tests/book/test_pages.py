"""Every page as a reader meets it, in headless Chromium."""

import gzip
import math
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from browser import SITE
from files import pages
from playwright.sync_api import expect
from visits import DARK, LIGHT, PHONE, VIEWS, View, Visit, Visitor

# What tests write, and no page of the book.
WRITTEN = View("written", LIGHT.width, LIGHT.height, LIGHT.scheme)
CHAPTERS = [page for page in pages() if page.startswith("notebooks/")]

# What is left in running text when a role, a directive, a formula or emphasis was not rendered.
RAW = re.compile(
    r"\{[a-z][a-z:_-]*\}`|`{3}|:::|\$[^$\s][^$]*\$|\\[(\[]|\*\*\w[^*\n]*\*\*|\]\(|</?(?:div|span|br|em|sub|sup)\b"
)
MOST_TABLES, LEAST_FIGURES = 0.15, 0.35  # shares of a chapter's height on a wide screen
MOST_SCROLLING = 5  # tables of a chapter that are wider than a phone
MOST_SENT, MOST_RAW = 600_000, 1_500_000  # bytes of a page with all that it loads, packed and not
FIRST_PAINT_MS = 1000
PAINTED = """
() => new Promise((done) => new PerformanceObserver((seen) => {
  for (const one of seen.getEntries()) if (one.name === "first-contentful-paint") done(one.startTime);
}).observe({type: "paint", buffered: true}))
"""
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


@cache
def sizes(path: Path) -> tuple[int, int]:
    """Bytes of a file, as a server sends it and as it is."""
    data = path.read_bytes()
    return len(gzip.compress(data, mtime=0)), len(data)


def weight(visitor: Visitor, view: View, visit: Visit) -> list[str]:
    """A page with all that it loads is light."""
    if not visit.loads:
        return []  # the same files, but for the figures in the dark
    local = {url.partition("?")[0] for url in visit.requests if url.startswith(visitor.root)}
    files = [SITE / unquote(url.removeprefix(visitor.root)) for url in local]
    sent, raw = (sum(sizes(file)[place] for file in files) for place in (0, 1))
    return [f"{sent:,} bytes, {raw:,} unpacked"] if sent > MOST_SENT or raw > MOST_RAW else []


CHECKS = (console, requests, accessibility, width, images, markup, formulas, weight)


# Pages that tests of one file look at.
TOGETHER = {"corrections.html": "tables.html", "claims.html": "tables.html"}


def visited(paths: Iterable[str]) -> list[Any]:
    """Give pages to tests such that all that look at a visit of a page run in one worker, which makes it."""
    return [
        pytest.param(path, id=path, marks=pytest.mark.xdist_group(TOGETHER.get(path, path))) for path in paths
    ]


# Chapters first: there nothing covers the link of the page itself, which is then known on all others.
@pytest.mark.parametrize("page", visited(sorted(pages(), key=lambda page: page not in CHAPTERS)))
def test_a_page_in_every_view(visitor: Visitor, page: str) -> None:
    """All checks of a page in one test, which visits it once for each view."""
    problems = {
        f"{check.__name__}, {view.name}": found
        for view in VIEWS
        for check in CHECKS
        if (found := check(visitor, view, visitor.visit(page, view)))
    }
    assert problems == {}


@pytest.mark.xdist_group("data_dictionary.html")
def test_what_is_folded_is_no_part_of_a_page_s_height(visitor: Visitor) -> None:
    tables = visitor.visit("data_dictionary.html", PHONE).observed["tables"]
    folded = (SITE / "data_dictionary.html").read_text(encoding="utf-8").count('<details class="columns">')
    assert len(tables) < 5 < 40 < folded


@pytest.mark.parametrize("page", ["intro.html", max(CHAPTERS, key=lambda one: (SITE / one).stat().st_size)])
def test_a_page_is_painted_soon(visitor: Visitor, page: str) -> None:
    """The fastest of up to three visits, since other tests keep the machine busy."""
    paints: list[float] = []
    while len(paints) < 3 and min(paints, default=math.inf) >= FIRST_PAINT_MS:
        seen = visitor.page(LIGHT)
        seen.goto(visitor.root + page, wait_until="load")
        paints.append(seen.evaluate(PAINTED))
        seen.close()
    assert 0 < min(paints) < FIRST_PAINT_MS


@pytest.mark.xdist_group("glossary.html")
def test_the_book_has_formulas(visitor: Visitor) -> None:
    assert visitor.visit("glossary.html", LIGHT).observed["formulas"] > 5


def test_search_finds_a_word(visitor: Visitor) -> None:
    with visitor.tab(LIGHT) as page:
        page.goto(visitor.root + "intro.html", wait_until="load")
        page.keyboard.press("Control+k")
        page.locator("#pst-search-dialog input[type=search]").fill("bandwidth")
        page.keyboard.press("Enter")
        # Results come one after another; the glossary, which defines the word, is among them.
        page.locator("#search-results ul.search li a[href*='glossary.html']").first.wait_for()


# What readers ask, and where the first answer leads.
ANSWERS = {
    "KV cache": "glossary.html#term-KV-cache",
    "chinchilla": "notebooks/chinchilla_fit.html",
    "flash attention": "notebooks/attention_memory.html#naive-attention-against-flashattention",
    "roofline": "glossary.html#term-roofline",
    "PUE": "glossary.html#term-PUE",
    "price per million tokens": "notebooks/serving_roofline.html#what-does-a-million-tokens-cost",
    "water": "notebooks/training_footprint.html#hardware-water-and-heat",
    "bootstrap": "glossary.html#term-bootstrap",
    "add a model": "adding_a_model.html",
    "errors of the post": "corrections.html",
    "active parameters": "glossary.html#term-active-parameters",
    "experts a batch reads": "notebooks/expert_tradeoffs.html#how-many-experts-does-a-batch-read",
    "how to cite": "intro.html#how-to-cite",
}
WELDED = re.compile(r"[a-z]{3}\((?:g|mL|Wh|GiB)\)|\\[a-z]+|\{[a-z]|<!--|[a-z]_[a-z]+/")


def test_the_search_answers(visitor: Visitor) -> None:
    with visitor.tab(LIGHT) as page:
        found, excerpts = {}, []
        for query in ANSWERS:
            page.goto(f"{visitor.root}search.html?q={quote(query)}", wait_until="load")
            results = page.locator("#search-results ul.search > li")
            results.first.wait_for()
            found[query] = results.first.locator("a").get_attribute("href")
            excerpts += results.locator("p.context").all_inner_texts()
    assert found == ANSWERS
    assert [one for one in excerpts if WELDED.search(one) or len(one) > 400] == []


def test_search_finds_nothing_where_there_is_nothing(visitor: Visitor) -> None:
    with visitor.tab(LIGHT) as page:
        page.goto(visitor.root + "search.html?q=xylophoneless", wait_until="load")
        page.locator(".search-summary").wait_for()
        results = page.locator("#search-results ul.search li").count()
    assert results == 0


@pytest.mark.parametrize("chapter", visited(CHAPTERS))
def test_a_chapter_downloads_as_a_notebook(visitor: Visitor, chapter: str) -> None:
    with visitor.standing(chapter) as page:
        page.locator(".dropdown-download-buttons > button").hover()
        link = page.locator("a.btn-download-source-button")
        assert link.is_visible()
        address = link.evaluate("one => one.href")
        response = page.request.get(address)
        page.mouse.move(0, 0)
    assert address.endswith(".ipynb")
    assert response.ok
    notebook = response.json()
    assert notebook["nbformat"] == 4
    assert any(cell["cell_type"] == "code" for cell in notebook["cells"])


@pytest.mark.parametrize("view", [LIGHT, DARK])
def test_a_page_begins_in_the_theme_of_the_reader(visitor: Visitor, view: View) -> None:
    with visitor.tab(view) as page:
        page.goto(visitor.root + "intro.html", wait_until="load")
        theme = page.evaluate("document.documentElement.dataset.theme")
    assert theme == view.scheme


def test_a_figure_is_enlarged_and_its_address_copied(visitor: Visitor) -> None:
    with visitor.tab(PHONE) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(visitor.root + CHAPTERS[0], wait_until="load")
        figure = page.locator("figure:has(.figure-tools)").first
        figure.get_by_role("button", name="Enlarge").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        dialog.locator("img").wait_for()
        assert dialog.get_attribute("aria-label").startswith("Fig.")  # type: ignore[union-attr]
        assert dialog.locator("img").evaluate("one => one.getBoundingClientRect().width") > PHONE.width
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        figure.get_by_role("link", name="Link to this figure").click()
        expect(figure.get_by_text("Address copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{visitor.root}{CHAPTERS[0]}#{figure_id(CHAPTERS[0])}"


def figure_id(chapter: str) -> str:
    """The anchor of a chapter's first figure."""
    text = (SITE / chapter).read_text(encoding="utf-8")
    return re.findall(r'<figure[^>]* id="(fig-[^"]+)"', text)[0]


@pytest.mark.xdist_group("notebooks/serving_roofline.html")
def test_a_term_shows_its_definition_to_mouse_key_and_finger(visitor: Visitor) -> None:
    chapter = "notebooks/serving_roofline.html"
    with visitor.standing(chapter) as page:
        assert "glossary_terms" not in page.content()  # it comes when it is asked for
        term, card = page.locator("a.term").first, page.locator("#term-card")
        term.hover()
        card.wait_for()
        page.mouse.move(0, 0)
        card.wait_for(state="hidden")
        term.focus()
        card.wait_for()
        assert term.get_attribute("aria-describedby") == card.get_attribute("id")
        assert len(card.inner_text()) > 40
        assert visitor.audit(page, "#term-card", known=visitor.known) == []
        page.keyboard.press("Escape")
        card.wait_for(state="hidden")
    finger = visitor.page_with_touch(PHONE)
    finger.goto(visitor.root + chapter, wait_until="load")
    finger.locator("a.term").first.tap()
    finger.locator("#term-card").wait_for()
    assert finger.url == visitor.root + chapter
    box = finger.locator("#term-card").bounding_box()
    finger.context.close()
    assert box is not None
    assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE.width


# Boxes of texts that lie over each other by more than their edges, in units of the drawing.
OVERLAPS = """
() => [...document.querySelectorAll("figure")].flatMap((figure) => {
  const texts = [...figure.querySelectorAll("text")].filter((one) => one.textContent.trim());
  const boxes = texts.map((one) => one.getBoundingClientRect());
  // The box of a slanted text is larger than the text: two that are slanted alike are not compared.
  const slanted = texts.map((one) => one.getScreenCTM())
    .map((turned) => Math.abs(turned.a) > 0.01 && Math.abs(turned.b) > 0.01);
  const found = [];
  boxes.forEach((one, at) => boxes.slice(0, at).forEach((other, before) => {
    const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    if (!(slanted[at] && slanted[before]) && wide > 2 && high > 0.3 * Math.min(one.height, other.height)) {
      found.push(`${figure.id}: ${texts[before].textContent.trim()} | ${texts[at].textContent.trim()}`);
    }
  }));
  return found;
})
"""


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_labels_of_figures_stay_apart(visitor: Visitor, chapter: str) -> None:
    drawn = sorted((SITE / "figures" / Path(chapter).stem).glob("*.svg"))
    parts = [
        f'<figure id="{one.stem}">{one.read_text(encoding="utf-8").partition("?>")[2]}</figure>'
        for one in drawn
    ]
    with visitor.tab(WRITTEN) as page:
        page.set_content("".join(re.sub(r"<!DOCTYPE[^>]*>", "", one) for one in parts))
        found = page.evaluate(OVERLAPS)
        texts = page.locator("svg text").count()
    assert texts > 20
    assert found == []


@pytest.mark.parametrize("chapter", visited(CHAPTERS))
def test_a_chapter_is_read_before_it_is_run(visitor: Visitor, chapter: str) -> None:
    """Findings come first; code is folded, and tables that support a text are; a figure is spoken of."""
    wide, phone = visitor.visit(chapter, LIGHT).observed, visitor.visit(chapter, PHONE).observed
    assert 0 < phone["briefTop"] < PHONE.height
    assert wide["openCode"] == phone["openCode"] == 0
    assert wide["tablesHeight"] / wide["height"] < MOST_TABLES
    assert wide["dataTables"] > 0
    assert wide["figuresHeight"] / wide["height"] > LEAST_FIGURES
    assert 0.98 < wide["widest"] <= 1
    assert 0.98 < phone["widest"] <= 1
    assert wide["unspoken"] == []
    assert wide["cutCode"] == phone["cutCode"] == []
    assert sum(table["scrolls"] for table in phone["tables"]) <= MOST_SCROLLING


def test_there_is_a_chapter() -> None:
    assert CHAPTERS


# Texts that are styled alike, but for what a test puts among them.
ALIKE = (
    """
<p>Readable <b>text</b>, <a href="#">linked</a>.</p><p class="bare"><a href="#">alone</a></p>
<p>A text with <a class="grey" href="#">one</a> in it.</p>
"""
    * 6
)
STYLE = """
<style>
  .bare a, a.bare { color: #222; text-decoration: none; }
  .pale { color: #6c6c6c; }
  .grey { color: #757575; text-decoration: none; }
</style>
"""
GREY = '<a class="grey" href="#">one</a>'
FAULTS = {
    "nothing": "",
    "a pale text": '<p>Readable <b style="color: #ccc">pale</b>.</p>',
    "a pale text of another size": '<p style="font-size: 30px; color: #aaa">pale</p>',
    "a dark ground": '<p style="background: #333">Readable <b>text</b>.</p>',
    "a dark ground far around": '<div style="background: #444"><div><p>Readable text.</p></div></div>',
    "a transparent text": '<div style="opacity: 0.3"><p>Readable <b>text</b>.</p></div>',
    "a picture without words": '<img src="data:,">',
    "a link like its text": '<p>A text with <a class="bare" href="#">one</a>.</p>',
    "a link in a text, styled as links alone": '<p class="bare">A text with <a href="#">one</a> in it.</p>',
    "a link in a text much of its colour": f'<p class="pale">A text with {GREY} in it.</p>',
    "a ground in a layer": '<div style="position: relative; background: #444"><p>Readable text.</p></div>',
    "a ground let through": '<div style="background: #0009"><div style="opacity: .9"><p>Text</p></div></div>',
    "an attribute that there is not": '<p aria-nothing="1">Readable text.</p>',
    "a box that scrolls": f'<div style="height: 40px; overflow: auto">{"<p>Readable text.</p>" * 9}</div>',
    "a link at the end of a text": '<p class="bare">A text ends with <span><a href="#">one</a></span></p>',
}


NO_STYLE = ("nothing", "a picture without words", "an attribute that there is not", "a box that scrolls")


def around(fault: str) -> str:
    """A page with a fault among much that is alike."""
    return (
        f'<html lang="en"><title>x</title>{STYLE}<main style="background: #fff; color: #111"><h1>x</h1>'
        f"{ALIKE}{fault}{ALIKE}</main>"
    )


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", ["alike once", "known elsewhere", "every text"])
def test_the_audit_finds_a_fault_among_much_that_is_alike(
    visitor: Visitor, fault: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "every", mode == "every text")
    known: set[int] = set()
    with visitor.tab(WRITTEN) as page:
        if mode == "known elsewhere":
            page.set_content(around(""))
            assert visitor.audit(page, known=known) == []
            assert len(known) > 4
        measured = len(known)
        page.set_content(around(FAULTS[fault]))
        found = visitor.audit(page, known=known)
    rules = {"picture": "image-alt", "link": "link-in-text-block", "attribute": "aria-valid-attr"}
    rules["scrolls"] = "scrollable-region-focusable"
    rule = next((rule for word, rule in rules.items() if word in fault), "color-contrast")
    assert {one.split()[0] for one in found} == (set() if fault == "nothing" else {rule})
    assert len(known) > measured or fault in NO_STYLE
