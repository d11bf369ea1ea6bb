"""Sentences about the chosen service: what bounds it, where its time goes, what it costs."""

from __future__ import annotations

import pandas as pd

from cohort.chapters.serving_roofline.figures import PARTS
from cohort.chapters.serving_roofline.tables import TRAINING_TOKENS
from cohort.display.words import counted, running, sentences, significant
from cohort.serving.roofline import Serving
from cohort.units import SECONDS_PER_HOUR

FIXED = ["layers", "sequences", "links"]  # parts of the time that no roofline counts


def brief(
    name: str,
    phases: pd.DataFrame,
    sweep: pd.DataFrame,
    service: Serving,
    most: int,
    usd_per_hour: float,
    errors: pd.DataFrame,
    beyond: str = "",
) -> str:
    """Return the chapter in brief, one list item a finding.

    Parameters
    ----------
    name : str
        Title of the model that is served.
    phases : DataFrame
        As `tables.phases` returns it.
    sweep : DataFrame
        As `tables.by_concurrency` returns it, with one answer and with those of the service.
    service : Serving
        The chosen service.
    most : int
        Answers that fit the memory at once.
    usd_per_hour : float
        USD for an hour of one accelerator.
    errors : DataFrame
        As `comparisons.errors_of_today` returns it of the time per token, by ``all``.
    beyond : str
        As `limits.beyond_offered` returns it of the model.

    Returns
    -------
    str
        Markdown.
    """
    parts = largest_parts(sweep)
    ratio = phases["intensity"] / phases["ridge"]
    alone = ratio[f"decode, {1:,}"]
    of_all = errors.loc["all"]
    would = "" if service.fits else "would "
    ending = "s" if service.fits else ""
    room = f"The memory holds {counted(most, 'such answer')}."
    if not service.fits:
        room = f"It does not fit: {service.reason}."
    return sentences(
        f"- Below a certain work for each byte, its ridge, {service.accelerator} waits for memory; above it, "
        "for arithmetic.",
        f"- Training is {_beside_ridge(ratio['training'], 'that ridge')}, a prompt of "
        f"{counted(service.input_tokens, 'token')} {_beside_ridge(ratio['prefill'])}; writing one answer is "
        f"{_beside_ridge(alone)}, {_pace(alone, sweep.iloc[0])}.",
        f"- {name} on {counted(service.tensor_parallel, 'device')} {would}take{ending} "
        f"{significant(1e3 * service.tpot_s)} ms for a token of each of "
        f"{counted(service.concurrency, 'answer')} at once, {significant(service.output_tokens_per_s)} "
        f"tokens a second in all. The largest part of that time is *{parts[service.concurrency]}*.",
        f"- {room} At USD {significant(usd_per_hour)} for an accelerator and hour, a million output tokens "
        f"{would}cost USD {significant(service.usd_per_million_tokens(usd_per_hour))}, their prompts "
        "included.",
        f"- Nothing was fitted to {of_all['rows']:,.0f} measurements of 2025 and 2026: on them a token's "
        f"time was off by {of_all['first_look']:.1f}% at the first look and is by {of_all['median']:.1f}% "
        f"now, the roofline alone by {of_all['roofline']:.0f}% (medians).",
        f"- {beyond}" if beyond else "",
    )


def _beside_ridge(ratio: float, ridge: str = "it") -> str:
    """Say how far the work for each byte of a step lies above or below the ridge."""
    times = significant(max(ratio, 1 / ratio), 2)
    if times == "1":
        return f"at {ridge}"
    return f"{times} times {'above' if ratio > 1 else 'below'} {ridge}"


def _pace(intensity: float, alone: pd.Series) -> str:
    """Say what sets the pace of one answer: by the roofline, and by fixed times where these are longer."""
    fixed = alone[FIXED].sum() / alone["tpot"]
    limit = "memory" if intensity < 1 else "compute"
    if fixed < 0.5:
        return f"so that {limit} sets the pace"
    return (
        f"so that by the roofline {limit} sets the pace; but {significant(100 * fixed, 2)}% of its time are "
        "fixed times and exchange, which no roofline counts"
    )


def largest_parts(sweep: pd.DataFrame) -> pd.Series:
    """Return which part of the time per token is the largest, at each concurrency, as figures name it.

    Parameters
    ----------
    sweep : DataFrame
        As `tables.by_concurrency` returns it.

    Returns
    -------
    Series
        A name for each row.
    """
    return (
        sweep[list(PARTS)].idxmax(axis=1).map(lambda part: PARTS[part][0]).rename("largest part of the time")
    )


def intensities(phases: pd.DataFrame, concurrency: int) -> str:
    """Return the FLOP a byte of training, of a prompt and of a step for the chosen answers.

    Parameters
    ----------
    phases : DataFrame
        As `tables.phases` returns it.
    concurrency : int
        Answers that are written at once.

    Returns
    -------
    str
        Markdown.
    """
    intensity, step = phases["intensity"], f"decode, {concurrency:,}"
    times = (intensity / phases["ridge"]).map(_beside_ridge)
    used = phases["attainable"][step] / phases["peak"][step]
    single = f"decode, {1:,}"
    alone = f"A step for one answer does {significant(intensity[single])}, {times[single]}."
    return sentences(
        f"The ridge is at {significant(phases['ridge']['training'])} FLOP a byte for training, which does "
        f"{significant(intensity['training'])}, {times['training']}, with {TRAINING_TOKENS:,} tokens on a "
        f"device. A prompt does {significant(intensity['prefill'])}, {times['prefill']}.",
        running(
            alone if step != single else "",
            f"A step for {counted(concurrency, 'answer')} does {significant(intensity[step])}, "
            f"{times[step]}, and could use {significant(100 * used, 2)}% of the arithmetic at most.",
        ),
    )


def turning_point(
    name: str, accelerator: str, devices: int, weight_dtype: str, turned: int, most: int
) -> str:
    """Return from how many answers on products take longer than the weights, and whether so many fit.

    Parameters
    ----------
    name, accelerator : str
        Title of the model, and name of the accelerator.
    devices : int
        That share each layer.
    weight_dtype : str
        Type of the weights.
    turned, most : int
        Answers at which decode turns compute-bound, and answers that fit the memory.

    Returns
    -------
    str
        Markdown.
    """
    room = f"holds {most:,} of the chosen length, enough to get there."
    if not most:
        room = "does not hold even one of the chosen length."
    elif most < turned:
        room = f"holds {most:,} of the chosen length, so that the weights alone never leave the slope."
    return sentences(
        f"With fewer than {counted(turned, 'answer')} at once, {accelerator} spends its time on fetching the "
        f"weights of {name} in {weight_dtype}, not on multiplying them.",
        f"The memory of {counted(devices, 'device')} {room}",
        "The cache never turns: each answer reads its own.",
    )


def calibration(values: pd.DataFrame, errors: pd.Series) -> str:
    """Return how many shares and times are fitted, to how many rows, and how closely.

    Parameters
    ----------
    values : DataFrame
        The table `serving_calibration`.
    errors : Series
        Relative errors of the rows that they were fitted to.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    ValueError
        If the fitted values do not rest on the same number of rows.
    """
    fitted = values[(values["method"] == "fitted") & (values["generation"] == "2023")]
    (rows,) = fitted["rows"].unique()
    return sentences(
        f"{len(fitted)} of the values of 2023 are fitted together, to {rows} rows of two sources: gpt-fast "
        "on A100, one answer at a time, and TensorRT-LLM on A100, H100 and L40S, both of 2023 and 2024. The "
        "others are read from kernels. The fastest matrix product of each accelerator, which products are a "
        "share of, is in a table of its own.",
        f"Over the rows that they were fitted to, the median error is {100 * errors.abs().median():.1f}%; "
        "that says little, and the test is below.",
    )


def token_time(sweep: pd.DataFrame, concurrency: int, mixture: bool, unfit: str = "") -> str:
    """Return where most of the time of a token goes, with one answer, with those chosen and with the most.

    Parameters
    ----------
    sweep : DataFrame
        As `tables.by_concurrency` returns it, rising from one answer.
    concurrency : int
        Answers that are written at once in the chosen service.
    mixture : bool
        Whether the model has experts.
    unfit : str
        Why the chosen service does not fit the memory, where it does not.

    Returns
    -------
    str
        Markdown.
    """
    parts, alone = largest_parts(sweep), sweep.iloc[0]
    fixed = 100 * alone[FIXED].sum() / alone["tpot"]
    later: dict[str, list[str]] = {}
    for number in dict.fromkeys((concurrency, sweep.index[-1])):
        if number > 1:
            later.setdefault(parts[number], []).append(f"with {number:,}")
    return sentences(
        running(
            f"With one answer, the largest part of the time is *{parts.iloc[0]}*, and "
            f"{significant(fixed, 2)}% is what no roofline counts: fixed times and exchange.",
            *(f"{' and '.join(those).capitalize()} it is *{part}*." for part, those in later.items()),
        ),
        "The more answers share a step, the more of the experts it reads."
        if mixture
        else "The weights are read in the same time however many answers share them.",
        f"It does not fit: {unfit}. These are the times that it would take." if unfit else "",
    )


def trade(sweep: pd.DataFrame, most: int, devices: int, usd_per_hour: float) -> str:
    """Return what more answers at once gain in throughput and price, and lose in each user's speed.

    Parameters
    ----------
    sweep : DataFrame
        As `tables.by_concurrency` returns it, rising from one answer.
    most : int
        Answers that fit the memory at once.
    devices : int
        That share each layer.
    usd_per_hour : float
        USD for an hour of one accelerator.

    Returns
    -------
    str
        Markdown.
    """
    held = sweep[sweep["fits"]]
    if not most or len(held) < 2:
        some = "one answer" if most else "no answer"
        return f"The memory holds {some} of this length, so there is nothing to trade."
    one, full = held.iloc[0], held.iloc[-1]
    cheap, dear = (1e6 * devices * usd_per_hour / SECONDS_PER_HOUR / row["throughput"] for row in (full, one))
    return (
        f"From one answer to {held.index[-1]:,} at once, throughput grows "
        f"{significant(full['throughput'] / one['throughput'], 2)} times, and each user's speed falls from "
        f"{significant(one['each'], 2)} to {significant(full['each'], 2)} tokens a second. At the chosen "
        f"price a million tokens then cost USD {significant(cheap)} in place of USD {significant(dear)}."
    )


def peaks_used(published: pd.Series, sweep: pd.DataFrame) -> str:
    """Return the utilisation that training runs publish, beside that of the service.

    Parameters
    ----------
    published : Series
        Shares of the peak, from 0 to 1.
    sweep : DataFrame
        As `tables.by_concurrency` returns it.

    Returns
    -------
    str
        Markdown.
    """
    highest = f"{100 * published.max():.0f}%"
    return sentences(
        f"They lie between {100 * published.min():.0f}% and {highest}. The post's *as close to 100% "
        f"utilisation as you can* is an aim: no run in the table publishes more than {highest}.",
        f"Serving reaches {significant(100 * sweep['mfu'].iloc[0], 2)}% with one answer and "
        f"{significant(100 * sweep['mfu'].max(), 2)}% at most in this case.",
    )


def variants(saved: pd.DataFrame, devices: int) -> str:
    """Return which variant of the model writes most, and what a key and a value for each head would hold.

    Parameters
    ----------
    saved : DataFrame
        As `changes.savings` returns it.
    devices : int
        That share each layer.

    Returns
    -------
    str
        Markdown.
    """
    able, most = saved["throughput"].dropna(), saved["most"]
    heads = "a key and a value for each head"
    best = "None of these fits the memory."
    if len(able):
        best = f"Of those that fit, *{able.idxmax()}* writes most, {significant(able.max())} tokens a second."
    return running(
        best,
        f"With *{heads}* the memory would hold {counted(int(most[heads]), 'answer')} in place of "
        f"{most['as it is']:,}.",
        f"A latent vector is small but not divided: each of {devices} devices holds all of it."
        if devices > 1
        else "",
        "Fewer bits help twice, in what is read and in how much fits; where the accelerator cannot multiply "
        "in a type, products stay in 16 bits, and gain nothing.",
    )


def _usd(low: float, high: float) -> str:
    """Return a range of prices, or the one price that there is."""
    ends = significant(low, 2), significant(high, 2)
    return f"for USD {ends[0]}" if ends[0] == ends[1] else f"from USD {ends[0]} to {ends[1]}"


def cheapest(costs: pd.DataFrame) -> str:
    """Return the cheapest accelerator for a million output tokens, and the range over all.

    Parameters
    ----------
    costs : DataFrame
        As `changes.costs` returns it, the cheapest first.

    Returns
    -------
    str
        Markdown.
    """
    if costs.empty:
        return (
            "No group of accelerators with a published price holds this model and an answer of this length."
        )
    best = costs.iloc[0]
    return sentences(
        f"The cheapest here is {costs.index[0]}, {counted(int(best['devices']), 'device')}, "
        f"{_usd(best['low'], best['high'])}. Across all of them the million is to be had "
        f"{_usd(costs['low'].min(), costs['high'].max())}.",
        "These are costs of hardware at full load. A service that is idle half of the time pays twice.",
    )


def quoted_sum(usd: float, billion_tokens: float) -> str:
    """Return what the daily sum that is quoted for ChatGPT would buy.

    Parameters
    ----------
    usd, billion_tokens : float
        As `comparisons.quoted_cost` returns them.

    Returns
    -------
    str
        Markdown.
    """
    return sentences(
        "A model with the shape of GPT-3 on eight A100, full, would write a million tokens for USD "
        f"{significant(usd)} at the highest price in the data. The quoted sum would then pay for "
        f"{significant(billion_tokens)} billion tokens a day.",
        "Neither the model nor the tokens were published, so the figure cannot be checked.",
    )
