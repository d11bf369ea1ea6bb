"""The diagram of the chapter `serving_roofline`: how a batch reads prompts and writes answers."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cohort.display.diagrams import arrow, canvas, words
from cohort.display.theme import COLOURS, INK, PALE
from cohort.display.words import significant

READS, WRITES = COLOURS[1], COLOURS[0]
START, PROMPT, STEP, NEXT = 20.0, 11.0, 5.2, 7.0  # where answers begin; widths of prompts and of a step
TOKENS = (4, 9, 5, 9)  # that each place of the batch writes; the first one ends, and another takes its place


def draw_batch_in_time(first_token: float, each: float) -> Figure:
    """Draw four answers of a batch in time: prompts are read at once, tokens one in each step.

    Parameters
    ----------
    first_token : float
        Seconds until the first token of an answer.
    each : float
        Seconds for a further token.

    Returns
    -------
    Figure
    """
    drawing, axes = canvas(60)
    joins = START + PROMPT + TOKENS[0] * STEP
    for place, tokens in enumerate(TOKENS):
        y = 45 - 8 * place
        words(axes, (18, y + 2.5), f"answer {place + 1}", side="right")
        _cell(axes, START, y, PROMPT, READS)
        for token in range(tokens):
            late = NEXT if token >= TOKENS[0] else 0
            _cell(axes, START + PROMPT + STEP * token + late, y, STEP, WRITES)
        if place:
            words(axes, (joins + NEXT / 2, y + 2.5), "…")
    _cell(axes, joins, 45, NEXT, READS)
    for token in range(5):
        _cell(axes, joins + NEXT + STEP * token, 45, STEP, WRITES)
    words(axes, (joins + NEXT / 2, 56.5), "the next prompt: the others wait", READS, bold=True)
    arrow(axes, (joins + NEXT / 2, 54.5), (joins + NEXT / 2, 50.8), READS)
    arrow(axes, (START, 17.5), (98, 17.5), INK)
    words(axes, (59, 15), "time")
    _cell(axes, 4, 7, 4, READS)
    words(
        axes, (10, 9.5), f"reads a prompt: {significant(1e3 * first_token)} ms to a first token", side="left"
    )
    _cell(axes, 4, 1, 4, WRITES)
    words(
        axes, (10, 3.5), f"writes a token for each answer: {significant(1e3 * each)} ms a step", side="left"
    )
    return drawing


def _cell(axes: Axes, x: float, y: float, width: float, colour: str) -> None:
    axes.add_patch(Rectangle((x + 0.2, y), width - 0.4, 5, facecolor=colour, edgecolor=PALE, lw=0.5))
