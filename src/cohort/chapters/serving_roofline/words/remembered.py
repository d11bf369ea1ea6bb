"""What to remember of the chapter `serving_roofline`."""

from __future__ import annotations

import pandas as pd

from cohort.display.words import counted, sentences, significant
from cohort.units import SECONDS_PER_HOUR


def takeaways(
    name: str,
    accelerator: str,
    turned: int,
    sweep: pd.DataFrame,
    devices: int,
    usd_per_hour: float,
    errors: pd.DataFrame,
) -> str:
    """Return four findings to take along, one list item each.

    Parameters
    ----------
    name, accelerator : str
        Titles of both.
    turned : int
        Answers in a step from which on compute is the limit.
    sweep : DataFrame
        As `tables.by_concurrency` returns it.
    devices : int
        Devices that share the work.
    usd_per_hour : float
        USD for an hour of one of them.
    errors : DataFrame
        As `comparisons.errors_of_today` returns it, by ``all``.

    Returns
    -------
    str
        Markdown.
    """
    first, last = sweep.iloc[0], sweep.iloc[-1]
    rows, bare, ours, blind = (
        float(errors[each].loc["all"]) for each in ("rows", "roofline", "median", "first_look")
    )
    cost = devices * usd_per_hour / SECONDS_PER_HOUR * 1e6
    grown = float(last["throughput"]) / float(first["throughput"])
    return sentences(
        f"- Whoever writes waits for memory: below {counted(turned, 'answer')} in a step, {accelerator} "
        f"fetches the weights of {name} more slowly than it multiplies with them.",
        f"- Sharing a step is what makes serving cheap: {counted(int(sweep.index[-1]), 'answer')} at once "
        f"write {significant(grown, 2)} times as much as {sweep.index[0]:,}, for USD "
        f"{significant(cost / float(last['throughput']))} in place of USD "
        f"{significant(cost / float(first['throughput']))} a million tokens.",
        f"- What is shared slows down: each user sees {significant(float(last['each']), 2)} tokens a second "
        f"in place of {significant(float(first['each']), 2)}. A price without its speed says little.",
        f"- Peaks alone are off by {significant(bare, 2)}% over {rows:,.0f} measurements. With launches, "
        f"exchange and attained shares counted it was {significant(blind)}% at the first look, and is "
        f"{significant(ours)}% now.",
    )
