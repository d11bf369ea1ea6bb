"""The figure of the chapter `chinchilla_fit` that sets forms of a law beside one another."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohort.chapters.chinchilla_fit.forms_compared import FORMS, TESTS
from cohort.display.parts import name_rows, plain_ticks
from cohort.display.theme import COLOURS, INK, SMALLEST, WIDTH

LEAST = 0.03  # per cent: where the axis begins


def draw_form_errors(errors: pd.DataFrame) -> Figure:
    """Draw the error of each form on each set of runs: in sample, of the largest runs, of the longest.

    Parameters
    ----------
    errors : DataFrame
        As `cohort.fitting.panel.scored_forms` returns it.

    Returns
    -------
    Figure
        One part a test and one row a form; a dot a set, the bar their median, in which a set
        without a law counts as the worst, on one logarithmic axis.
    """
    drawing, parts = plt.subplots(3, 1, figsize=(WIDTH, 5.6), sharex=True, layout="constrained")
    forms = list(FORMS)[::-1]
    for axes, (test, said) in zip(parts, TESTS.items(), strict=True):
        rows = [form for form in forms if errors[test][errors["form"] == form].notna().any()]
        for place, form in enumerate(rows):
            mine = errors[(errors["form"] == form) & ((test != "beyond") | (errors["longer"] > 0))][test]
            values = mine.dropna()
            shift = np.linspace(-0.16, 0.16, len(values)) if len(values) > 1 else np.zeros(1)
            colour = COLOURS[3] if form == "chosen" else COLOURS[0]
            axes.scatter(
                np.maximum(values, LEAST), place + shift, s=14, color=colour, alpha=0.55, lw=0, zorder=2
            )
            axes.vlines(mine.fillna(np.inf).median(), place - 0.32, place + 0.32, color=INK, lw=2.2, zorder=3)
        name_rows(axes, [FORMS[form] for form in rows])
        axes.grid(visible=False, axis="y")
        axes.text(0, 1.02, said, transform=axes.transAxes, size=SMALLEST, va="bottom")
    parts[-1].set(xscale="log", xlabel="median error of the loss (%)")
    parts[-1].set_xticks([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20])
    plain_ticks(parts[-1].xaxis)
    return drawing
