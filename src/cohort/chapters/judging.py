"""The post's claims and the verdicts on them: each judged by a number, and by a rule that is written down.

A chapter records its verdicts; the ledger reads the records. A claim that no chapter judges stays open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from math import inf
from typing import Any

from cohort.display.verdict_list import Verdict, VerdictList
from cohort.display.words import scaled
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


Judging = Callable[..., "Judgement"]


VERDICTS = ("holds", "holds with limits", "does not hold", "cannot be known")


# How a number is written with units that would read oddly after it.
_WORDINGS = {"percent": "{}%", "%": "{}%", "exponent": "an exponent of {}", "ratio": "a ratio of {}"}


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
    case : str
        What of our choosing the verdict hangs on, such as a bar or a load; empty where there is no choice.
    half, more : str
        The verdicts under half of that case, and under one and a half times it.
    settled_by : str
        What would tell, where the verdict is that it cannot be known.
    """

    claim: str
    verdict: str
    value: float
    unit: str
    rule: str
    case: str = ""
    half: str = ""
    more: str = ""
    settled_by: str = ""

    @property
    def found(self) -> str:
        """The number with its unit."""
        return measured(self.value, self.unit)

    @property
    def firmness(self) -> str:
        """How far the verdict stands if its case is another, or what would tell if it cannot be known."""
        if self.settled_by:
            return f"would be settled by {self.settled_by}"
        if not self.case:
            return "rests on no choice of ours"
        if self.half == self.more == self.verdict:
            return f"stays under half and one and a half times {self.case}"
        return f"under half {self.case}: {self.half}; under one and a half times: {self.more}"

    def __post_init__(self) -> None:
        for verdict in (self.verdict, *((self.half, self.more) if self.case else ())):
            if verdict not in VERDICTS:
                raise CohortError(f"{shown(verdict)} is no verdict; known: {', '.join(VERDICTS)}")
        if (self.verdict == "cannot be known") != bool(self.settled_by):
            raise CohortError(
                f"{self.claim}: what cannot be known, and that alone, names what would settle it"
            )


def measured(value: float, unit: str) -> str:
    """Return the number of a verdict with its unit, as readers say it.

    Parameters
    ----------
    value : float
        A finite number; one of type int is written whole, another with three digits.
    unit : str
        Its unit.

    Returns
    -------
    str

    Examples
    --------
    >>> measured(14, "models"), measured(53.34, "percent"), measured(2.0, "exponent")
    ('14 models', '53.3%', 'an exponent of 2')
    """
    whole = isinstance(value, int) and not isinstance(value, bool)
    number = f"{value:,}" if whole and value < 1e6 else scaled(float(value))
    return _WORDINGS.get(unit, f"{{}} {unit}").format(number)


HALF, MORE = 0.5, 1.5  # of the case that a verdict hangs on


def under_cases(judged: Callable[[float], Judgement], case: str) -> Judgement:
    """Return a judgement with the verdicts that it would have under half and one and a half times its case.

    Parameters
    ----------
    judged : callable
        Takes how many times the case is taken, and returns the judgement.
    case : str
        What is taken so many times, such as ``"the 32 sequences"``.

    Returns
    -------
    Judgement
        That of the case itself.
    """
    return replace(judged(1.0), case=case, half=judged(HALF).verdict, more=judged(MORE).verdict)


def all_judged(parts: tuple[Judging | tuple[Judging, str], ...]) -> list[Judgement]:
    """Return what the parts of a chapter judge, in their order.

    Parameters
    ----------
    parts : tuple
        Each judges one claim by itself, or is a pair of what judges it for a case and of the case's name.

    Returns
    -------
    list of Judgement
        One a part.
    """
    return [under_cases(*part) if isinstance(part, tuple) else part() for part in parts]


def graded(share: float, holds: float, limits: float, times: float = 1.0, most: float = inf) -> str:
    """Return the verdict on a claim that says how much or how many.

    Parameters
    ----------
    share : float
        What was found.
    holds, limits : float
        From this on the claim holds, and from this on it holds with limits.
    times : float
        How many times the two bars are taken.
    most : float
        The most that a bar can be, such as 1 for a share.

    Returns
    -------
    str
        One of `VERDICTS`.
    """
    if share >= min(times * holds, most):
        return "holds"
    return "holds with limits" if share >= min(times * limits, most) else "does not hold"


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
        recorded[f"firmness_{each.claim}"] = each.firmness
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


def anchor(claim: str) -> str:
    """Return the address of a verdict in the page of its chapter.

    Parameters
    ----------
    claim : str
        A key of the table `claims`.

    Returns
    -------
    str

    Examples
    --------
    >>> anchor("rope_everywhere")
    'verdict-rope-everywhere'
    """
    return f"verdict-{claim.replace('_', '-')}"


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
        [
            Verdict(
                statements[each.claim], each.verdict, each.found, each.rule, each.firmness, anchor(each.claim)
            )
            for each in judgements
        ]
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
