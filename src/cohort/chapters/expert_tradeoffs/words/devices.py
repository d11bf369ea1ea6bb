"""Sentences about devices that share experts: balance, exchange and service, predicted and published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cohort.chapters.expert_tradeoffs.links import latency
from cohort.chapters.expert_tradeoffs.load import BLIND, BY_LOAD, COPIES, Balance
from cohort.display.phrases import percent, signed, then
from cohort.display.words import counted, running, sentences, significant
from cohort.errors.names import listed

PLACED = {
    BLIND: "with experts placed blindly",
    BY_LOAD: "with experts placed by their loads",
    COPIES: "with experts placed by their loads and popular ones held twice",
}


def load_balance(balance: Balance, experts: int) -> str:
    """Return how unevenly experts and devices are loaded, and what waiting costs.

    Parameters
    ----------
    balance : Balance
        As `load.balance` returns it.
    experts : int
        Experts of a layer.

    Returns
    -------
    str
        Markdown.
    """
    loads, devices = balance.expected, balance.expert_parallel
    slowest = loads["slowest device"]
    waiting = "One device waits for no other."
    if devices > 1:
        even = "experts on a device even each other out in part"
        why = f"since {even}" if devices < experts else "as each device holds one expert"
        waiting = (
            f"The slowest of {devices} devices, {PLACED[balance.placement]}, has {significant(slowest)} "
            f"times, {why}. The time of an expert layer follows the slowest, so "
            f"{percent(max(0.0, 1 - 1 / slowest))} of the devices' time is lost in waiting."
        )
    return sentences(
        f"The busiest expert has {significant(loads['busiest expert'])} times the mean load. {waiting}",
        f"The balance loss is 1 for an even router; here it is {significant(loads['balance loss'])}.",
    )


def dropped_assignments(lines: Mapping[str, pd.Series], balance: Balance) -> str:
    """Return how many assignments find their expert full, without any skew and with the chosen one.

    Parameters
    ----------
    lines : mapping of str to Series
        As `load.drops_by_room` returns them, a skew of 0 among them.
    balance : Balance
        As `load.balance` returns it.

    Returns
    -------
    str
        Markdown.
    """
    even = lines["skew 0"]
    spare = f"{even.loc[1.25]:.2g}%" if even.loc[1.25] >= 1e-2 else "less than 0.01%"
    return sentences(
        "Even a router without any preference overfills some experts by chance: with no room to spare it "
        f"drops {even.loc[1.0]:.1f}%, with a quarter to spare {spare}.",
        f"With the chosen skew of {balance.skew:g} and {balance.capacity_factor:g} times the even share it "
        f"drops {percent(balance.expected['dropped'])}. Placement does not change that: room is that of an "
        "expert, not of a device.",
    )


def exchange_time(moved: pd.DataFrame, layers: int, tokens: int) -> str:
    """Return what the exchange of all layers takes on the most devices.

    Parameters
    ----------
    moved : DataFrame
        As `links.shared` returns it.
    layers : int
        Layers with experts.
    tokens : int
        Tokens of each device.

    Returns
    -------
    str
        Markdown.
    """
    devices = moved.index[-1]
    seconds = layers * (moved["dispatch_s"] + moved["combine_s"])[devices]
    fixed = ""
    if devices > 1:
        share = 2 * layers * latency() / seconds
        fixed = f"Of that, {percent(share)} is the fixed time of starting an exchange."
    return sentences(
        running(
            f"The table is for {counted(tokens, 'token')} of each device, in whole nodes, and waits for the "
            f"device with the most load. On {counted(int(devices), 'device')} the "
            f"{counted(layers, 'layer')} of experts take {significant(1e3 * seconds)} ms to exchange, which "
            "is added to each token unless it hides behind other work.",
            fixed,
        ),
        "With one expert on a device nothing evens the load out: more devices make the skew count in full, "
        "unless popular experts are held twice.",
    )


def best_services(served: pd.DataFrame) -> str:
    """Return which mixture and which dense model writes most for each device.

    Parameters
    ----------
    served : DataFrame
        As `fleet.served` returns it.

    Returns
    -------
    str
        Markdown.
    """
    mixed, plain = served[served["experts"]]["each"], served[~served["experts"]]["each"]
    if mixed.empty or plain.empty:
        return "The parameters name no mixture and dense model that some group holds both."
    return (
        f"Per device, the best mixture is {mixed.idxmax()} with {significant(mixed.max())} tokens a second, "
        f"the best dense model {plain.idxmax()} with {significant(plain.max())}. The number of devices "
        "follows from memory, of which a mixture needs more than a dense model of its compute."
    )


def models_left_out(names: Sequence[str]) -> str:
    """Return which models no group of the accelerator holds.

    Parameters
    ----------
    names : sequence of str
        Their titles.

    Returns
    -------
    str
        Markdown; empty where there are none.
    """
    if not names:
        return ""
    return f"Too large for any group: {listed(names)}."


def measured_exchanges(exchanges: pd.DataFrame) -> str:
    """Return how far predicted exchanges are from the published ones.

    Parameters
    ----------
    exchanges : DataFrame
        The rows of `links.exchanges` that test.

    Returns
    -------
    str
        Markdown.
    """
    errors = exchanges["error"]
    worst = exchanges.sort_values("error", key=abs, kind="stable").iloc[-1]
    return (
        f"The median error of {len(exchanges)} rows is {100 * errors.abs().median():.1f}%, the largest "
        f"{signed(100 * worst['error'])}%, for {worst['step']} on {worst['devices']} devices. The form, "
        "links and network at once at their nominal rates and a fixed time, was chosen after looking at the "
        "rows, so the test is of the numbers and not of the form. "
        f"The fixed time is {1e6 * latency():.0f} µs."
    )


def skews(moved: pd.DataFrame, answers: int) -> str:
    """Return what a skew does to the experts that are read and to the slowest device.

    Parameters
    ----------
    moved : DataFrame
        As `load.by_skew` returns it, by rising skew.
    answers : int
        Answers that are written at once.

    Returns
    -------
    str
        Markdown.
    """
    low, high = moved.index[0], moved.index[-1]
    experts, slowest = moved["experts"], moved["slowest"]
    harms = experts[high] < experts[low] - 0.5 and slowest[high] > slowest[low] + 0.005
    return running(
        f"From a skew of {low:g} to {high:g}, a layer reads {then(experts[low], experts[high])} experts for "
        f"{counted(answers, 'answer')}, and the slowest device has "
        f"{then(slowest[low], slowest[high], '.2f')} times the mean load.",
        "What helps bandwidth harms balance." if harms else "",
    )
