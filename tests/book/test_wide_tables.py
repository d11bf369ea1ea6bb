"""The wide tables: whole without JavaScript; searched, sorted and cut to columns with it."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from browser import SITE
from bs4 import BeautifulSoup, Tag
from files import markup, pages
from playwright.sync_api import Locator, Page, expect
from visits import LIGHT, PHONE, View, Visitor

ROOT = SITE.parents[1]
pytestmark = pytest.mark.xdist_group("tables.html")  # with the visits of these pages
WIDE = {
    "tables.html": ["architecture", "benchmarks", "environment", "accelerators"],
    "corrections.html": [
        "corrected-architectures",
        "corrected-benchmarks",
        "corrected-environment",
        "corrections",
        "score-stages",
    ],
    "claims.html": ["claims"],
}
EVERY_TABLE = pytest.mark.parametrize(
    ("page", "name"), [(page, name) for page, names in WIDE.items() for name in names]
)


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def soup(page: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser")


def table(page: str, name: str) -> Tag:
    found = soup(page).select_one(f"#table-{name} table")
    assert found is not None
    return found


def texts(page: str, name: str) -> list[list[str]]:
    """The text of every cell below the heads."""
    body = table(page, name).select("tbody tr")
    return [[cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in body]


def heads(page: str, name: str) -> list[str]:
    return [cell.get_text(strip=True) for cell in table(page, name).select("thead th")]


@contextmanager
def opened(visitor: Visitor, page: str, view: View = LIGHT) -> Iterator[Page]:
    """A page as its visit left it, and as these tests leave it; on a phone, as it loads."""
    if view is LIGHT:
        with visitor.standing(page) as found:
            yield found
        return
    with visitor.tab(view) as found:
        found.goto(visitor.root + page, wait_until="load")
        yield found


def column(box: Locator, head: str) -> list[str]:
    """The texts of a column as they stand now."""
    names = [re.sub(r"\s+", " ", one).strip() for one in box.locator("thead th").all_inner_texts()]
    place = names.index(head) + 1
    return [one.strip() for one in box.locator(f"tbody tr > :nth-child({place})").all_inner_texts()]


# --- what is on the pages


@pytest.mark.parametrize(
    ("page", "name", "data"),
    [
        ("tables.html", "architecture", "models"),
        ("tables.html", "benchmarks", "benchmarks"),
        ("tables.html", "accelerators", "accelerators"),
        ("corrections.html", "corrections", "corrections"),
        ("claims.html", "claims", "claims"),
    ],
)
def test_every_row_of_the_data_is_a_row(page: str, name: str, data: str) -> None:
    assert len(texts(page, name)) == len(rows(data))


def test_every_value_on_training_runs_is_shown() -> None:
    shown = sum(bool(cell) for row in texts("tables.html", "environment") for cell in row[2:-2])
    assert shown == len(rows("training_runs"))


@EVERY_TABLE
def test_tables_have_heads_and_names(page: str, name: str) -> None:
    names = heads(page, name)
    assert len(set(names)) == len(names)
    assert all(names)
    assert all(row[0] for row in texts(page, name))
    caption = soup(page).select_one(f"#table-{name} .wide-caption")
    assert caption is not None
    assert table(page, name)["aria-labelledby"] == caption["id"]


@pytest.mark.parametrize("name", ["architectures", "benchmarks", "environment"])
def test_every_cell_of_the_post_is_shown_with_its_correction(name: str) -> None:
    page, post = "corrections.html", [row for row in rows("post_tables") if row["table"] == name]
    shown = texts(page, f"corrected-{name}")
    assert sum(len(row) - 1 for row in shown) == len(post)
    # Cells of a model stand together, and the models in their order.
    for row, cell in zip(post, (cell for line in shown for cell in line[1:]), strict=True):
        assert row["original"] in cell, row
    fixes = [row for row in rows("corrections") if row["table"] == name]
    links = [link["href"] for link in table(page, f"corrected-{name}").select("a.aside")]
    assert len(links) == len(fixes)
    assert len(set(links)) == len(links)


def test_the_kinds_of_corrections_are_counted() -> None:
    counted = {row[0]: int(row[-1]) for row in texts("corrections.html", "correction-kinds")}
    assert counted == Counter(row["kind"] for row in rows("corrections"))
    assert f"{sum(counted.values())} carry a remark" in soup("corrections.html").get_text()


def test_every_source_leads_to_the_bibliography() -> None:
    for page, name in (("tables.html", "benchmarks"), ("corrections.html", "corrections")):
        place = heads(page, name).index("source") + 1
        cells = table(page, name).select(f"tbody tr > :nth-child({place})")
        assert cells
        assert [cell for cell in cells if cell.a is None or "bibliography.html#" not in cell.a["href"]] == []


def test_the_ledger_shows_verdicts_or_open() -> None:
    known = {"holds", "holds with limits", "does not hold", "cannot be known", "open"}
    verdicts = Counter(row[2] for row in texts("claims.html", "claims"))
    assert set(verdicts) <= known
    left = f"{verdicts['open']} are still open" if verdicts["open"] else "none is open"
    assert left in soup("claims.html").get_text()
    assert [row for row in texts("claims.html", "claims") if (row[2] == "open") and row[3]] == []


@pytest.mark.xdist_group("files")
@pytest.mark.parametrize("page", pages())
def test_the_scripts_are_loaded_where_they_are_needed(page: str) -> None:
    loaded = [address for address in markup(page).assets if "wide_tables/" in address]
    assert len(loaded) == (2 if any("wide" in classes.split() for classes in markup(page).tables) else 0)


# --- what a reader does


def test_search_keeps_the_rows_with_the_words(visitor: Visitor) -> None:
    with opened(visitor, "tables.html") as page:
        box = page.locator("#table-benchmarks")
        box.get_by_role("searchbox", name="Search the table").fill("mixtral gsm8k")
        found = box.locator("tbody tr").all_inner_texts()
        wanted = [
            row
            for row in texts("tables.html", "benchmarks")
            if all(word in " ".join(row).lower() for word in ("mixtral", "gsm8k"))
        ]
        assert 0 < len(found) == len(wanted) < len(rows("benchmarks"))
        assert box.locator("output").inner_text() == f"{len(wanted)} of {len(rows('benchmarks'))} rows"
        box.get_by_role("searchbox").fill("")
        assert box.locator("tbody tr").count() == len(rows("benchmarks"))


def test_a_head_sorts_up_down_and_back(visitor: Visitor) -> None:
    with opened(visitor, "tables.html") as page:
        box = page.locator("#table-architecture")
        head = box.locator("thead th", has_text="training tokens")
        before = column(box, "model")
        orders = {}
        for order in ("descending", "ascending"):
            head.click()
            expect(head).to_have_attribute("aria-sort", order)
            orders[order] = column(box, "training tokens (trillion)")
        head.click()
        expect(head).not_to_have_attribute("aria-sort", re.compile(""))
        after = column(box, "model")
        known = [float(text.split()[0]) for text in orders["descending"] if text != "undisclosed"]
        assert 30 < len(known) < len(before)
        assert known == sorted(known, reverse=True)
        assert orders["descending"][len(known) :] == ["undisclosed"] * (len(before) - len(known))
        assert [float(text.split()[0]) for text in orders["ascending"][: len(known)]] == sorted(known)
        assert after == before


def test_a_keyboard_sorts_too(visitor: Visitor) -> None:
    with opened(visitor, "tables.html") as page:
        box = page.locator("#table-accelerators")
        button = box.locator("thead th", has_text="rated power").get_by_role("button")
        button.focus()
        page.keyboard.press("Enter")
        expect(button.locator("xpath=ancestor::th")).to_have_attribute("aria-sort", "descending")
        known = [float(text.replace(",", "")) for text in column(box, "rated power (W)") if text]
        for _ in ("ascending", "none"):
            page.keyboard.press("Enter")
        expect(button.locator("xpath=ancestor::th")).not_to_have_attribute("aria-sort", re.compile(""))
    assert len(known) > 10
    assert known == sorted(known, reverse=True)


def test_columns_are_hidden_and_shown(visitor: Visitor) -> None:
    with opened(visitor, "tables.html") as page:
        box = page.locator("#table-architecture")
        names = heads("tables.html", "architecture")
        places = str(table("tables.html", "architecture")["data-hidden"]).split()
        hidden = [names[int(place)] for place in places]
        assert box.locator("thead th").count() == len(names) - len(hidden)
        box.get_by_text("Columns", exact=True).click()
        for name in ("developer", hidden[0]):
            choice = box.get_by_role("checkbox", name=name, exact=True)
            head = box.get_by_role("columnheader", name=name)
            shown = choice.is_checked()
            assert head.count() == shown
            choice.click()
            assert head.count() == (not shown)
            choice.click()
            assert head.count() == shown
        box.get_by_text("Columns", exact=True).click()


@pytest.mark.parametrize("page", WIDE)
def test_the_controls_are_accessible_when_open(visitor: Visitor, page: str) -> None:
    with opened(visitor, page) as found:
        for summary in found.locator(".wide-columns summary").all():
            summary.click()
        violations = visitor.audit(found, ".wide-controls", known=visitor.known)
        found.emulate_media(color_scheme="dark")
        found.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        violations += visitor.audit(found, ".wide-controls", colours=not visitor.every, known=visitor.known)
        found.emulate_media(color_scheme="light")
        found.wait_for_function("document.documentElement.dataset.theme === 'light'")
        for summary in found.locator(".wide-columns summary").all():
            summary.click()
    assert violations == []


@pytest.mark.parametrize("page", WIDE)
def test_a_phone_scrolls_the_table_in_its_box(visitor: Visitor, page: str) -> None:
    with opened(visitor, page, PHONE) as found:
        for summary in found.locator(".wide-columns summary").all():
            summary.click()
        assert found.evaluate("document.documentElement.scrollWidth") <= PHONE.width
        boxes = found.locator(".wide-box:has(table.wide)")
        moved = boxes.evaluate_all(
            "boxes => boxes.map((box) => { box.scrollLeft = 90; return [box.scrollLeft, "
            "Math.min(90, box.scrollWidth - box.clientWidth), !!box.querySelector('.stacked')]; })"
        )
    assert len(moved) == len(WIDE[page])
    assert [one for one in moved if one[0] != one[1]] == []
    # What is stacked has nothing outside, and of the others only few columns are shown at first.
    assert [one for one in moved if one[2] and one[0]] == []


def test_a_phone_shows_the_columns_that_matter(visitor: Visitor) -> None:
    with opened(visitor, "tables.html", PHONE) as found:
        box = found.locator("#table-architecture")
        shown = [re.sub(r"\s+", " ", one).strip() for one in box.locator("thead th").all_inner_texts()]
        box.get_by_text("Columns", exact=True).click()
        box.get_by_role("checkbox", name="layers", exact=True).click()
        after = box.locator("thead th").count()
    assert sorted(shown) == ["active (parameters)", "attention", "model"]
    assert after == len(shown) + 1


def test_a_correction_fits_a_phone_s_screen(visitor: Visitor) -> None:
    with opened(visitor, "corrections.html", PHONE) as found:
        cards = found.locator("#table-corrections tbody tr")
        boxes = cards.evaluate_all(
            "rows => rows.map((row) => { const box = row.getBoundingClientRect();"
            " return [box.left, box.right, box.height]; })"
        )
        first = cards.first.inner_text()
    assert len(boxes) == len(rows("corrections"))
    assert [one for one in boxes if one[0] < 0 or one[1] > PHONE.width or one[2] > PHONE.height / 2] == []
    assert all(word in first for word in ("Llama 2 7B", "attention", "?", "MHA", "stated"))


# The number of rows, and whether each cell of the last is seen.
ALL_THERE = """
(table) => {
  const rows = [...table.querySelectorAll("tbody tr")];
  const seen = (cell) => cell.checkVisibility({visibilityProperty: true}) && cell.offsetWidth > 0;
  return [rows.length, [...rows.at(-1).querySelectorAll("th, td")].map(seen)];
}
"""


@pytest.mark.parametrize("page", WIDE)
def test_without_javascript_every_table_is_there_as_a_whole(visitor: Visitor, page: str) -> None:
    with visitor.tab(PHONE, scripts=False) as found:
        found.goto(visitor.root + page, wait_until="load")
        for name in WIDE[page]:
            box = found.locator(f"#table-{name} table")
            rows, seen = box.evaluate(ALL_THERE)
            assert rows == len(texts(page, name)), name
            assert seen == [True] * len(heads(page, name)), name
        assert found.locator(".wide-controls").count() == 0


def test_a_book_read_from_a_disk_has_the_controls_too(visitor: Visitor) -> None:
    page = visitor.page(LIGHT)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((SITE / "claims.html").as_uri(), wait_until="load")
    rows = page.locator("#table-claims tbody tr")
    expected = sum("chatgpt" in text.lower() for text in rows.all_text_contents())
    page.get_by_role("searchbox", name="Search the table").fill("chatgpt")
    count = rows.count()
    page.close()
    assert 0 < count == expected
    assert errors == []
