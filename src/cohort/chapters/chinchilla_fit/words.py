"""What the chapter `chinchilla_fit` says in words: sentences about the runs, the fit and its advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cohort.chapters.judging import Judgement
from cohort.display.phrases import of_all, power_of_ten, scaled_range, signed
from cohort.display.words import counted, inflected, paragraphs, ranged, scaled, sentences, significant
from cohort.errors.names import listed
from cohort.fitting import Fit
from cohort.scaling import FLOP_PER_TOKEN, ScalingLaw

CLOSE = 20.0  # per cent, up to which the ends of a loss are near each other

# --- in brief


def left_open(fit: Fit) -> str:
    """Return what the runs leave open of the law, and what that takes from the advice.

    Parameters
    ----------
    fit : Fit
        To the runs.

    Returns
    -------
    str
        A list item, empty where the runs determine each coefficient, or leave open E alone.
    """
    if not set(fit.flat) - {"E"}:
        return ""
    held = ""
    if fit.held:
        held = f" The fit holds {listed(fit.held)} at one of many values that do as well."
    return (
        f"- These runs leave {listed(fit.flat)} open: {fit.why_flat}.{held} The division of compute "
        "below, and its intervals, rest on that and are no finding."
    )


def brief(
    fit: Fit,
    flop: float,
    limits: Mapping[str, float],
    table: pd.DataFrame,
    laws: pd.DataFrame,
    choices: pd.DataFrame,
    dropping: pd.Series,
) -> str:
    """Return the chapter in brief, one list item a finding.

    Parameters
    ----------
    fit : Fit
        To the runs.
    flop : float
        Compute at which the advice is asked for.
    limits : mapping of str to float
        As `cohort.fitting.chinchilla_runs.limits` returns it.
    table, laws, choices : DataFrame
        As `tables.intervals`, `tables.published_laws` and `tables.choices` return them, at `flop`.
    dropping : Series
        As `tables.by_dropped` returns it, at `flop`.

    Returns
    -------
    str
        Markdown.
    """
    law, advised = fit.law, "tokens per parameter"
    value, low, high = (float(table[column][advised]) for column in ("value", "low", "high"))
    printed, misfit = laws["ratio"]["hoffmann"], 1 + laws["excess"]["hoffmann"]
    inside = low <= printed <= high
    return sentences(
        left_open(fit),
        f"- At {power_of_ten(flop)} FLOP the law that is fitted to {counted(len(fit.runs.losses), 'run')} "
        f"advises {significant(value, 2)} tokens per parameter. The 95% interval runs from "
        f"{significant(low, 2)} to {significant(high, 2)}.",
        f"- The coefficients as printed in 2022 advise {significant(printed, 2)}, "
        f"{'inside' if inside else 'outside'} that interval. Their misfit on the same runs is "
        f"{significant(misfit, 2)} times the least possible.",
        f"- With {ranged(dropping.index.min(), dropping.index.max(), '.0f')} of the runs with the highest "
        f"losses left out, the advice is {scaled_range(dropping.min(), dropping.max(), 2)}; by four ways to "
        f"measure the misfit, with {listed(sorted(set(choices['dropped'])), 'or')} left out, "
        f"{scaled_range(choices['ratio'].min(), choices['ratio'].max(), 2)}.",
        f"- {_asked_for(fit, flop, limits['flop'])}",
        f"- The law is $L = E + A/N^{{\\alpha}} + B/D^{{\\beta}}$: more parameters $N$ and more training "
        f"tokens $D$ lower the loss $L$ towards $E = {law.E:.3f}$ nats per token. Here "
        f"$A = {_factor(law.A)}$, $B = {_factor(law.B)}$, $\\alpha = {law.alpha:.3f}$ and "
        f"$\\beta = {law.beta:.3f}$.",
    )


def _factor(value: float) -> str:
    """Write a factor of the law in a formula: whole, or with its power of ten where that is large."""
    if value < 1e5:
        return f"{value:.0f}"
    digits, power = f"{value:.2e}".split("e")
    return f"{digits} \\times 10^{{{int(power)}}}"


def _asked_for(fit: Fit, flop: float, reach: float) -> str:
    """Say how far from the runs the advice is asked for; below and above them the law is drawn out."""
    largest = f"the largest run took {power_of_ten(reach, 2)} FLOP"
    least = float(FLOP_PER_TOKEN * (fit.runs.parameters * fit.runs.tokens).min())
    if flop > reach:
        return (
            f"That is extrapolation: {largest}, and the advice is for {scaled(flop / reach)} times as much."
        )
    if flop < least:
        return (
            f"That is extrapolation: the smallest run took {power_of_ten(least, 2)} FLOP, and the advice is "
            "for less."
        )
    return f"The advice is for a compute inside the range of the runs: {largest}."


# --- the runs and the fit


def runs_known(frame: pd.DataFrame) -> str:
    """Return what range the runs span, and what is left out.

    Parameters
    ----------
    frame : DataFrame
        As `cohort.fitting.chinchilla_runs.runs` returns it.

    Returns
    -------
    str
        Markdown.
    """
    kept, ratio = frame[~frame["dropped"]], frame["ratio"][frame["dropped"]]
    low, high = (float(kept["ratio"].quantile(share)) for share in (0.1, 0.9))
    hardly = ": fewer tokens than parameters, so that they had hardly begun to learn"
    left_out = (
        f"The {counted(len(ratio), 'run')} left out had at most {significant(ratio.max())} tokens per "
        f"parameter{hardly if ratio.max() < 1 else ''}."
    )
    return sentences(
        f"The runs span {scaled_range(kept['parameters'].min(), kept['parameters'].max())} parameters and "
        f"{power_of_ten(kept['flop'].min(), 2)} to "
        f"{power_of_ten(kept['flop'].max(), 2)} FLOP.",
        f"Most were given {significant(low)} to {significant(high)} tokens per parameter; the most is "
        f"{significant(kept['ratio'].max())}.",
        left_out if len(ratio) else "No run is left out.",
    )


def searches(agreeing: int, starts: int) -> str:
    """Return how many searches for the minimum end at the same law.

    Parameters
    ----------
    agreeing, starts : int
        Searches that end there, and all of them.

    Returns
    -------
    str
        Markdown.
    """
    which = "All" if agreeing == starts else f"{agreeing} of the {starts}"
    return (
        f"{which} searches end at the same law, and it is a strict minimum: no nearby law fits these runs "
        "better by this measure."
    )


def residuals(frame: pd.DataFrame, error: pd.Series) -> str:
    """Return how far the runs are from the law, those of very few and of very many tokens apart.

    Parameters
    ----------
    frame : DataFrame
        As `cohort.fitting.chinchilla_runs.runs` returns it.
    error : Series
        Observed over predicted loss, less one, of each of its runs.

    Returns
    -------
    str
        Markdown.
    """
    kept, percent = ~frame["dropped"], 100 * error
    errors, ratio = percent[kept], frame["ratio"][kept]
    few = errors[ratio < 1]
    middle = few.median()
    better, worse = f"; at the median they did {-middle:.1f}% better.", f", by {middle:.1f}% at the median."
    early = (
        f"With fewer tokens than parameters, {of_all(int((few > 0).sum()), len(few), 'fitted run')} "
        f"did worse than the law says{better if middle < 0 else worse}"
    )
    return paragraphs(
        f"Half of the fitted runs are within {errors.abs().median():.2f}% of the law, nine in ten within "
        f"{errors.abs().quantile(0.9):.1f}%.",
        sentences(early if len(few) else "", _left_out(percent[~kept])),
        _many_tokens(errors[ratio > 100]),
    )


def _left_out(errors: pd.Series) -> str:
    if errors.empty:
        return ""
    which = "The run left out" if len(errors) == 1 else f"The {len(errors)} runs left out"
    if errors.min() > 0:
        return f"{which} did worse by {ranged(errors.min(), errors.max(), '.0f')}%."
    ends = dict.fromkeys(signed(end, "+.1f") for end in (errors.min(), errors.max()))
    return f"{which} {inflected(len(errors), 'is', 'are')} {' to '.join(ends)}% off the law."


def _many_tokens(errors: pd.Series) -> str:
    if len(errors) <= 5:
        return ""
    doubt = standard_error(errors)
    verdict = (
        "the law promises too much for long training."
        if errors.mean() > 2 * doubt
        else "the law fits them as well as the rest."
    )
    return (
        f"At the other end, the losses of the {counted(len(errors), 'run')} with more than a hundred tokens "
        f"per parameter are {abs(errors.mean()):.2f}% {'above' if errors.mean() > 0 else 'below'} the law on "
        f"average, with a standard error of {doubt:.2f}%: {verdict}"
    )


def standard_error(values: pd.Series) -> float:
    """Return the standard error of the mean of some values, in their unit.

    Parameters
    ----------
    values : Series
        A sample.

    Returns
    -------
    float
        In the unit of the values.
    """
    return float(values.std() / len(values) ** 0.5)


def lost_digits(laws: pd.DataFrame, lad: ScalingLaw, huber: ScalingLaw) -> str:
    """Return what rounding did to the printed coefficients, and that the replication's come from two fits.

    Parameters
    ----------
    laws : DataFrame
        As `tables.published_laws` returns it.
    lad, huber : ScalingLaw
        Fitted to the runs of the replication by the absolute deviations and by Huber's misfit.

    Returns
    -------
    str
        Markdown.
    """
    median, ratio = 100 * laws["median error"], laws["ratio"]
    moves = "falls" if ratio["hoffmann-unrounded"] <= ratio["hoffmann"] else "rises"
    return paragraphs(
        sentences(
            "Rounding matters. The 2022 paper prints two digits of its exponents, and with them the law is "
            f"{median['hoffmann']:.1f}% off at the median; its misfit on the runs of this fit is "
            f"{significant(1 + laws['excess']['hoffmann'])} times the minimum.",
            f"With the digits behind the print the law is {median['hoffmann-unrounded']:.2f}% off, and the "
            f"advice {moves} from {significant(ratio['hoffmann'])} to "
            f"{significant(ratio['hoffmann-unrounded'])} tokens per parameter.",
        ),
        sentences(
            "The five numbers of the replication are not those of one fit.",
            "Four of them, on its 240 runs, make the sum of the absolute deviations least: $B$ is "
            f"{laws['B']['besiroglu-unrounded']:,.2f} there, {lad.B:,.2f} here.",
            f"The fifth does not: that fit has $E = {laws['E']['besiroglu-unrounded']:.4f}$, and "
            f"{laws['E']['besiroglu']:.4f} is printed, which is what Huber's misfit gives, "
            f"{huber.E:.4f} here.",
            "The intervals come from a third procedure. In this chapter a value and its interval always come "
            "from the same one.",
        ),
    )


# --- what follows from the coefficients


def spread(table: pd.DataFrame, flop: float, reach: float) -> str:
    """Return how far apart the ends of the intervals are.

    Parameters
    ----------
    table : DataFrame
        As `tables.intervals` returns it.
    flop, reach : float
        Compute at which the advice is asked for, and the largest that was fitted, in FLOP.

    Returns
    -------
    str
        Markdown.
    """
    factor = table["high"] / table["low"]
    loss = 100 * (factor["loss there"] - 1)
    last, there = "The ends of the loss at the optimum are", _apart(factor["loss there"])
    floor = f"The ends of the interval are {_apart(factor['E'])} apart for the irreducible loss"
    if table["low"]["E"] <= 0:
        floor = "The irreducible loss may be nothing, by its interval; the ends are"
    known = (
        f"{last} nevertheless only {loss:.1f}% apart. Around the optimum the loss is flat, so a wrong ratio "
        "costs little, and little can be learned about the right one."
        if loss < CLOSE
        else f"{last} {there} apart: these runs do not fix that either."
    )
    return sentences(
        f"{floor}{',' if table['low']['E'] > 0 else ''} {_apart(factor['alpha'])} and "
        f"{_apart(factor['beta'])}{'' if table['low']['E'] > 0 else ' apart'} for the two exponents.",
        "The factors $A$ and $B$ are loose, because they make up for the exponents: a steeper fall from a "
        "higher start fits nearly as well.",
        "The derived ratio is far less certain than the coefficients: the ends of the tokens per parameter "
        f"at {power_of_ten(flop)} FLOP are a factor of {significant(factor['tokens per parameter'])} apart"
        f"{', since' if flop > 3 * reach else ';'} that compute is {significant(flop / reach)} times that of "
        "the largest run.",
        known,
    )


def _apart(factor: float) -> str:
    return f"{100 * (factor - 1):.0f}%" if factor < 3 else f"a factor of {scaled(factor)}"


def exponents_of_law(
    table: pd.DataFrame, named: Mapping[str, ScalingLaw], reach: float, beyond: float
) -> str:
    """Return whether the ratio of tokens to parameters changes with the compute, by the fit and in 2022.

    Parameters
    ----------
    table : DataFrame
        As `tables.intervals` returns it.
    named : mapping of str to ScalingLaw
        ``this fit``, ``hoffmann`` and ``hoffmann-unrounded``.
    reach, beyond : float
        The largest compute that was fitted and a larger one, in FLOP.

    Returns
    -------
    str
        Markdown.
    """
    ours = table.loc["exponent of the size, a"]
    theirs = [named[name].parameters_exponent for name in ("hoffmann", "hoffmann-unrounded")]
    constant = (
        "One half is inside: a constant ratio, the rule of thumb, agrees with the runs."
        if ours["low"] <= 0.5 <= ours["high"]
        else "One half is outside: by this estimator the ratio changes with the compute."
    )
    near, far = (
        named["hoffmann-unrounded"].compute_optimal(flop).tokens_per_parameter
        / named["this fit"].compute_optimal(flop).tokens_per_parameter
        for flop in (reach, beyond)
    )
    return sentences(
        f"This fit gives $a = {ours['value']:.3f}$, with an interval from {ours['low']:.3f} to "
        f"{ours['high']:.3f}. {constant}",
        f"The coefficients of 2022 give {theirs[0]:.3f} as printed and {theirs[1]:.3f} unrounded"
        f"{', both outside the interval' if max(theirs) < ours['low'] else ''}; by them the ratio rises with "
        "compute.",
        f"At the end of the fitted range the unrounded coefficients of 2022 advise {near:.1f} times the "
        f"ratio of this fit, at {power_of_ten(beyond, 1)} FLOP {far:.1f} times.",
        "The larger the run that is planned, the more it matters whose coefficients one takes."
        if far > near > 1
        else "",
    )


def flat_bottom(law: ScalingLaw, flop: float) -> str:
    """Return how little a size of half or twice the best one loses at equal compute.

    Parameters
    ----------
    law : ScalingLaw
        The fitted law.
    flop : float
        Compute in FLOP.

    Returns
    -------
    str
        Markdown.
    """
    best = law.compute_optimal(flop)
    half, double = (law.loss(best.parameters * r, best.tokens / r) / best.loss - 1 for r in (0.5, 2))
    little = max(half, double) < 0.01
    return sentences(
        "The curves are flat at the bottom." if little else "",
        f"At {power_of_ten(flop)} FLOP a model of half the best size, trained on twice the tokens, has a "
        f"loss {100 * half:.2f}% higher; for one of twice the size, trained on half the tokens, it is "
        f"{100 * double:.2f}%.",
        "So a size that is off by a factor of two costs little." if little else "",
    )


def estimators(choices: pd.DataFrame, resamples: int) -> str:
    """Return how the advice moves with the estimator and the runs left out.

    Parameters
    ----------
    choices : DataFrame
        As `tables.choices` returns it.
    resamples : int
        Resamples behind each interval.

    Returns
    -------
    str
        Markdown.
    """
    betas = choices.groupby("estimator")["beta"].agg(["min", "max"])
    spans = choices.groupby("dropped")["ratio"].agg(["min", "max"]).sort_index(ascending=False)
    advised = [
        f"- With {counted(number, 'run') if number else 'none'} left out, the four estimators advise "
        f"{scaled_range(low, high)} tokens per parameter."
        for number, low, high in spans.itertuples()
    ]
    huber, squares = (f"{betas['min'][name]:.2f} to {betas['max'][name]:.2f}" for name in ("huber", "mse"))
    return paragraphs(
        sentences(*advised),
        sentences(
            "Squared error is the most sensitive to outliers, absolute error the least.",
            "The law cannot bend as the runs with the fewest tokens do. Where they are "
            f"kept, they pull $\\beta$ up: from {huber} by Huber's misfit, from {squares} by the squares of "
            "losses. A higher $\\beta$ asks for fewer tokens.",
            f"Each interval rests on {resamples} resamples.",
        ),
    )


def no_bend(law: ScalingLaw, judgements: Sequence[Judgement]) -> str:
    """Return that the loss falls on beyond the compute-optimal point.

    Parameters
    ----------
    law : ScalingLaw
        The fitted law.
    judgements : sequence of Judgement
        The verdicts of the chapter.

    Returns
    -------
    str
        Markdown.
    """
    gain = {each.claim: each.value for each in judgements}["compute_optimal_is_diminishing"]
    return (
        "There is no bend at the compute-optimal point. For a given size each doubling of the tokens takes "
        f"off $2^{{-\\beta}}$, {2**-law.beta:.2f}, of what the one before did, below the optimum and beyond "
        f"it; the first doubling beyond it still takes off {1000 * gain:.0f} thousandths of a nat. What is "
        "optimal there is the division of the compute, and nothing else."
    )
