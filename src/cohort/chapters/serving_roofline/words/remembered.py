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
    rows, bare, ours, blind = (
        float(errors[each].loc["all"]) for each in ("rows", "roofline", "median", "first_look")
    )
    return sentences(
        f"- Whoever writes waits for memory: below {counted(turned, 'answer')} in a step, {accelerator} "
        f"fetches the weights of {name} more slowly than it multiplies with them.",
        *_shared(sweep[sweep["fits"]], devices * usd_per_hour / SECONDS_PER_HOUR * 1e6),
        f"- Peaks alone are off by {significant(bare, 2)}% over {rows:,.0f} measurements. With launches, "
        f"exchange and attained shares counted it was {significant(blind)}% at the first look, and is "
        f"{significant(ours)}% now.",
    )


def _shared(held: pd.DataFrame, cost: float) -> tuple[str, str]:
    """Say what sharing a step gains and costs, as far as answers fit the memory together."""
    cheap, slow = "- Sharing a step is what makes serving cheap", "- What is shared slows down"
    if len(held) < 2:
        some = "one answer" if len(held) else "no answer"
        return (
            f"{cheap}, and memory decides how many answers may share it. Here it holds {some} of this "
            "length.",
            f"{slow}: a price without its speed says little.",
        )
    first, last = held.iloc[0], held.iloc[-1]
    grown = float(last["throughput"]) / float(first["throughput"])
    return (
        f"{cheap}: {counted(int(held.index[-1]), 'answer')} at once write {significant(grown, 2)} times as "
        f"much as {held.index[0]:,}, for USD {significant(cost / float(last['throughput']))} in place of USD "
        f"{significant(cost / float(first['throughput']))} a million tokens.",
        f"{slow}: each user sees {significant(float(last['each']), 2)} tokens a second in place of "
        f"{significant(float(first['each']), 2)}. A price without its speed says little.",
    )
