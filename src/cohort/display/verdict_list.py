"""Claims with their verdicts as a list: a sign, the claim, the verdict and its number, the rule folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MARKS = {"holds": "✓", "holds with limits": "◐", "does not hold": "✗", "cannot be known": "?"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A claim with its verdict, as it is shown.

    Attributes
    ----------
    statement : str
        The claim.
    verdict : str
        A key of `MARKS`.
    number : str
        The number that it rests on, with its unit.
    rule : str
        What the number counts, and which verdict follows from it.
    firmness : str
        How far the verdict stands under another case, or what would settle it.
    """

    statement: str
    verdict: str
    number: str
    rule: str
    firmness: str = ""

    @property
    def mark(self) -> str:
        """A sign of the verdict."""
        return MARKS[self.verdict]

    @property
    def kind(self) -> str:
        """A name of the verdict for style sheets."""
        return self.verdict.replace(" ", "-")

    @property
    def found(self) -> str:
        """The verdict and its number in one line."""
        return f"{self.verdict}: {self.number}"

    @property
    def why(self) -> tuple[str, ...]:
        """The rule, and how firm the verdict is."""
        return (self.rule, self.firmness) if self.firmness else (self.rule,)


class VerdictList:
    """Verdicts for readers.

    Jupyter, GitHub and the book show them as HTML, a terminal as text.
    """

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts = tuple(verdicts)

    def __repr__(self) -> str:
        lines = [f"{one.mark} {one.statement} {one.found}; {'; '.join(one.why)}" for one in self.verdicts]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from cohort.display import markup  # a terminal needs no templates

        template = markup.template_environment().get_template("verdicts.html")
        return template.render(verdicts=self.verdicts)
