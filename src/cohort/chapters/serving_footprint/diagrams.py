"""Figures that explain the chapter `serving_footprint`: the way of a watt-hour, and terms of its energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.display.diagrams import box, canvas, words
from cohort.display.parts import name_rows
from cohort.display.theme import COLOURS, INK, PALE, SMALLEST, figure
from cohort.display.words import counted, significant
from cohort.footprint.accounts import Footprint
from cohort.footprint.carried import coefficients_on
from cohort.footprint.energy import MEASURED, narrow_experts
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.roofline import weights_read
from cohort.units import GB, WH_PER_KWH

STAGES = {
    "facility": ("the data centre takes", PALE),
    "node": ("machines that answer and wait", COLOURS[1]),
    "accelerator": ("the accelerators draw", COLOURS[0]),
}


def draw_way(rows: Mapping[str, Footprint], name: str, tokens: int) -> Figure:
    """Draw the way of the electricity of an answer from the meter to the accelerators.

    Parameters
    ----------
    rows : mapping of str to Footprint
        Of one answer, by boundary.
    name : str
        Title of the model.
    tokens : int
        Tokens of the answer.

    Returns
    -------
    Figure
        A bar for each stage, as wide as the energy that reaches it.
    """
    drawing, axes = canvas(52)
    energies = {stage: WH_PER_KWH * rows[stage].energy_kwh for stage in STAGES}
    most = max(energies.values())
    for place, (stage, (label, colour)) in enumerate(STAGES.items()):
        y, wide = 39 - 13 * place, 92 * energies[stage] / most
        box(axes, (50 - wide / 2, y - 4), (wide, 9), "", colour, filled=True)
        words(axes, (50, y + 0.5), f"{label} {significant(energies[stage])} Wh")
    words(axes, (50, 48.5), f"An answer of {counted(tokens, 'token')} by {name}", INK, bold=True)
    words(axes, (50, 3.5), "Cooling, supply, hosts and idle machines take the difference.")
    return drawing


TERMS = {
    "reading weights": COLOURS[0],
    "multiplying": COLOURS[3],
    "being kept busy": COLOURS[1],
    "narrow experts": COLOURS[4],
}


def terms(
    spec: ModelSpec,
    accelerators: int,
    numbers: Sequence[int],
    weight_dtype: str = "bf16",
    accelerator: str | Accelerator = MEASURED,
) -> pd.DataFrame:
    """Return what each term of the energy of a token comes to, as more answers share a step.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    accelerators : int
        How many share it.
    numbers : sequence of int
        Answers in a step.
    weight_dtype : str
        How the weights are stored.
    accelerator : str or Accelerator
        On what.

    Returns
    -------
    DataFrame
        J for an output token by term, a row for each number of answers.
    """
    found, width = (
        coefficients_on(as_accelerator(accelerator)),
        precision(weight_dtype).bytes_per_element / GB,
    )
    multiplied = found.multiply * spec.matmul_parameters * width
    records = {
        number: {
            "reading weights": found.read * weights_read(spec, number) * width / number,
            "multiplying": multiplied,
            "being kept busy": found.step * accelerators / number + found.token * accelerators,
            "narrow experts": found.expert * narrow_experts(spec, weight_dtype) / number,
        }
        for number in numbers
    }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("answers")


def draw_terms(table: pd.DataFrame) -> Figure:
    """Draw the shares of the terms in the energy of a token, as more answers share a step.

    Parameters
    ----------
    table : DataFrame
        As `terms` returns it.

    Returns
    -------
    Figure
        A bar of a hundred percent for each number of answers, named with its total in J.
    """
    rows = table.iloc[::-1]
    drawing, axes = figure(0.36 * len(rows) + 1.3)
    total, left = rows.sum(axis=1), pd.Series(0.0, rows.index)
    for term, colour in TERMS.items():
        share = 100 * rows[term] / total
        if share.max() > 0:
            axes.barh(range(len(rows)), share, left=left, color=colour, label=term, height=0.62)
        left += share
    axes.set(xlabel="share of the energy of a token (%)", ylabel="answers in a step", xlim=(0, 100))
    axes.grid(axis="y", visible=False)
    name_rows(axes, [f"{number:,}: {significant(each, 2)} J" for number, each in total.items()])
    axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(-0.1, 1), fontsize=SMALLEST)
    return drawing
