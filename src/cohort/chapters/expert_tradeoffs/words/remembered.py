"""What to remember of the chapter `expert_tradeoffs`."""

from __future__ import annotations

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import title
from cohort.chapters.expert_tradeoffs.load import Balance
from cohort.chapters.expert_tradeoffs.worth import FOLKLORE
from cohort.display.words import counted, scaled, sentences, significant


def takeaways(spec: ModelSpec, lost: pd.Series, balance: Balance, equivalents: pd.DataFrame) -> str:
    """Return four findings to take along, one list item each.

    Parameters
    ----------
    spec : ModelSpec
        The mixture that is looked at closely.
    lost : Series
        Its row of `reads.advantage`.
    balance : Balance
        Of its experts.
    equivalents : DataFrame
        As `worth.equivalents` returns it, with that mixture.

    Returns
    -------
    str
        Markdown.
    """
    ratio = spec.parameters / spec.active_parameters
    slowest, busiest = (float(balance.expected[each]) for each in ("slowest device", "busiest expert"))
    of_laws = equivalents[(equivalents["model"] == title(spec)) & (equivalents["law"] != FOLKLORE)]
    low, high = float(of_laws["dense"].min()), float(of_laws["dense"].max())
    return sentences(
        f"- A mixture buys compute with memory: {title(spec)} works like a model of "
        f"{scaled(spec.active_parameters)} weights and is held like one of {scaled(spec.parameters)}, "
        f"{significant(ratio)} times as many.",
        f"- It is small for one answer only. {_twice(lost)} and {counted(int(lost['nearly all']), 'answer')} "
        "read nearly all of it.",
        f"- Popular experts wait in line: the busiest has {significant(busiest)} times the mean load. Placed "
        f"with care on {counted(balance.expert_parallel, 'device')}, the slowest device has "
        f"{significant(slowest)} times.",
        f"- Nobody can yet say what a mixture is worth: published laws put {title(spec)} beside dense models "
        f"of {scaled(low)} to {scaled(high)} weights. Trust measurements, not laws drawn out.",
    )


def _twice(lost: pd.Series) -> str:
    if pd.isna(lost["twice"]):
        return "No batch reads twice as much as one of a dense model of its compute,"
    return f"{counted(int(lost['twice']), 'answer')} in a step read twice as much,"
