"""The ledger of claims: each claim of the post with the verdict and the number that a chapter recorded."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from wide_html import CELLS, Cell, Row, Table, plain
from wide_tables import SENTENCES, TABLES

from cohort.chapters.judging import VERDICTS, anchor, measured
from cohort.errors import CohortError, NotebookError, shown, unknown
from cohort.registry import facts
from cohort.runner.project import Project
from cohort.runner.records import read_record

PREFIX = "verdict_"
FIRMNESS = "firmness_"
OPEN = "open"
# Only this verdict stands without a number.
WITHOUT_NUMBER = "cannot be known"

EDITIONS = {"published": "published", "draft": "draft alone", "both": "both editions"}
_OPEN = {0: "none is open", 1: "1 is still open"}

Claim = Mapping[str, str]
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """A recorded verdict, with the entry that holds its number, if there is one, and how firm it is."""

    text: str
    number: Mapping[str, Any] | None
    firmness: str = ""


def verdicts(claims: Sequence[Claim], records: Mapping[str, Record]) -> dict[str, Verdict]:
    """Return the verdicts that the chapters recorded.

    Parameters
    ----------
    claims : sequence of mappings
        Rows of the table `claims`.
    records : mapping of str to mapping
        What each chapter recorded, by the chapter's name.

    Returns
    -------
    dict of str to Verdict
        By claim; a claim that no chapter judges is not in it.

    Raises
    ------
    UnknownNameError
        If a chapter judges what is no claim.
    NotebookError
        If a verdict is none of `cohort.chapters.judging.VERDICTS`, lacks its number, or is recorded by
        another chapter than the one that the table names.
    """
    known = {claim["claim"]: claim for claim in claims}
    found = {}
    for chapter, record in records.items():
        for name, entry in record.items():
            if name.startswith(PREFIX):
                claim = name.removeprefix(PREFIX)
                if claim not in known:
                    raise unknown(f"claim of the verdict in {chapter}:", claim, known)
                found[claim] = _verdict(known[claim], chapter, entry["value"], record)
    return found


def _verdict(claim: Claim, chapter: str, text: object, record: Record) -> Verdict:
    name = claim["claim"]
    if chapter != claim["chapter"]:
        raise NotebookError(
            f"{chapter} judges the claim {name!r}, which claims.csv leaves to {claim['chapter']}."
        )
    if text not in VERDICTS:
        raise NotebookError(
            f"{chapter} records {PREFIX}{name} as {shown(text)}; a verdict is one of {', '.join(VERDICTS)}."
        )
    number = record.get(claim["record"])
    if number is None and text != WITHOUT_NUMBER:
        raise NotebookError(
            f"{chapter} records a verdict on the claim {name!r} without its number, {claim['record']!r}."
        )
    firmness = record.get(f"{FIRMNESS}{name}", {"value": ""})
    return Verdict(str(text), number, str(firmness["value"]))


def read_chapters(folder: Path) -> dict[str, tuple[str, Record]]:
    """Return title and record of each notebook of the book, by name."""
    chapters: dict[str, tuple[str, Record]] = {}
    for path in Project(folder).paths():
        notebook = json.loads(path.read_text(encoding="utf-8"))
        try:
            chapters[path.stem] = (_title(notebook), read_record(notebook))
        except CohortError as error:
            raise NotebookError(f"{path.stem}: {error}") from None
    return chapters


def _title(notebook: Mapping[str, Any]) -> str:
    """Return the notebook's first heading."""
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    return next(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))


def ledger(folder: Path) -> Table:
    """Return every claim with its verdict, or as open."""
    chapters, claims = read_chapters(folder), facts.rows("claims")
    judged = verdicts(claims, {name: record for name, (_, record) in chapters.items()})
    rows = []
    for claim in claims:
        verdict = judged.get(claim["claim"], Verdict(OPEN, None))
        cells = (
            plain(claim["statement"]),
            plain(f"{claim['section']}, {EDITIONS[claim['edition']]}"),
            plain(verdict.text),
            plain(_number(verdict.number)),
            plain(verdict.firmness),
            _chapter(claim, {name: title for name, (title, _) in chapters.items()}),
        )
        rows.append(Row(cells, f"claim-{claim['claim'].replace('_', '-')}"))
    return Table(
        ("claim", "part and edition", "verdict", "number", "under another case", "chapter"),
        tuple(rows),
    )


def _number(entry: Mapping[str, Any] | None) -> str:
    """Return the recorded number of a verdict with its unit; nothing where there is none."""
    return "" if entry is None else measured(entry["value"], entry["unit"])


def _chapter(claim: Claim, titles: Mapping[str, str]) -> Cell:
    """Return the chapter of a claim, linked to its verdict where the chapter is written."""
    name = claim["chapter"]
    if name in titles:
        link = f"doc:notebooks/{name}#{anchor(claim['claim'])}"
        return Cell(CELLS.link(link, titles[name]), titles[name])
    return plain(f"{name.replace('_', ' ').capitalize()} (coming)")


def summary(folder: Path) -> str:
    """Say how many claims there are and how they stand."""
    claims = facts.rows("claims")
    judged = verdicts(claims, {name: record for name, (_, record) in read_chapters(folder).items()})
    counts = Counter(verdict.text for verdict in judged.values())
    said = [_count(counts[text], text) for text in VERDICTS if counts[text]]
    left = len(claims) - len(judged)
    said.append(_OPEN.get(left, f"{left} are still open"))
    return f"Of {len(claims)} claims, {_joined(said)}."


def _count(count: int, verdict: str) -> str:
    """Return a verdict with its count as a part of a sentence, its verb in the right number."""
    plural = {"holds": "hold", "holds with limits": "hold with limits", "does not hold": "do not hold"}
    return f"{count} {verdict if count == 1 else plural.get(verdict, verdict)}"


def _joined(parts: Sequence[str]) -> str:
    *before, last = parts
    return f"{', '.join(before)} and {last}" if before else last


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the ledger and its sentence."""
    TABLES["claims"] = ledger
    SENTENCES["claims"] = summary
    return {"parallel_read_safe": True, "parallel_write_safe": True}
