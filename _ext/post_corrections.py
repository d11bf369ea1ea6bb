"""The post's tables, corrected: every cell of the post with its correction beside it."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from reader_tables import titles
from sphinx.application import Sphinx
from wide_html import CELLS, Cell, Row, Table, cited, plain
from wide_tables import SENTENCES, TABLES

from cohort.chapters.the_cohort import tables
from cohort.chapters.the_cohort.post_scores import BENCHMARKS, scores_of_the_post
from cohort.errors import CohortError
from cohort.registry import facts

POST_TABLES = ("architectures", "benchmarks", "environment")
# In these columns an empty cell means the same as the model before it: the post merges the cells.
MERGED = ("developer", "release_date")
PROPER = ("MMLU", "GSM8K", "HumanEval", "GPU", "GPUs", "FLOPs")
HEADS = {name.lower(): name for name in PROPER}
UNITLESS = ("text", "date")
SCALES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
LONG_NUMBER = re.compile(r"(?<![\w.,-])\d{5,}(?![\w.,])")
MAGNITUDE = re.compile(r"~?(\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?)([kKMBT]?)(?![\w-])")

Correction = Mapping[str, str]


def head(column: str, unit: str = "text") -> str:
    """Return the head of a column of the post, with its unit."""
    words = " ".join(HEADS.get(word, word) for word in column.split("_"))
    return words if unit in UNITLESS else f"{words} ({unit})"


def anchor(correction: Correction) -> str:
    """Return the anchor of a correction's row in the list."""
    name = f"{correction['table']} {correction['model']} {correction['column']}"
    return "correction-" + re.sub(r"[^a-z0-9]+", "-", name)


def order(text: str) -> str:
    """Return what a cell of the post is sorted by: a number for its first one, a date for a date.

    Parameters
    ----------
    text : str
        Such as ``"128k"``, ``"1.60E+22"``, ``"18-Jul-23"`` or ``"?"``.

    Returns
    -------
    str
        Such as ``"128000"`` or ``"2023-07-18"``; empty where there is neither.
    """
    if re.match(r"\d{4}-\d\d-\d\d", text):
        return text[:10]
    if re.fullmatch(r"\d\d?-[A-Z][a-z]{2}-\d\d", text):
        return datetime.strptime(text, "%d-%b-%y").date().isoformat()
    match = MAGNITUDE.match(text)
    return f"{float(match[1].replace(',', '')) * SCALES.get(match[2], 1):.15g}" if match else ""


def corrected(correction: Correction) -> str:
    """Return what a cell should say, long numbers with separators: where no source gives it, that status."""
    text = correction["corrected"] or correction["status"]
    return LONG_NUMBER.sub(lambda found: f"{int(found[0]):,}", text)


def cell(original: str, correction: Correction | None, unit: str) -> Cell:
    """Return a cell of the post: as it stands, or struck through with its correction beside it."""
    if correction is None:
        return plain(original, None if unit == "text" else order(original))
    new = corrected(correction)
    shown = CELLS.corrected(original, new, f"#{anchor(correction)}", correction["kind"])
    return Cell(shown, f"{original} {new}", None if unit == "text" else order(new))


def corrected_table(folder: Path, name: str) -> Table:
    """Return one table of the post, models as rows, with the corrections in their cells."""
    corrections = {
        (row["model"], row["column"]): row for row in facts.rows("corrections") if row["table"] == name
    }
    cells: dict[str, dict[str, Cell]] = defaultdict(dict)
    units: dict[str, str] = {}
    last: dict[str, str] = {}
    for row in facts.rows("post_tables"):
        if row["table"] != name:
            continue
        model, column = row["model"], row["column"]
        merged = column in MERGED and not row["original"]
        original = last[column] if merged else row["original"]
        last[column] = original
        units.setdefault(column, row["unit"])
        cells[model][column] = cell(original, corrections.pop((model, column), None), units[column])
    for row in corrections.values():
        raise CohortError(
            f"corrections.csv corrects a cell that the post lacks: {name}, {row['model']}, {row['column']}"
        )
    shown = titles()
    rows = [
        Row((plain(shown.get(model, values["name"].text)), *(values[column] for column in units)))
        for model, values in cells.items()
    ]
    return Table(("model", *(head(column, unit) for column, unit in units.items())), tuple(rows))


def correction_list(folder: Path) -> Table:
    """Return the corrections, one a row: the cell, what stood there, what should, and why."""
    shown = titles()
    rows = [
        Row(
            (
                plain(shown.get(row["model"], row["model"])),
                plain(f"{head(row['column'])} ({row['table']})"),
                plain(row["original"] or "(empty)"),
                plain(corrected(row)),
                _reason(row),
                cited(row["source"]),
            ),
            anchor(row),
        )
        for row in facts.rows("corrections")
    ]
    return Table(("model", "cell", "the post", "should be", "why", "source"), tuple(rows))


def _reason(row: Correction) -> Cell:
    """Return the kind of a correction, how the right value is known, and what else is to be said."""
    note = f": {row['note']}" if row["note"] else ""
    return plain(", ".join(dict.fromkeys([row["kind"], row["status"]])) + note)


def correction_kinds(folder: Path) -> Table:
    """Return how many cells were corrected, by kind and table."""
    counts = tables.corrections()
    rows = [Row((plain(kind), *(plain(int(count)) for count in row))) for kind, row in counts.iterrows()]
    return Table(("kind", *(f"{name} (cells)" for name in counts.columns)), tuple(rows))


def score_stages(folder: Path) -> Table:
    """Return what each score of the post is of: the base model, or one trained further, and how."""
    shown = titles()
    names = {row["model"]: row["original"] for row in facts.rows("post_tables") if row["column"] == "name"}
    stages: dict[str, dict[str, str]] = defaultdict(dict)
    for score in scores_of_the_post():
        stages[score.model][score.benchmark] = f"{score.text}: {score.stage}"
    rows = [
        Row(
            (
                plain(shown.get(model, names[model])),
                *(plain(found.get(name, "")) for name in BENCHMARKS.values()),
            )
        )
        for model, found in stages.items()
    ]
    return Table(("model", *(f"{name} (percent)" for name in BENCHMARKS.values())), tuple(rows))


def summary(folder: Path) -> str:
    """Say how many cells of the post carry a remark, and of which kinds."""
    filled = [row for row in facts.rows("post_tables") if row["column"] != "name"]
    kinds = Counter(row["kind"] for row in facts.rows("corrections"))
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return (
        f"Of the {len(filled):,} cells of the three tables, names left out, "
        f"{kinds.total()} carry a remark: {listed}."
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the tables and the sentence."""
    TABLES.update({f"corrected-{name}": partial(corrected_table, name=name) for name in POST_TABLES})
    TABLES.update({"corrections": correction_list, "correction-kinds": correction_kinds})
    TABLES["score-stages"] = score_stages
    SENTENCES["corrections"] = summary
    return {"parallel_read_safe": True, "parallel_write_safe": True}
