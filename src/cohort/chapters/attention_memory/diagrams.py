"""The diagrams of the chapter `attention_memory`: what a cache holds, and who shares an entry."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from cohort.display.diagrams import arrow, box, canvas, words
from cohort.display.theme import COLOURS, INK, PALE
from cohort.display.words import binary, significant

KEYS, VALUES, QUERY = COLOURS[0], COLOURS[1], COLOURS[2]
TEXT = ("The", "cat", "sat", "on", "the", "mat")  # the last token asks
FIRST, STEP = 17, 13.6  # where the columns begin, and how far apart they stand
HEADS = 8  # query heads of the sketches


def draw_cache(name: str, per_token: float, tokens: int, cache: float) -> Figure:
    """Draw what a model keeps of a text: a key and a value of each token, for the next one to read.

    Parameters
    ----------
    name : str
        Title of the model.
    per_token : float
        Bytes of a token in all layers, on average.
    tokens : int
        Length of the context.
    cache : float
        Bytes of the cache of that context.

    Returns
    -------
    Figure
    """
    drawing, axes = canvas(56)
    for place, token in enumerate(TEXT):
        x = FIRST + place * STEP
        asks = place == len(TEXT) - 1
        box(axes, (x, 46), (STEP - 0.6, 7), token, QUERY if asks else INK, filled=asks)
        box(axes, (x + 2, 30), (9, 5), "key", KEYS, filled=True)
        box(axes, (x + 2, 23.5), (9, 5), "value", VALUES, filled=True)
        arrow(axes, (x + 6.5, 46), (x + 6.5, 35.5), PALE)
    words(axes, (14.5, 49.5), "text", side="right")
    words(axes, (14.5, 29.2), "cache of\na layer", side="right")
    asking = FIRST + (len(TEXT) - 1) * STEP + 6.5
    words(axes, (asking, 15.5), "query", QUERY, bold=True)
    for place in range(len(TEXT)):
        axes.plot([asking, FIRST + place * STEP + 6.5], [17.5, 22.6], color=QUERY, lw=0.8, zorder=0)
    words(
        axes,
        (50, 9.5),
        f"A column for each token and layer. In {name} one more token is\n"
        f"{binary(per_token)} in all layers together; {tokens:,} of them are {binary(cache)}.",
    )
    words(axes, (50, 2.2), "The next token adds a column and reads them all.", bold=True)
    return drawing


def draw_sharing(ways: pd.DataFrame) -> Figure:
    """Draw which query heads share a key and a value, with what each way leaves of the cache.

    Parameters
    ----------
    ways : DataFrame
        As `tables.what_if` returns it.

    Returns
    -------
    Figure
        Four ways side by side: query heads above, what is kept of a token below.
    """
    drawing, axes = canvas(46)
    less = ways.drop_duplicates("way").set_index("way")["times less"]
    kept = {"multi-head": 8, "grouped": 2, "multi-query": 1, "latent": 0}
    for place, (way, entries) in enumerate(kept.items()):
        left = 3 + place * 24.5
        words(axes, (left + 10.5, 42), way, bold=True)
        _heads(axes, left, entries)
        factor = "the whole cache" if less[way] == 1 else f"{significant(less[way])} times less"
        words(axes, (left + 10.5, 8), factor)
    words(axes, (50, 2), "circles: query heads; squares: keys and values that are kept", INK)
    return drawing


def _heads(axes: Axes, left: float, entries: int) -> None:
    """Draw the heads of one way, and what they share."""
    width = 21 / HEADS
    for head in range(HEADS):
        x = left + (head + 0.5) * width
        axes.add_patch(Circle((x, 34), 1.05, color=QUERY))
        share = max(entries, 1)
        end = left + (head * share // HEADS + 0.5) * 21 / share
        axes.plot([x, end], [32.9, 21 if entries else 19], color=PALE, lw=1, zorder=0)
    if not entries:
        box(axes, (left + 5, 14), (11, 5), "latent", COLOURS[4], filled=True)
    for entry in range(entries):
        x = left + (entry + 0.5) * 21 / entries
        axes.add_patch(Rectangle((x - 1, 17.6), 2, 3.2, color=KEYS))
        axes.add_patch(Rectangle((x - 1, 14), 2, 3.2, color=VALUES))
