"""Sentences about the memory of training: what was measured and published, and what was predicted before."""

from __future__ import annotations

import pandas as pd

from cohort.display.words import counted, inflected, running, significant
from cohort.errors.names import listed

FAR = 20  # percent, from which on a figure is said to be missed
LEAST = 0.01  # percent, below which an error is not told apart from none


def trained(steps: pd.DataFrame, published: pd.DataFrame) -> str:
    """Return how far the memory of training steps is from what was measured here and published elsewhere.

    Parameters
    ----------
    steps, published : DataFrame
        As `logs.training_steps` and `logs.published_peaks` return them.

    Returns
    -------
    str
        Markdown.
    """
    small = published["published"] < published["states"]
    return running(
        f"Measured here, {_over(steps)}.",
        f"Published elsewhere, {_over(published)}.",
        _missed(published),
        f"Without what is less than its states, {_over(published[~small])}." if small.any() else "",
    )


def blind(table: pd.DataFrame) -> str:
    """Return how training steps came out that were predicted before they were measured.

    Parameters
    ----------
    table : DataFrame
        As `cohort.chapters.attention_memory.steps.blind_steps` returns it.

    Returns
    -------
    str
        Markdown, one list item a stage.
    """
    tests, others = table[table["part"] == "tests"], table[table["part"] == "calibrates"]
    later = table[table["part"] == "later"]
    at_first, today = _far(table, "first"), _far(table, "now")
    return "\n".join(
        [
            f"- *At first*: the {counted(len(tests), 'step')} to test with {_errors(tests, 'first')}.",
            f"- *Mended*, with the other {counted(len(others), 'step')} in sight, which then "
            f"{_errors(others, 'mended')}. Looked at once, those to test with {_errors(tests, 'mended')}.",
            f"- *Once more*: the {counted(len(later), 'step')} of other families were predicted after that, "
            f"and measured thereafter. They {_errors(later, 'mended')}.",
            f"- *Since then*, with all in sight, what made the furthest of them differ was counted too. By "
            f"today's count the {counted(len(table), 'step')} {_errors(table, 'now')}, which is no blind "
            f"error any more. Beyond {FAR}% {inflected(at_first, 'was', 'were')} "
            f"{counted(at_first, 'step')} at first, and {inflected(today, 'is', 'are')} "
            f"{today or 'none'} today.",
        ]
    )


def _missed(published: pd.DataFrame) -> str:
    """Return which published peaks are missed by more than a fifth."""
    far = published[published["error"].abs() > FAR]
    if far.empty:
        return f"None is off by more than {FAR}%."
    small = int((far["published"] < far["states"]).sum())
    names = listed([f"{row['model']} in {row['framework']}" for _, row in far.iterrows()], "and")
    said = f"Off by more than {FAR}% {inflected(len(far), 'is', 'are')} {counted(len(far), 'row')}: {names}."
    if not small:
        return said
    which = "All of these" if small == len(far) else f"Of these {small}"
    return running(
        said,
        f"{which} {inflected(small, 'is', 'are')} less than what the weights, gradients and states of the "
        "step take.",
    )


def _far(table: pd.DataFrame, column: str) -> int:
    return int((table[column].abs() > FAR).sum())


def _errors(rows: pd.DataFrame, column: str) -> str:
    """Return the median and the largest error, with the model of the latter."""
    errors = rows[column].abs()
    furthest = rows["model"].iloc[int(errors.to_numpy().argmax())]
    middle, most = _size(float(errors.median())), _size(float(errors.max()))
    return f"were off by {middle} at the median, and by {most} at worst ({furthest})"


def _over(rows: pd.DataFrame) -> str:
    errors = rows["error"].abs()
    middle, most = _size(float(errors.median())), _size(float(errors.max()))
    return f"over {counted(len(rows), 'row')} the median error is {middle} and the largest {most}"


def _size(error: float) -> str:
    return f"{significant(error, 2)}%" if error >= LEAST else f"less than {LEAST}%"
