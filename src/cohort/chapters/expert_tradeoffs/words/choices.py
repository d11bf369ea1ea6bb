"""Sentences about the choice between a mixture and a dense model."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohort.display.phrases import amount
from cohort.display.words import counted, paragraphs, ranged, running, scaled, sentences, significant

EXACT = 100  # answers from which on two digits are said
SPELLED = {"dense": "a dense model", "mixture": "a mixture"}


def choice(crossings: Sequence[tuple[int, str]]) -> str:
    """Return which kind of model is worth more, and from how many answers on.

    Parameters
    ----------
    crossings : sequence of (int, str)
        As `decision.crossovers` returns them.

    Returns
    -------
    str
        Without a full stop.
    """
    parts = [f"{SPELLED[crossings[0][1]]} is worth more for one answer"]
    parts += [f"{SPELLED[better]} from {_about(number)} on" for number, better in crossings[1:]]
    if len(parts) == 1:
        return f"{SPELLED[crossings[0][1]]} is worth more at every number of answers"
    return ", ".join(parts)


def _about(number: int) -> str:
    """Return a number of answers, to two digits where it has more."""
    return counted(number, "answer") if number < EXACT else f"about {significant(number, 2)} answers"


def decided(
    accelerator: str, devices: int, speed: float, frame: pd.DataFrame, crossings: Sequence[tuple[int, str]]
) -> str:
    """Return the decision for a memory and a demand, and why it falls so.

    Parameters
    ----------
    accelerator : str
        The device.
    devices : int
        How many.
    speed : float
        Tokens a second of each answer.
    frame, crossings
        As `decision.best` and `decision.crossovers` return them.

    Returns
    -------
    str
        Markdown.
    """
    said = choice(crossings)
    return paragraphs(
        f"On {devices:,} {accelerator}, at {amount(speed, 'token')} a second for each answer, {said}.",
        _why([better for _, better in crossings]),
        f"From the fewest answers to the most, the best dense model {_goes(frame['dense'])} parameters, and "
        f"the worth of the best mixture {_goes(frame['mixture'])}. Both are what the devices "
        "could serve, not what somebody has trained; the cache has its own share of the memory.",
    )


def _goes(values: pd.Series) -> str:
    first, last = (scaled(float(values.iloc[at]), 2) for at in (0, -1))
    return f"stays at {first}" if first == last else f"goes from {first} to {last}"


_REASONS = {
    ("mixture", True): "For few answers bandwidth is scarce: a dense model has to be small enough to be read "
    "for every token, and idle memory can hold experts.",
    ("dense", True): "For few answers memory is scarce: what fits is read fast enough, and a dense model "
    "makes the most of each weight.",
    ("dense", False): "In between some answer reads every expert: a mixture reads as much as a dense model "
    "of its size, which makes more of it.",
    ("mixture", False): "For many answers arithmetic is scarce: a dense model has to shrink, and a mixture "
    "only has to work with fewer of its weights.",
}


def _why(kinds: Sequence[str]) -> str:
    return running(*(_REASONS[kind, place == 0] for place, kind in enumerate(kinds)))


def modern_mixtures(modern: pd.DataFrame, pairs: pd.DataFrame, name: str) -> str:
    """Return how sparse and fine modern mixtures are, what that is worth, and how far the pairs reach.

    Parameters
    ----------
    modern, pairs : DataFrame
        As `decision.modern` and `worth.measured_pairs` return them.
    name : str
        Title of the mixture that is looked at closely.

    Returns
    -------
    str
        Markdown.
    """
    own = ""
    if name in modern.index:
        row = modern.to_dict("index")[name]
        own = (
            f"{name} holds {row['sparsity']:.1f} times its active parameters in experts of granularity "
            f"{row['granularity']:.2g}, and is worth {row['times']:.1f} times them, a dense model of "
            f"{scaled(row['worth'])}."
        )
    share = int((modern["shared"] > 0).sum())
    beyond = int((modern["worth"] > pairs["dense"].max()).sum())
    return sentences(
        f"{len(modern)} mixtures released since 2024 hold {ranged(*_span(modern['sparsity']))} times their "
        f"active parameters, and the rule says that they are worth {ranged(*_span(modern['times']))} times "
        f"them; {share} have shared experts.",
        own or "The model that is looked at closely is not among them.",
        f"The rule knows no size, and the largest dense model of a pair has {scaled(pairs['dense'].max())} "
        f"parameters: for {beyond} of the {len(modern)} it is drawn out beyond what was measured.",
    )


def _span(values: pd.Series) -> tuple[float, float]:
    return float(values.min()), float(values.max())
