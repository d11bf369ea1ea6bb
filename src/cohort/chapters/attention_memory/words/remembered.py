"""What to remember of the chapter `attention_memory`."""

from __future__ import annotations

import pandas as pd

from cohort.display.words import binary, counted, running, sentences, significant


def takeaways(
    name: str, ways: pd.DataFrame, tokens: pd.Series, work: pd.Series, formats: pd.DataFrame, context: int
) -> str:
    """Return four findings to take along, one list item each.

    Parameters
    ----------
    name : str
        Title of the model that is looked at closely.
    ways : DataFrame
        As `tables.what_if` returns it.
    tokens : Series
        Average bytes of a token of each model.
    work : Series
        Share of attention in the work of each prompt, from 0 to 1.
    formats : DataFrame
        As `capacity.fits_formats` returns it.
    context : int
        Length of the context, in tokens.

    Returns
    -------
    str
        Markdown.
    """
    return sentences(_each(tokens), _sharing(name, ways), _fewer_bits(name, formats), _square(work, context))


def _each(tokens: pd.Series) -> str:
    """Say what a token costs in the models compared."""
    most, least = str(tokens.idxmax()), str(tokens.idxmin())
    if len(tokens) == 1:
        return f"- A token of {most} costs {binary(tokens[most])} of cache for as long as its sequence runs."
    return (
        f"- The price of a token is a choice of design: {binary(tokens[most])} in {most}, "
        f"{binary(tokens[least])} in {least}, {significant(tokens[most] / tokens[least])} times less."
    )


def _sharing(name: str, ways: pd.DataFrame) -> str:
    less = ways.drop_duplicates("way").set_index("way")["times less"]
    return (
        f"- Heads that share keys and values are what saves most: with the heads of {name}, groups make the "
        f"cache {significant(less['grouped'])} times smaller, a latent vector {significant(less['latent'])} "
        f"times, a single key and value {significant(less['multi-query'])} times."
    )


def _fewer_bits(name: str, formats: pd.DataFrame) -> str:
    held = formats.dropna(subset="devices")
    if held.empty:
        return f"- Weights come first: in no format do they leave {name} room for a cache on these devices."
    first, last = held.iloc[0], held.iloc[int(held["devices"].astype(int).to_numpy().argmin())]
    devices, fewest = int(first["devices"]), int(last["devices"])
    if fewest < devices:
        return (
            f"- Fewer bits a weight buy devices: {name} takes {devices} in {held.index[0]} and {fewest} in "
            f"{last.name}. What weights give up, the cache gets."
        )
    few, many = int(first["largest batch"]), int(held["largest batch"].max())
    return (
        f"- What weights give up, the cache gets: on {counted(devices, 'device')}, {name} holds "
        f"{counted(few, 'sequence')} in {held.index[0]} and {many:,} in the smallest format."
    )


def _square(work: pd.Series, context: int) -> str:
    heaviest = str(work.idxmax())
    return running(
        "- FlashAttention takes the square out of memory, not out of the work:",
        f"at {counted(context, 'token')} attention is {significant(100 * float(work[heaviest]), 2)}% of what "
        f"the prompt of {heaviest} costs.",
    )
