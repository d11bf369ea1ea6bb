"""Sentences about figures: what kernels reach, and which accelerator writes most at a given speed."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cohort.architecture.registered import title_of
from cohort.display.words import inflected, running, sentences, significant
from cohort.errors.names import listed
from cohort.registry.measured import FIRST, DeviceRun


def kernels_reach(about: DeviceRun, products: pd.DataFrame) -> str:
    """Return which share of the roofline products of real layers attain, with few and with many tokens.

    Parameters
    ----------
    about : DeviceRun
        What was measured, and when.
    products : DataFrame
        As `kernels.measured_products` returns it.

    Returns
    -------
    str
        Markdown.
    """
    share = 100 * products.groupby(["type", "tokens"])["share"].median().unstack("type")
    few, many = share.index[0], share.index[-1]
    worst = products.sort_values("share", kind="stable").iloc[0]
    parts = "; ".join(
        f"{kind}: {_percent(share[kind].loc[few])} with {few:,} token{'s' if few > 1 else ''} and "
        f"{_percent(share[kind].loc[many])} with {many:,}"
        for kind in share.columns
    )
    return sentences(
        f"Products of layers of Llama 3 on {about.accelerator}, measured on {about.date}, attain at the "
        f"median this share of what the roofline allows: {parts}.",
        f"The least is {_percent(100 * float(worst['share']))}, for the small product *{_product(worst)}* "
        f"in {worst['type']}. No one allowance fits them all, which is why the model takes each product by "
        "its shape.",
    )


def _product(row: pd.Series) -> str:
    """Name a product by its model, its place in a layer and its shape."""
    model, place, shape = str(row["product"]).split()
    return f"{title_of(model)}, {place}, {shape.replace('x', ' × ')}"


def kernels_elsewhere(errors: pd.DataFrame) -> str:
    """Return how far kernels and whole steps are predicted on runs that nothing was fitted to.

    Parameters
    ----------
    errors : DataFrame
        As `kernels.errors_by_run` returns it.

    Returns
    -------
    str
        Markdown.
    """
    fitted = errors[(errors["run"] == FIRST) & (errors["timed"] == STEPS)].iloc[0]
    others = errors[errors["run"] != FIRST]
    steps = [
        f"on {device}, {times} of them, {_percent(abs(bias))} {'longer' if bias < 0 else 'less'}"
        for device, times, bias in zip(
            *(others.loc[others["timed"] == STEPS, name] for name in ("accelerator", "times", "bias")),
            strict=True,
        )
    ]
    parts = others[others["timed"] != STEPS].sort_values("median", kind="stable")
    worst = parts.iloc[-1]
    close = parts[parts["median"] <= CLOSE]
    return sentences(
        f"On the run that they come from, whole decode steps without an engine are predicted within "
        f"{_percent(fitted['median'])} at the median.",
        "Nothing was fitted to the same steps in PyTorch's kernels, which the book's own script times. They "
        f"take, against the prediction: {'; '.join(steps)} (medians).",
        f"Of their parts {len(close)} of {len(parts)} are met within {CLOSE}%; farthest off are "
        f"{worst['timed']} on {worst['accelerator']}, by {_percent(worst['median'])}.",
    )


STEPS = "decode steps"
CLOSE = 5  # percent


def _percent(value: float) -> str:
    return f"{significant(value, 2)}%"


SPEED = 20  # tokens a second that each user is to see


def best_at_speed(found: Mapping[str, pd.DataFrame], speed: float = SPEED) -> str:
    """Return which accelerator writes most where each user is to see a given speed.

    Parameters
    ----------
    found : mapping of str to DataFrame
        As `changes.frontiers` returns it.
    speed : float
        Tokens a second.

    Returns
    -------
    str
        Markdown.
    """
    if not found:
        return "No group of these accelerators holds the model."
    reached = {
        name: float(sweep.loc[sweep["each"] >= speed, "per device"].max())
        for name, sweep in found.items()
        if (sweep["each"] >= speed).any()
    }
    if not reached:
        return f"None of them gives a user {speed:g} tokens a second."
    slow = [f"*{name}*" for name in found if name not in reached]
    best, least = max(reached, key=reached.__getitem__), min(reached, key=reached.__getitem__)
    return running(
        f"Where each user is to see {speed:g} tokens a second, *{best}* writes "
        f"most: {significant(reached[best])} tokens a second per device.",
        f"*{least}* writes {significant(reached[least])}." if least != best else "",
        f"Too slow for that {inflected(len(slow), 'is', 'are')} {listed(slow)}." if slow else "",
    )
