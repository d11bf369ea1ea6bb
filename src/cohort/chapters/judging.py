"""The post's claims and the verdicts on them: each judged by a number, and by a rule that is written down.

A chapter records its verdicts; the ledger reads the records. A claim that no chapter judges stays open.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from cohort.display.verdict_list import Verdict, VerdictList
from cohort.display.words import significant
from cohort.errors import CohortError, shown, unknown
from cohort.registry import facts

# The chapters that judge claims, each in a module of its name.
CHAPTERS = (
    "the_cohort",
    "chinchilla_fit",
    "data_optimal",
    "attention_memory",
    "serving_roofline",
    "expert_tradeoffs",
    "training_footprint",
    "serving_footprint",
)


VERDICTS = ("holds", "holds with limits", "does not hold", "cannot be known")


_SIGNS = {"percent": "%", "%": "%"}  # units that are written at their number


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on one claim, with the number and the rule that it rests on.

    Attributes
    ----------
    claim : str
        A key of the table `claims`.
    verdict : str
        One of `VERDICTS`.
    value : float
        The number.
    unit : str
        Its unit.
    rule : str
        What the number counts, and from where on it gives which verdict.
    """

    claim: str
    verdict: str
    value: float
    unit: str
    rule: str

    @property
    def found(self) -> str:
        """The number with its unit."""
        whole = isinstance(self.value, int) and not isinstance(self.value, bool)
        number = f"{self.value:,}" if whole else significant(float(self.value))
        return f"{number}{_SIGNS.get(self.unit, f' {self.unit}')}"

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise CohortError(f"{shown(self.verdict)} is no verdict; known: {', '.join(VERDICTS)}")


def graded(share: float, holds: float, limits: float) -> str:
    """Return the verdict on a claim that says how much or how many.

    Parameters
    ----------
    share : float
        What was found.
    holds, limits : float
        From this on the claim holds, and from this on it holds with limits.

    Returns
    -------
    str
        One of `VERDICTS`.
    """
    if share >= holds:
        return "holds"
    return "holds with limits" if share >= limits else "does not hold"


def verdict_entries(judgements: list[Judgement]) -> dict[str, object]:
    """Return the keywords that record verdicts: each number under the name that the ledger expects.

    Parameters
    ----------
    judgements : list of Judgement
        As `judge` returns them.

    Returns
    -------
    dict
        Names and values, as `cohort.runner.record` takes them.
    """
    names = {row["claim"]: row["record"] for row in facts.rows("claims")}
    recorded: dict[str, object] = {}
    for each in judgements:
        recorded[f"verdict_{each.claim}"] = each.verdict
        recorded[names[each.claim]] = (each.value, each.unit)
    return recorded


def quoted(subject: str, quantity: str) -> float:
    """Return a figure that the post's sources quote.

    Parameters
    ----------
    subject : str
        Whom or what the figure is of, as the table `quoted_figures` has it.
    quantity : str
        What it counts, or the beginning of that.

    Returns
    -------
    float
        The figure, in the unit of its row.

    Raises
    ------
    CohortError
        If the table has no such figure, or several.
    """
    found = [
        float(row["value"])
        for row in facts.rows("quoted_figures")
        if row["subject"] == subject and row["quantity"].startswith(quantity)
    ]
    if len(found) != 1:
        raise CohortError(f"{len(found)} quoted figures of {subject} begin with {shown(quantity)}; one must")
    return found[0]


def verdict_list(judgements: list[Judgement]) -> VerdictList:
    """Return verdicts for readers: each statement with its verdict and the number, the rule folded.

    Parameters
    ----------
    judgements : list of Judgement
        As `judge` returns them.

    Returns
    -------
    VerdictList
        Shown by Jupyter as HTML.
    """
    statements = {row["claim"]: row["statement"] for row in facts.rows("claims")}
    return VerdictList(
        [Verdict(statements[each.claim], each.verdict, each.found, each.rule) for each in judgements]
    )


def judge(chapter: str, **given: Any) -> list[Judgement]:
    """Return the verdicts of a chapter, from the module of this package that has its name.

    Parameters
    ----------
    chapter : str
        The name of a notebook that judges claims.
    **given
        What the judging rests on besides the data, as the module's function ``judge`` takes it.

    Returns
    -------
    list of Judgement
        One a claim.

    Raises
    ------
    UnknownNameError
        If no module judges for such a chapter.
    """
    if chapter not in CHAPTERS:
        raise unknown("chapter", chapter, CHAPTERS)
    judged: list[Judgement] = import_module(f"cohort.chapters.{chapter}.verdicts").judge(**given)
    return judged


MOST = 0.51  # more than half, of any number up to fifty
