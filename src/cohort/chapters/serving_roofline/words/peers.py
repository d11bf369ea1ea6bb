"""Sentences about this book's errors beside those of a model that measures every kernel."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from cohort.display.words import significant

TOLD = ("kind", "engine")  # groups that are told one by one
KINDS = {"dense": "dense models", "mixture": "mixtures"}
ENOUGH = 1.1  # times the other's error, below which neither is the nearer one


def beside_peer(token: pd.DataFrame, first: pd.DataFrame) -> str:
    """Return how near this book comes on services that a peer answers too, and where the peer is nearer.

    Parameters
    ----------
    token, first : DataFrame
        As `comparisons.errors_beside_peer` returns them, the whole first.

    Returns
    -------
    str
        Markdown.
    """
    every, first_tokens = token.iloc[0], first.iloc[0]
    theirs, ours, bare = (_percent(every[name]) for name in ("aiconfigurator", "cohort", "roofline"))
    far, near = (_percent(every[f"{name}_ninth_decile"]) for name in ("aiconfigurator", "cohort"))
    late, early = (_percent(first_tokens[name]) for name in ("aiconfigurator", "cohort"))
    return "\n".join(
        (
            f"Both were asked for the same {every['rows']:,.0f} services on {str(every['date'])[:10]}, "
            f"aiconfigurator in version {every['version']}:",
            "",
            f"- *Time per token*: its median error is {theirs}, this book's {ours}, that of the roofline "
            f"alone {bare}. Nine in ten of its times are within {far}, of this book's within {near}.",
            *(f"- {each}" for each in _told(token)),
            f"- *First token*: its median error is {late}, this book's {early}.",
        )
    )


def _told(table: pd.DataFrame) -> Iterable[str]:
    """Yield by whom which groups are met more closely."""
    groups = [
        (_called(str(by), str(group)), float(ours), float(theirs))
        for by, group, ours, theirs in zip(
            *(table.index.get_level_values(name) for name in ("by", "group")),
            *(table[name] for name in ("cohort", "aiconfigurator")),
            strict=True,
        )
        if by in TOLD
    ]
    theirs = [
        f"{name} ({_percent(peer)} against {_percent(book)})"
        for name, book, peer in groups
        if book > ENOUGH * peer
    ]
    ours = [
        f"{name} ({_percent(book)} against {_percent(peer)})"
        for name, book, peer in groups
        if peer > ENOUGH * book
    ]
    level = [name for name, book, peer in groups if max(book, peer) <= ENOUGH * min(book, peer)]
    for start, names in (
        ("aiconfigurator is nearer for", theirs),
        ("This book is nearer for", ours),
        ("Neither is nearer by a tenth for", level),
    ):
        if names:
            yield f"{start} {', '.join(names)}."


def _called(by: str, group: str) -> str:
    return KINDS.get(group, group) if by == "kind" else f"services of {group}"


def _percent(value: float) -> str:
    return f"{significant(value, 2)}%"
