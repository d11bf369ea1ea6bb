"""Sentences about scores and about published figures: what grows, and how far the counts agree."""

from __future__ import annotations

import pandas as pd

from cohort.chapters.attention_memory import compute
from cohort.chapters.attention_memory.kernels import exponent
from cohort.chapters.attention_memory.published import Savings, inexact
from cohort.display.phrases import percent
from cohort.display.words import binary, counted, inflected, running, sentences, significant
from cohort.errors.names import listed
from cohort.registry.measured import DeviceRun
from cohort.units import MIB


def growth_powers(grown: pd.DataFrame) -> str:
    """Return with which powers of the context compute and memory grow at the long end.

    Parameters
    ----------
    grown : DataFrame
        As `compute.growth` returns it; its scores are 0 where a model writes none.

    Returns
    -------
    str
        Markdown.
    """
    powers = {column: compute.last_power(grown[column]) for column in grown if grown[column].iloc[0]}
    scores = ""
    if "scores" in powers:
        scores = (
            f"Naive attention, which writes the scores of a prompt out, takes {_doubled(powers['scores'])} "
            "the memory for them."
        )
    prompt, step, cache = (_doubled(powers[each]) for each in ("prefill FLOPs", "step FLOPs", "cache"))
    return sentences(
        f"At the long end, twice the context takes {prompt} the scores of a prompt, {step} those of the next "
        f"token and {cache} the cache.",
        scores,
        "Caching buys a cheap next token with memory.",
    )


def _doubled(power: float) -> str:
    """Say what a doubled context multiplies what grows with this power of it by."""
    return f"{significant(2**power, 2)} times"


def attention_work(shares: pd.Series, context: int) -> str:
    """Return how much of the work of reading a prompt attention takes.

    Parameters
    ----------
    shares : Series
        Share of each model, from 0 to 1.
    context : int
        Tokens of the prompt.

    Returns
    -------
    str
        Markdown.
    """
    high, low = shares.idxmax(), shares.idxmin()
    takes = f"{significant(100 * shares.max(), 2)}%"
    if high != low:
        takes = f"from {significant(100 * shares.min(), 2)}% ({low}) to {takes} ({high})"
    return sentences(
        f"At {counted(context, 'token')} causal attention takes {takes} of the work of reading a prompt.",
        "Fewer key-value heads change the cache and not these scores: every query head is scored all the "
        "same.",
    )


def flash_memory(
    memory: pd.DataFrame, name: str, context: int, batch: int, scores: float, cache: float
) -> str:
    """Return how many printed figures the formulas give, and what scores take in the model looked at.

    Parameters
    ----------
    memory : DataFrame
        As `published.published_memory` returns it.
    name : str
        Title of the model.
    context, batch : int
        Tokens of each sequence, and sequences at once.
    scores, cache : float
        Bytes of the scores of one layer, 0 where none are written, and of the cache of all layers.

    Returns
    -------
    str
        Markdown.
    """
    off = inexact(memory)
    longest = memory[memory["method"] == "naive"]["context"].max()
    both = memory[memory["context"] == longest].set_index("method")["derived"]
    written = f"{name} writes no scores at all."
    if scores:
        written = (
            f"Written out in two bytes a number, the scores of one layer of {name} and their softmax would "
            f"take {binary(scores)} at {counted(context, 'token')} with {counted(batch, 'sequence')}; the "
            f"cache of all layers takes {binary(cache)}."
        )
    return sentences(
        running(
            f"{len(memory) - len(off)} of {len(memory)} printed figures come out exactly, to the last digit.",
            f"The rest, of {int(off['context'].max()):,} tokens or fewer, are printed lower, by "
            f"{percent(float((1 - off['printed'] / off['derived']).max()))} at most."
            if len(off)
            else "",
        ),
        f"At {longest:,} tokens the naive way takes {significant(both['naive'] / both['flash'])} times the "
        "memory.",
        written,
    )


def measured_memory(peaks: pd.DataFrame) -> str:
    """Return whether both ways to compute attention agree, and how their measured peaks grow.

    Parameters
    ----------
    peaks : DataFrame
        As `kernels.measure_kernels` returns it.

    Returns
    -------
    str
        Markdown.
    """
    agree = "equal to within 1e-12" if peaks["difference"].max() <= 1e-12 else "not equal"
    longest = peaks.index[-1]
    return sentences(
        f"The two results are {agree}.",
        f"Twice the length takes {_doubled(exponent(peaks['naive']))} the memory the naive way and "
        f"{_doubled(exponent(peaks['tiled']))} tiled: the tiles themselves take the same at any length.",
        f"At {longest:,} tokens the tiled way holds {significant(peaks.loc[longest, 'tiled'] / MIB, 2)} MiB, "
        f"the naive one {significant(peaks.loc[longest, 'naive'] / MIB, 2)} MiB.",
    )


def device_memory(run: DeviceRun, table: pd.DataFrame) -> str:
    """Return how far the formulas are from the peaks of an accelerator, and what fusing buys there.

    Parameters
    ----------
    run : DeviceRun
        What was measured, and when.
    table : DataFrame
        As `published.device_attention` returns it.

    Returns
    -------
    str
        Markdown.
    """
    off = max(float((table[way] / table[f"{way} derived"] - 1).abs().max()) for way in ("naive", "flash"))
    both = table.dropna(subset=["naive", "flash"])
    last, longest = both.iloc[-1], both.index[-1]
    faster = both["naive time"] / both["flash time"]
    least, most = (significant(float(each), 2) for each in (faster.min(), faster.max()))
    alone = table[table["naive"].isna() & table["flash"].notna()]
    return sentences(
        f"Measured on {run.accelerator} with PyTorch {run.torch} on {run.date}, every peak is within "
        f"{100 * off:.2f}% of its formula.",
        f"At {longest:,} tokens one layer of one sequence holds {binary(last['naive'] * MIB)} the "
        f"naive way and {binary(last['flash'] * MIB)} fused, "
        f"{significant(last['naive'] / last['flash'])} times less, and takes "
        f"{significant(1e3 * last['naive time'], 2)} and {significant(1e3 * last['flash time'], 2)} ms.",
        f"Over the lengths that both were run at, the fused way is {least} to {most} times as fast."
        if least != most
        else f"At any of these lengths the fused way is {most} times as fast.",
        f"At {alone.index[-1]:,} tokens the naive way would take "
        f"{binary(alone['naive derived'].iloc[-1] * MIB)}; only the fused one was run."
        if len(alone)
        else "",
    )


def published_score_sizes(printed: pd.DataFrame) -> str:
    """Return how many published caches are ours, rounded, and which is not.

    Parameters
    ----------
    printed : DataFrame
        As `published.published_caches` returns it.

    Returns
    -------
    str
        Markdown.
    """
    wrong = list(dict.fromkeys(printed.index[~printed["rounds"]]))
    names = f"{listed(wrong)} {inflected(len(wrong), 'is', 'are')} not" if wrong else ""
    why = "the source's own dimensions give our figure" if len(wrong) == 1 else ""
    return sentences(
        running(
            f"{int(printed['rounds'].sum())} of {len(printed)} are ours, rounded to the printed digits.",
            f"{names}: {why}." if why else f"{names}." if wrong else "",
        ),
        "Units need care: some of these agree only if the printed KB or GB is read as a power of two.",
    )


def stated_savings(savings: Savings) -> str:
    """Return the savings that two reports state, by our count.

    Parameters
    ----------
    savings : Savings
        As `published.reported_savings` returns them.

    Returns
    -------
    str
        Markdown.
    """
    latent = 100 * savings.latent
    printed = ", the printed figure" if round(latent, 1) == savings.printed else ""
    return sentences(
        f"By our count the cache with the window is {significant(savings.window)} times smaller.",
        "DeepSeek-V2 stores six bits a number when it serves. Counted so, against sixteen bits for the "
        f"other, the saving is {latent:.1f}% by our count{printed}; at the same precision it is "
        f"{100 * savings.same_precision:.1f}%.",
    )
