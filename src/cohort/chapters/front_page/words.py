"""What the chapters found, a sentence each, from what they recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from cohort.architecture import registered
from cohort.display.words import counted, scaled, significant
from cohort.errors import CohortError

Record = Mapping[str, Mapping[str, Any]]


class Finding(NamedTuple):
    """A sentence for readers, and the chapter that found it."""

    chapter: str
    sentence: str


def findings(records: Mapping[str, Record]) -> list[Finding]:
    """Return the findings of the chapters, in the order in which the book tells them.

    Parameters
    ----------
    records : mapping of str to mapping
        What each chapter recorded, by the chapter's name: entries by name, with ``value`` and ``unit``.

    Returns
    -------
    list of Finding

    Raises
    ------
    CohortError
        If a chapter or one of its records is missing.
    """
    found = []
    for chapter, sentence in _SENTENCES:
        try:
            record = records[chapter]
            found.append(Finding(chapter, sentence({name: entry["value"] for name, entry in record.items()})))
        except KeyError as error:
            raise CohortError(f"the front page needs {error} of {chapter}, which is not recorded") from None
    return found


def largest_models(sizes: pd.DataFrame) -> str:
    """Say how large the largest models are, and how much of a mixture works for a token.

    Parameters
    ----------
    sizes : DataFrame
        As `cohort.chapters.front_page.tables.sizes_by_date` returns it, with models of both kinds.

    Returns
    -------
    str
        Two sentences.
    """
    is_dense = sizes["total"] == sizes["active"]
    dense = sizes[is_dense].nlargest(1, "total")
    mixture = sizes[~is_dense].nlargest(1, "total")
    dense_size, whole, active = (
        scaled(1e9 * float(frame[column].iloc[0]))
        for frame, column in ((dense, "total"), (mixture, "total"), (mixture, "active"))
    )
    return (
        f"The largest dense model, {dense.index[0]}, holds {dense_size} parameters. The largest mixture, "
        f"{mixture.index[0]}, holds {whole}, of which {active} work for a token."
    )


def _spread(record: Mapping[str, Any]) -> str:
    times = significant(record["cache_spread"], 2)
    return (
        f"Remembering a token takes {times} times as much memory in the hungriest of "
        f"{counted(len(record['models']), 'model')} as in the thriftiest, and size is not the reason."
    )


def _tokens(record: Mapping[str, Any]) -> str:
    best, low, high = (significant(record[f"tokens_per_parameter{end}"], 2) for end in ("", "_low", "_high"))
    return (
        f"The famous rule of twenty training tokens for each parameter is loose: fitted again, the same runs "
        f"say {best}, and allow anything from {low} to {high}."
    )


def _overtrained(record: Mapping[str, Any]) -> str:
    at = record["models"].index("Llama 3 8B")
    extra, tokens = record["overhead"][at], record["break_even_tokens"][at]
    repaid = (
        f"being small, it earns that back after {scaled(tokens, 2)} tokens of use"
        if tokens > 0
        else "no use earns that back"
    )
    return (
        f"By that law Llama 3 8B took {significant(1 + extra / 100, 2)} times the training that its loss "
        f"needed; {repaid}."
    )


def _cache(record: Mapping[str, Any]) -> str:
    share = significant(record["cache_share_of_memory"], 2)
    return (
        f"With 32 long conversations at once, {share}% of what a typical model needs in memory is there to "
        "remember them."
    )


def _bandwidth(record: Mapping[str, Any]) -> str:
    title, answers = registered.title(registered.model(record["model"])), record["compute_bound_concurrency"]
    return (
        f"With fewer than {answers:,} answers at once, {record['accelerator']} spends its time on fetching "
        f"the weights of {title}, not on multiplying them."
    )


def _experts(record: Mapping[str, Any]) -> str:
    title, saving = (
        registered.title(registered.model(record["model"])),
        significant(record["training_saving"], 2),
    )
    return (
        f"{title} trains with {saving} times less compute than a dense model of its size. But memory must "
        f"hold all of it, and with {counted(record['reads_twice_from'], 'answer')} at once it already reads "
        "twice the weights that one answer needs."
    )


def _training(record: Mapping[str, Any]) -> str:
    at = max(range(len(record["co2e"])), key=lambda place: record["co2e"][place])
    low, middle, high = (significant(record[name][at], 2) for name in ("co2e_low", "co2e", "co2e_high"))
    return f"Training {record['largest']} emitted about {middle} tonnes of CO2e, between {low} and {high}."


def _serving(record: Mapping[str, Any]) -> str:
    title, energy = (
        registered.title(registered.model(record["model"])),
        significant(record["answer_energy"], 2),
    )
    even = record["break_even"]
    then = (
        f" After {scaled(even, 2)} of them, use has emitted more than making."
        if even != "not disclosed"
        else ""
    )
    return f"An answer of {title} takes about {energy} Wh.{then}"


def _decision(record: Mapping[str, Any]) -> str:
    if record["cheapest"] == "none":
        return "Nothing serves the assistant of the last chapter within its limits."
    price, chance = significant(record["price"], 3), record["chance"]
    doubt = (
        ""
        if chance == "none"
        else f", but with a chance of {significant(chance, 2)}% the runner-up is cheaper in truth"
    )
    return (
        f"The cheapest of {record['tried']:,} ways to serve an assistant costs USD {price} for a million "
        f"tokens{doubt}."
    )


_SENTENCES: tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("the_cohort", _spread),
    ("chinchilla_fit", _tokens),
    ("data_optimal", _overtrained),
    ("attention_memory", _cache),
    ("serving_roofline", _bandwidth),
    ("expert_tradeoffs", _experts),
    ("training_footprint", _training),
    ("serving_footprint", _serving),
    ("decide", _decision),
)
