"""Whose scores the post prints: each cell of its table of benchmarks with the variant that was scored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cohort.registry import facts

BENCHMARKS = {"mmlu": "MMLU", "gsm8k": "GSM8K", "humaneval": "HumanEval"}


# What the post prints in a column although it is of another benchmark, or of a model that it does not list.
_ALSO = {"HumanEval": ("HumanEval", "HumanEval+/MBPP+ mean")}


_INSTRUCTED = {"mixtral-8x22b-v0.1": "mixtral-8x22b-instruct-v0.1"}


@dataclass(frozen=True, slots=True)
class PostScore:
    """A score that the post prints, with what was scored.

    Attributes
    ----------
    model : str
        Name of the model in the post's tables.
    benchmark : str
        Name of the benchmark.
    text : str
        The score as the post prints it, in percent.
    variant : str
        ``base`` or ``instruct``; empty where no source prints the number.
    method : str
        How the instructed variant was aligned; empty for a base model, where no source says, and for the
        closed models.
    """

    model: str
    benchmark: str
    text: str
    variant: str
    method: str

    @property
    def stage(self) -> str:
        """What was scored: a base model, an aligned one, or an instructed one of which no more is told."""
        if not self.variant:
            return "not known"
        if self.variant == "base":
            return "base"
        return f"aligned by {self.method}" if self.method else "instructed"


def scores_of_the_post() -> list[PostScore]:
    """Return the scores that the post prints, in its order.

    Returns
    -------
    list of PostScore
        One a cell that holds a number.
    """
    cells = [
        row
        for row in facts.rows("post_tables")
        if row["table"] == "benchmarks" and row["column"] in BENCHMARKS and row["original"]
    ]
    return [_origin(row["model"], row["column"], row["original"]) for row in cells]


def _origin(model: str, column: str, text: str) -> PostScore:
    benchmark = BENCHMARKS[column]
    variant = next(_variants(model, benchmark, float(text)), "") or _as_corrected(model, column)
    method = _method(model) if variant == "instruct" else ""
    return PostScore(model, benchmark, text, variant, method)


def _variants(model: str, benchmark: str, value: float) -> Iterator[str]:
    """Yield the variants that a source prints the score of."""
    names = (model, _INSTRUCTED.get(model, model))
    for row in facts.rows("benchmarks"):
        same = row["model"] in names and row["benchmark"] in _ALSO.get(benchmark, (benchmark,))
        if same and float(row["value"]) == value:
            yield row["variant"]


def _as_corrected(model: str, column: str) -> str:
    """Return the variant that a correction names alone, where the number itself is misprinted or rounded."""
    for row in facts.rows("corrections"):
        if (row["table"], row["model"], row["column"]) == ("benchmarks", model, column):
            named = re.fullmatch(r"[\d.]+ (base|instruct)", row["corrected"])
            return named[1] if named else ""
    return ""


def _method(model: str) -> str:
    """Return how the variant for use was aligned, where a source says so without contradiction."""
    for row in facts.rows("model_facts"):
        if (row["model"], row["field"]) == (model, "alignment") and row["status"] != "contested":
            return row["value"]
    return ""
