"""What to remember of the chapter `expert_tradeoffs`."""

from __future__ import annotations

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import title
from cohort.chapters.expert_tradeoffs.load import BLIND, COPIES
from cohort.chapters.expert_tradeoffs.words.measured import formula
from cohort.display.words import counted, scaled, sentences, significant
from cohort.scaling import mixture_rules


def takeaways(
    spec: ModelSpec,
    lost: pd.Series,
    devices: int,
    placements: pd.DataFrame,
    rules: pd.DataFrame,
    decision: str,
) -> str:
    """Return four findings to take along, one list item each.

    Parameters
    ----------
    spec : ModelSpec
        The mixture that is looked at closely.
    lost : Series
        Its row of `reads.advantage`.
    devices : int
        Devices that share the experts.
    placements : DataFrame
        As `load.by_placement` returns it, with that number of devices.
    rules : DataFrame
        As `worth.rules` returns it.
    decision : str
        As `choices.choice` returns it.

    Returns
    -------
    str
        Markdown.
    """
    row = dict(placements.loc[devices].items())
    spread, folk = (float(rules["makers spread"][name]) for name in (mixture_rules.BLIND, mixture_rules.ROOT))
    waits = "One device waits for no other."
    if devices > 1:
        waits = (
            f"On {devices} devices the slowest has {significant(row[BLIND])} times the mean load where "
            f"nobody knew what is popular, and {significant(row[COPIES])} times where popular experts are "
            "held twice."
        )
    return sentences(
        f"- A mixture buys compute with memory: {title(spec)} works like a model of "
        f"{scaled(spec.active_parameters)} weights and is held like one of {scaled(spec.parameters)}. "
        f"{_twice(lost)} and "
        f"{counted(int(lost['nearly all']), 'answer')} read nearly all of it.",
        f"- What it is worth is measured: {formula(mixture_rules.recommended())}, within a factor of "
        f"{spread:.1f}. The root of total and active is no bad guess either ({folk:.1f}), and too low "
        "for fine experts.",
        f"- Popular experts wait in line. {waits}",
        f"- Experts pay where memory lies idle: {decision}.",
    )


def _twice(lost: pd.Series) -> str:
    if pd.isna(lost["twice"]):
        return "No batch reads twice the weights of a dense model of its compute,"
    return (
        f"{counted(int(lost['twice']), 'answer')} in a step read twice what a dense model "
        "of its compute does,"
    )
