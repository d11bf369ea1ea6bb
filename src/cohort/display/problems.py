"""Problems to work out: a question, and behind a line the steps that answer it, computed by the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A question that a reader can answer with pencil and paper.

    Attributes
    ----------
    question : str
        What is asked, with every number that it takes, in plain text.
    steps : tuple of str
        How it is worked out, a step a line, in plain text.
    answer : str
        The result, with its unit.
    """

    question: str
    steps: tuple[str, ...]
    answer: str


class ProblemList:
    """Problems for readers, their solutions folded.

    Jupyter, GitHub and the book show them as HTML, a terminal as text.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)

    def __repr__(self) -> str:
        parts = []
        for number, one in enumerate(self.problems, start=1):
            parts += [f"{number}. {one.question}", *(f"   {step}" for step in one.steps), f"   {one.answer}"]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        from cohort.display import markup  # a terminal needs no templates

        return markup.template_environment().get_template("problems.html").render(problems=self.problems)
