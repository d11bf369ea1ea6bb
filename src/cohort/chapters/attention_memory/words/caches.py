"""Sentences about caches: what they cost, how they grow, what holds them and what saves them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cohort.architecture.variants import SINKS
from cohort.chapters.attention_memory import capacity
from cohort.display.phrases import among, of_all, percent
from cohort.display.words import binary, counted, inflected, running, scaled, sentences, significant
from cohort.errors.names import listed
from cohort.units import KIB

STRAIGHT = 0.99  # power of the context from which on a cache is said to grow in proportion


def brief(
    name: str,
    batch: int,
    dtype: str,
    cache: float,
    weights: float,
    caches: pd.Series,
    even: pd.DataFrame,
    ways: pd.DataFrame,
    beyond: str = "",
) -> str:
    """Return the chapter in brief, one list item a finding.

    Parameters
    ----------
    name : str
        Title of the model that is looked at closely.
    batch : int
        Sequences at once.
    dtype : str
        Precision of the caches.
    cache, weights : float
        Bytes of that model's cache and weights.
    caches : Series
        Bytes of the cache of each model, named by the context in tokens.
    even : DataFrame
        As `capacity.break_even_contexts` returns it.
    ways : DataFrame
        As `tables.what_if` returns it.
    beyond : str
        As `limits.beyond_offered` returns it of the models.

    Returns
    -------
    str
        Markdown.
    """
    sizes = ways["cache"]
    best = str(sizes.drop("as it is").idxmin())
    texts = "One text" if batch == 1 else counted(batch, "text")
    return sentences(
        f"- {texts} of {counted(int(str(caches.name)), 'token')} "
        f"{inflected(batch, 'takes', 'take')} {binary(cache)} of cache in {name}, stored in {dtype}, beside "
        f"{binary(weights)} of weights.",
        _spread(caches),
        f"- {_outweighs(even)}",
        f"- With a key and a value of its own for each head, {name} would keep "
        f"{binary(sizes['multi-head'])}; of the ways to save, *{best}* keeps least, {binary(sizes[best])}.",
        "- Twice the text takes at most twice the cache, but up to four times the comparisons of tokens. "
        "FlashAttention saves the memory of these, not the work.",
        f"- {beyond}" if beyond else "",
    )


def _spread(caches: pd.Series) -> str:
    most, least = str(caches.idxmax()), str(caches.idxmin())
    if caches[most] <= caches[least]:
        return ""
    return (
        f"- For as much text {most} needs {binary(caches[most])}, {least} {binary(caches[least])}: "
        f"{significant(caches[most] / caches[least])} times less."
    )


def _outweighs(even: pd.DataFrame) -> str:
    contexts = even["context"].dropna()
    if contexts.empty:
        return "No cache of these models ever outweighs the weights."
    first, last = str(contexts.idxmin()), str(contexts.idxmax())
    if len(contexts) == 1:
        return f"The cache of {first} outweighs its weights from {counted(int(contexts[first]), 'token')} on."
    return (
        f"The cache outweighs the weights from {scaled(contexts[first])} "
        f"{inflected(contexts[first], 'token', 'tokens')} on in {first}, from {scaled(contexts[last])} in "
        f"{last}; {_offered(capacity.within_reach(even), len(even))}."
    )


def _offered(long: Sequence[str], models: int) -> str:
    """Say how many models can be given as much context as that."""
    if not long:
        return "none of them is offered for so many"
    if len(long) == 1:
        return f"of {counted(models, 'model')}, only {long[0]} is offered for so many"
    return f"{len(long)} of {models} are offered for so many"


def _straight(lines: int, every: int) -> str:
    return among(lines, every, "line") if lines or every == 1 else f"none of {counted(every, 'line')}"


def cache_growth(caches: pd.DataFrame, powers: pd.Series) -> str:
    """Return how many of the drawn lines are straight at their ends, and which have stopped growing.

    Parameters
    ----------
    caches : DataFrame
        As `tables.cache_curves` returns it.
    powers : Series
        Of the last two lengths, as `compute.last_powers` returns them.

    Returns
    -------
    str
        Markdown.
    """
    before, last = caches.columns[-2:]
    flat = powers.index[caches[last] == caches[before]]
    straight = int((powers >= STRAIGHT).sum())
    bent = len(powers) - straight - len(flat)
    parts = [
        f"At the right end, from {before:,} to {last:,} tokens, {_straight(straight, len(powers))} "
        f"{inflected(straight, 'rises', 'rise')} straight: twice the text takes twice the memory"
    ]
    if bent:
        parts.append(
            f"{bent} still {inflected(bent, 'bends', 'bend')}, since part of the cache does not grow"
        )
    if len(flat):
        parts.append(f"{listed([*flat])} {inflected(len(flat), 'has', 'have')} stopped growing")
    steepest = "No line is steeper: a cache" if straight else "Every cache here"
    grows = "never grows faster than its text" if straight else "grows more slowly than its text"
    return sentences(f"{'. '.join(parts)}.", f"{steepest} {grows}.")


def token_costs(tokens: pd.DataFrame) -> str:
    """Return which model pays most for a token and which least, which mix kinds of layers, which pay no more.

    Parameters
    ----------
    tokens : DataFrame
        As `tables.per_token` returns it.

    Returns
    -------
    str
        Markdown.
    """
    average = tokens["average"]
    dear, cheap = str(average.idxmax()), str(average.idxmin())
    times = significant(average[dear] / average[cheap])
    other = f", {cheap} {significant(average[cheap] / KIB)} KiB, {times} times less" if dear != cheap else ""
    several = [name for name in tokens.index if " in " in tokens.loc[name, "attention"]]
    free = tokens.index[tokens["further"] == 0]
    return running(
        f"{dear} pays {significant(average[dear] / KIB)} KiB for a token{other}.",
        f"{among(len(several), len(tokens), 'model')} {inflected(len(several), 'mixes', 'mix')} kinds "
        f"of layers: {listed(several)}."
        if several
        else "",
        f"At this length a further token costs nothing in {listed([*free])}." if len(free) else "",
    )


def cache_beside_weights(even: pd.DataFrame, batch: int, dtype: str) -> str:
    """Return whose cache can outweigh the weights, and whose never does.

    Parameters
    ----------
    even : DataFrame
        As `capacity.break_even_contexts` returns it.
    batch : int
        Sequences at once.
    dtype : str
        Precision of the caches.

    Returns
    -------
    str
        Markdown.
    """
    never = even.index[even["context"].isna()]
    offered, reached = capacity.within_reach(even), ""
    if len(never) < len(even):
        if 0 < len(offered) < len(even):
            who = f"Only {listed(offered)}, of {counted(len(even), 'model')}, {_is(offered)}"
        else:
            who = "All of these models are" if offered else "None of these models is"
        reached = f"{who} offered for so long a text, with {counted(batch, 'sequence')} in {dtype}."
    return running(
        reached,
        "Where the dot lies right of its bar, a model is not."
        if len(offered) < len(even) - len(never)
        else "",
        f"With this batch the cache of {listed([*never])} never gets there." if len(never) else "",
        "Sequences share the weights and not the cache: where the cache is a straight line, ten times the "
        "batch gets there at a tenth of the context.",
    )


def _is(names: Sequence[str]) -> str:
    return inflected(len(names), "is", "are")


def devices_needed(fits: pd.DataFrame, accelerator: str) -> str:
    """Return how many models one device holds, how many need more than any group has, which have no bound.

    Parameters
    ----------
    fits : DataFrame
        As `capacity.fits_models` returns it.
    accelerator : str
        Its name.

    Returns
    -------
    str
        Markdown.
    """
    held = fits.dropna(subset="devices")
    alone = int((held["devices"] == 1).sum())
    unbound = held.index[held["longest context"] == float("inf")]
    over = len(fits) - len(held)
    larger = int((held["weights"] > held["cache"]).sum())
    there = ": fewer bits save more on weights than on the cache"
    return running(
        f"One {accelerator} holds {_held(alone, fits)}.",
        f"In {of_all(larger, len(held), 'model')} weights take more of the memory than the cache"
        f"{there if larger == len(held) else ''}."
        if len(held) > 1
        else "",
        f"{counted(over, 'model')} {inflected(over, 'needs', 'need')} more than {capacity.MAX_DEVICES} "
        "devices."
        if over
        else "",
        f"For {listed([*unbound])} memory sets no bound on the context, only on the batch."
        if len(unbound)
        else "",
    )


def _held(alone: int, fits: pd.DataFrame) -> str:
    if len(fits) > 1:
        return f"{alone} of {counted(len(fits), 'model')}"
    return str(fits.index[0]) if alone else f"no {fits.index[0]}"


def stored_in(name: str, formats: pd.DataFrame, accelerator: str) -> str:
    """Return what fewer bits a weight change: devices and the longest context.

    Parameters
    ----------
    name : str
        Title of the model.
    formats : DataFrame
        As `capacity.fits_formats` returns it.
    accelerator : str
        Its name.

    Returns
    -------
    str
        Markdown.
    """
    held = formats.dropna(subset="devices")
    if held.empty:
        return (
            f"No group of up to {capacity.MAX_DEVICES} of {accelerator} holds {name} in any of these formats."
        )
    first, fewest = held.iloc[0], int(held["devices"].min())
    least = [str(stored) for stored in held.index[held["devices"] == fewest]]
    return running(
        f"In {held.index[0]}, {name} takes {counted(int(first['devices']), 'device')} of {accelerator} at "
        f"{counted(int(first['context']), 'token')}.",
        f"In {listed(least, 'or')} it takes {counted(fewest, 'device')}."
        if fewest < int(first["devices"])
        else "Fewer bits change nothing about that number, and leave more of the memory to the cache.",
    )


FAR = 10  # percent
LEAST = 0.1  # percent, below which an error is said to be below
LOOKS = ("before", "after", "later", "latest")


def logged(rows: pd.DataFrame) -> str:
    """Return how far budgets are from what engines logged: what is counted, what is left, and what fits.

    Parameters
    ----------
    rows : DataFrame
        As `logs.engine_logs` returns it.

    Returns
    -------
    str
        Markdown.
    """
    tested = rows[rows["use"] == "test"]
    verdicts = tested[tested["quantity"] == "fits"]
    missed = verdicts[verdicts["logged"] != verdicts["predicted"]]
    right = len(verdicts) - len(missed)
    wrong = ", ".join(
        f"{row['model']} on {row['accelerator']}, which was said {'' if row['predicted'] else 'not '}to fit"
        for _, row in missed.iterrows()
    )
    counted_, left = (
        tested[tested["quantity"].isin(names)] for names in (("weights", "cache"), ("room", "cache_tokens"))
    )
    far = left[left["error"].abs() > FAR]
    below, above = int((left["low"] > 0).sum()), int((left["high"] < 0).sum())
    return sentences(
        f"- *Weights and caches* are counted: {_median_and_largest(counted_)}, for {_worst(counted_)}.",
        f"- *What an engine leaves* depends on what it takes for itself, which differs by version and model: "
        f"{_median_and_largest(left)}, for {_worst(left)}.",
        f"- *Leave a margin*: {counted(len(far), 'row')} {inflected(len(far), 'is', 'are')} off by more than "
        f"{FAR}%, and in {(far['error'] > 0).sum()} of them less was left than predicted."
        if len(far)
        else "",
        f"- *The range* goes with each: {below} of these rows left less than its lower end and {above} more "
        f"than its upper."
        if len(left)
        else "",
        f"- *Does it fit?* Of {counted(len(verdicts), 'answer')}, {right} "
        f"{inflected(right, 'is', 'are')} right{f'; wrong is {wrong}' if wrong else ''}.",
    )


def met_blind(left: pd.DataFrame) -> str:
    """Return how rows were met that were written down before one of them was predicted, at first and now.

    Parameters
    ----------
    left : DataFrame
        As `logs.left_for_the_cache` returns it.

    Returns
    -------
    str
        Markdown; empty where no row is blind.
    """
    blind = left[left["kind"] == "blind"]
    before, after, later, latest = (blind[blind["look"] == look] for look in LOOKS)
    said = []
    if len(before):
        said.append(
            f"Of what an engine leaves, {_written_down(before)} before one of them was predicted. At first "
            f"the median error was {_missed(before['first'])}; today, with the terms mended, it is "
            f"{_missed(before['error'])}."
        )
    if len(after):
        said.append(
            f"After the mend {_written_down(after)} and then predicted, of models whose room was not known: "
            f"the median error was {_missed(after['first'])}."
        )
    if len(later):
        said.append(
            f"Then {counted(len(later), 'row')} of sources that had not been looked at "
            f"{inflected(len(later), 'was', 'were')} written down: at first the median error was "
            f"{_missed(later['first'])}; today, with more of the terms read in the sources of engines, it is "
            f"{_missed(later['error'])}."
        )
    if len(latest):
        shown = left[left["look"] == "latest"]
        said.append(
            f"Last, with the first start of an engine read there too, {_written_down(shown)}: at first the "
            f"median error was {_missed(shown['first'])}; today, without {len(shown) - len(latest)} that "
            f"since set a term, it is {_missed(latest['error'])}."
        )
    return sentences(*said) if said else ""


def _written_down(rows: pd.DataFrame) -> str:
    """Return how many rows were written down."""
    return f"{counted(len(rows), 'row')} {inflected(len(rows), 'was', 'were')} written down"


def _missed(errors: pd.Series) -> str:
    """Return the median of errors, and how many are large."""
    sizes = errors.abs()
    return f"{significant(sizes.median(), 2)}%, with {(sizes > FAR).sum()} off by more than {FAR}%"


def versions(name: str, accelerator: str, rows: pd.DataFrame) -> str:
    """Return what the version of vLLM changes about the memory that is left for the cache.

    Parameters
    ----------
    name, accelerator : str
        Titles of the model and of the device.
    rows : DataFrame
        As `logs.by_version` returns it, the oldest version first.

    Returns
    -------
    str
        Markdown.
    """
    room = rows["room"]
    most, least, last = str(room.idxmax()), str(room.idxmin()), rows.iloc[-1]
    if room.max() <= 0:
        return f"No version leaves memory for a cache of {name} on one {accelerator}."
    differ = (
        f"The same command leaves {significant(room.max())} GiB for the cache of {name} on one {accelerator} "
        f"in vLLM {most} and {significant(max(room.min(), 0))} GiB in {least}"
        if room.max() > room.min()
        else f"Each version leaves {significant(room.max())} GiB for the cache of {name} on one {accelerator}"
    )
    return running(
        f"{differ}.",
        f"Since 0.20 CUDA graphs are set aside before the cache is sized, and the share was raised to "
        f"{significant(last['share'])} to make up for it; until then they came on top of the share.",
        "A second runner of models, the default for dense ones from 0.25 and for all from 0.29, leaves more, "
        "since its trial filters no scores before 0.33.",
        "Since 0.11.1 a first start leaves less than later ones where an embedding is large: its compiler "
        "times kernels on a second one while memory is tried.",
    )


def _worst(rows: pd.DataFrame) -> str:
    worst = rows.iloc[int(rows["error"].abs().argmax())]
    return f"{worst['model']}, predicted too {'high' if worst['error'] > 0 else 'low'}"


def _median_and_largest(rows: pd.DataFrame) -> str:
    errors = rows["error"].abs()
    middle = float(errors.median())
    written = f"{significant(middle, 2)}%" if middle >= LEAST else f"less than {LEAST}%"
    return (
        f"over {counted(len(rows), 'row')} the median error is {written} and the largest "
        f"{significant(float(errors.max()), 2)}%"
    )


def copies(name: str, shared: pd.DataFrame) -> str:
    """Return how much more memory the cache of one sequence takes on the most devices than on the fewest.

    Parameters
    ----------
    name : str
        Title of the model.
    shared : DataFrame
        As `tables.devices_share` returns it, from one device on.

    Returns
    -------
    str
        Markdown.
    """
    times = shared["in all"].iloc[-1] / shared.loc[1, "in all"]
    takes = "as much memory as on one: nothing is copied"
    if times > 1.001:
        takes = f"{significant(times)} times the memory that it takes on one"
    return f"On {shared.index[-1]} devices the cache of one sequence of {name} takes {takes}."


def ways_to_save(ways: pd.DataFrame) -> str:
    """Return what each way to save saves, beside a key and a value for each head.

    Parameters
    ----------
    ways : DataFrame
        As `tables.what_if` returns it.

    Returns
    -------
    str
        Markdown.
    """
    by_way = ways.rename_axis("name").reset_index().set_index("way")
    name, cache, less = by_way["name"], by_way["cache"], by_way["times less"]
    window = "A window saves nothing more as long as the context fits into it"
    if cache["window"] < cache["grouped"]:
        window = (
            f"A window in every layer besides (*{name['window']}*) makes that "
            f"{significant(cache['grouped'] / cache['window'])} times smaller again, and more in longer texts"
        )
    sinks = _costs(cache["sinks"] / cache["window"] - 1)
    return sentences(
        f"A key and a value for each head take {binary(cache['multi-head'])}. Against them, "
        f"*{name['grouped']}* takes {significant(less['grouped'])} times less, *multi-query* "
        f"{significant(less['multi-query'])} times and *{name['latent']}* {significant(less['latent'])} "
        f"times. The least of all ways is {binary(cache.drop('as it is').min())}.",
        f"{window}; {SINKS} first tokens kept beside it, as sinks, add {sinks}.",
        f"*Grouped, int4* takes {percent(cache['grouped, int4'] / cache['grouped, fp8'])} of *grouped, fp8*, "
        "not half of it: every block of numbers brings a scale along.",
    )


def _costs(more: float) -> str:
    """Say what is added to a cache, as a share of it."""
    return f"{percent(more)} to it" if more > 0 else "nothing at this length"
