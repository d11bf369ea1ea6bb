"""Claims with their verdicts as a list: a sign, the claim, the verdict, its number and what that counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Where what a number counts ends, in a rule: at a semicolon, or where another sentence begins.
_ITS_END = re.compile(r"; |\. (?=[A-Z])")

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
        What the number counts and, after the first semicolon or sentence, which verdict follows from it.
    firmness : str
        How far the verdict stands under another case, or what would settle it.
    anchor : str
        Where a link to it leads; empty for none.
    """

    statement: str
    verdict: str
    number: str
    rule: str
    firmness: str = ""
    anchor: str = ""

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
    def measure(self) -> str:
        """What the number counts, as a sentence."""
        return _sentence(_ITS_END.split(self.rule, maxsplit=1)[0])

    @property
    def why(self) -> tuple[str, ...]:
        """Which verdict follows from the number, and how firm it is; each a sentence, none of them empty."""
        texts = *_ITS_END.split(self.rule, maxsplit=1)[1:], self.firmness
        return tuple(_sentence(text) for text in texts if text)


def _sentence(text: str) -> str:
    """Return a text with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


class VerdictList:
    """Verdicts for readers.

    Jupyter, GitHub and the book show them as HTML, a terminal as text.
    """

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts = tuple(verdicts)

    def __repr__(self) -> str:
        return "\n".join(
            " ".join((one.mark, one.statement, f"{one.found}.", one.measure, *one.why))
            for one in self.verdicts
        )

    def _repr_html_(self) -> str:
        from cohort.display import markup  # a terminal needs no templates

        template = markup.template_environment().get_template("verdicts.html")
        return template.render(verdicts=self.verdicts)
