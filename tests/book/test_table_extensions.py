"""The decisions of the extensions that make tables, and the rules of the ledger."""

import json
from pathlib import Path

import pytest
from claims_ledger import ledger, read_chapters, summary, verdicts
from post_corrections import anchor, cell, corrected, head, order
from reader_tables import accelerators, grouped
from wide_html import Cell, Row, Table, cited, html, kind, plain, with_links

from cohort.chapters.judging import VERDICTS
from cohort.errors import NotebookError, UnknownNameError
from cohort.runner.records import MIME

CLAIMS = [
    {"claim": "bigger", "chapter": "one", "record": "growth"},
    {"claim": "better", "chapter": "one", "record": "gain"},
    {"claim": "cheaper", "chapter": "two", "record": "cost"},
]


def entry(value: object, unit: str | None = None) -> dict[str, object]:
    return {"value": value, "unit": unit}


# --- the ledger


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verdict_with_its_number(verdict: str) -> None:
    found = verdicts(CLAIMS, {"one": {"verdict_bigger": entry(verdict), "growth": entry(7.5, "times")}})
    assert list(found) == ["bigger"]
    assert (found["bigger"].text, found["bigger"].number) == (verdict, entry(7.5, "times"))


def test_a_claim_that_no_chapter_judges_is_open() -> None:
    assert verdicts(CLAIMS, {"one": {"growth": entry(7.5)}, "two": {}}) == {}


@pytest.mark.parametrize("text", ["true", "Holds", "holds ", True, 1, ["holds"]])
def test_a_verdict_that_is_none(text: object) -> None:
    record = {"verdict_bigger": entry(text), "growth": entry(1)}
    with pytest.raises(
        NotebookError, match=r"one records verdict_bigger as .*; a verdict is one of holds, holds with"
    ):
        verdicts(CLAIMS, {"one": record})


def test_a_verdict_on_no_claim() -> None:
    record = {"verdict_biger": entry("holds"), "growth": entry(1)}
    with pytest.raises(UnknownNameError, match="one: 'biger'; did you mean 'bigger'"):
        verdicts(CLAIMS, {"one": record})


def test_a_verdict_without_its_number() -> None:
    record = {"verdict_bigger": entry("does not hold"), "gain": entry(1)}
    with pytest.raises(
        NotebookError, match="one records a verdict on the claim 'bigger' without its number, 'growth'"
    ):
        verdicts(CLAIMS, {"one": record})


def test_what_cannot_be_known_has_no_number() -> None:
    found = verdicts(CLAIMS, {"two": {"verdict_cheaper": entry("cannot be known")}})
    assert found["cheaper"].number is None


def test_a_verdict_from_another_chapter() -> None:
    record = {"verdict_cheaper": entry("holds"), "cost": entry(1)}
    with pytest.raises(
        NotebookError, match=r"one judges the claim 'cheaper', which claims\.csv leaves to two"
    ):
        verdicts(CLAIMS, {"one": record})


def book(folder: Path, **records: dict[str, object]) -> Path:
    """A book with one executed notebook for each record."""
    (folder / "notebooks").mkdir()
    for name, record in records.items():
        output = {"output_type": "display_data", "data": {MIME: record}, "metadata": {}}
        cells = [
            {"cell_type": "markdown", "source": ["# The question\n", "\n", "Words."]},
            {"cell_type": "code", "source": "record()", "outputs": [output]},
        ]
        path = folder / "notebooks" / f"{name}.ipynb"
        path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    return folder


def test_the_ledger_reads_executed_notebooks(tmp_path: Path) -> None:
    record = {
        "verdict_rope_everywhere": entry("holds"),
        "models_with_rope": entry(14, "models"),
        "firmness_rope_everywhere": entry("rests on no choice of ours"),
    }
    folder = book(tmp_path, the_cohort=record)
    assert read_chapters(folder) == {"the_cohort": ("The question", record)}
    table = ledger(folder)
    rows = {row.anchor: [cell.text for cell in row.cells] for row in table.rows}
    assert rows["claim-rope-everywhere"][2:5] == ["holds", "14 models", "rests on no choice of ours"]
    assert rows["claim-most-use-gqa"][2:6] == ["open", "", "", "Attention memory (coming)"]
    assert summary(folder) == f"Of {len(rows)} claims, 1 holds and {len(rows) - 1} are still open."


def test_the_ledger_names_the_notebook_at_fault(tmp_path: Path) -> None:
    folder = book(tmp_path, the_cohort={"verdict_rope_everywhere": entry("holds")})
    with pytest.raises(
        NotebookError, match="the_cohort records a verdict on the claim 'rope_everywhere' without"
    ):
        ledger(folder)


# --- the post's tables


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("128k", "128000"),
        ("32k (?)", "32000"),
        ("15T+", "15000000000000"),
        ("6.4M", "6400000"),
        ("1.60E+22", "1.6e+22"),
        ("~172,800", "172800"),
        ("30%", "30"),
        ("18-Jul-23", "2023-07-18"),
        ("2024-04-17 announcement, 2024-04-10 base weights", "2024-04-17"),
        ("8x22B", ""),
        ("?", ""),
        ("", ""),
    ],
)
def test_cells_of_the_post_are_sorted_by_what_they_mean(text: str, key: str) -> None:
    assert order(text) == key


CORRECTION = {
    "table": "architectures",
    "model": "llama-3-70b",
    "column": "training_tokens",
    "original": "80T",
    "corrected": "15T+",
    "kind": "wrong",
    "status": "stated",
}


def test_a_corrected_cell_shows_both_values_and_why() -> None:
    made = cell("80T", CORRECTION, "tokens")
    assert "<del>80T</del> <ins>15T+</ins>" in made.html
    assert f'href="#{anchor(CORRECTION)}">wrong</a>' in made.html
    assert anchor(CORRECTION) == "correction-architectures-llama-3-70b-training-tokens"
    assert made.order == "15000000000000"


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"original": "", "corrected": "22528"}, "<ins>22,528</ins>"),
        ({"corrected": "", "status": "undisclosed"}, "<del>80T</del> <ins>undisclosed</ins>"),
        ({"corrected": "80T", "kind": "confirmed"}, "80T"),
    ],
)
def test_other_corrections(changed: dict[str, str], shown: str) -> None:
    correction = CORRECTION | changed
    assert cell(correction["original"], correction, "tokens").html.startswith(f"{shown} <a")


def test_a_cell_without_a_correction_stays_as_it_is() -> None:
    assert cell("a<b", None, "text").html == "a&lt;b"


def test_heads_of_the_post() -> None:
    assert head("gpu_hours", "h") == "GPU hours (h)"
    assert head("mmlu", "percent") == "MMLU (percent)"
    assert head("release_date", "date") == "release date"


def test_long_numbers_are_grouped_and_printed_digits_kept() -> None:
    assert [grouped(text) for text in ("6400000", "93.0", "3350", "3.80e25", "")] == [
        "6,400,000",
        "93.0",
        "3,350",
        "3.80e25",
        "",
    ]
    years = {row.cells[2].text for row in accelerators(Path()).rows}
    assert "2023" in years and not any("," in year for year in years)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1399680", "1,399,680"),
        ("at most 504000", "at most 504,000"),
        ("1536 per expert, 12288 first layer", "1536 per expert, 12,288 first layer"),
        ("1.60E+22", "1.60E+22"),
        ("", "undisclosed"),
    ],
)
def test_a_correction_is_written_as_numbers_are(value: str, text: str) -> None:
    assert corrected({"corrected": value, "status": "undisclosed"}) == text


# --- tables as HTML


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([plain("1,234"), plain("")], "number"),
        ([plain("15 (inferred)", "15"), plain("undisclosed", "")], "number"),
        ([plain("2024-05-21")], "words"),
        ([plain("undisclosed", "")], "words"),
        ([plain("")], "words"),
        ([plain("8x22B")], "words"),
        ([plain(29 * "x")], "words"),
        ([plain(30 * "x")], "phrase"),
        ([plain(60 * "x")], "long"),
    ],
)
def test_kinds_of_columns(cells: list[Cell], expected: str) -> None:
    assert kind(cells) == expected


TABLE = Table(
    ("model", "size (tokens)", "source"),
    (
        Row((plain("a<b"), plain("7"), cited("key")), "first"),
        Row((plain("c"), plain("8 (inferred)", "8"), cited(""))),
    ),
)


def test_every_row_is_in_the_html() -> None:
    made = html(TABLE, "label", ["source"])
    assert '<tr id="first"><th scope="row">a&lt;b</th><td class="number" data-order="7">7</td>' in made
    assert '<td class="number" data-order="8">8 (inferred)</td><td></td></tr>' in made
    assert 'data-hidden="2"' in made
    assert 'aria-labelledby="label"' in made


def test_only_tables_with_controls_are_taken_up_by_the_script() -> None:
    assert 'class="dataframe wide"' in html(TABLE, "label")
    assert 'class="dataframe"' in html(TABLE, "label", controls=False)


@pytest.mark.parametrize("name", ["model", "sauce"])
def test_a_column_that_cannot_be_hidden(name: str) -> None:
    with pytest.raises(ValueError, match="is no column that can be hidden; known: size"):
        html(TABLE, "label", [name])


def test_rows_fit_their_heads() -> None:
    with pytest.raises(ValueError, match=r"rows of \[1\] cells stand under 2 heads"):
        Table(("a", "b"), (Row((plain("x"),)),))


def test_links_are_resolved_late() -> None:
    made = with_links(
        '<a href="bib:key"> <a href="doc:x/y"> <a href="#z">', {"bib": "b#{}".format, "doc": "../{}".format}
    )
    assert made == '<a href="b#key"> <a href="../x/y"> <a href="#z">'
