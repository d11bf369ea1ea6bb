"""What the chapter `data_optimal` says of data in words: more tokens, better tokens, and their end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cohort.display.phrases import percent, power_of_ten
from cohort.display.words import inflected, paragraphs, scaled, sentences, significant
from cohort.scaling import FLOP_PER_TOKEN, Allocation, ScalingLaw

ENDLESS = 1e30  # tokens after which more change no printed digit of a loss


def generation(law: ScalingLaw, gains: pd.DataFrame, newer: pd.DataFrame, title: str) -> str:
    """Return what a model gained over the one before by its tokens, and what further text could bring.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    gains : DataFrame
        As `data_worth.model_generations` returns it.
    newer : DataFrame
        As `tables.trained` returns it, of the newer models.
    title : str
        Of the newer model.

    Returns
    -------
    str
        Markdown.
    """
    older, by_tokens, times = (gains[name][title] for name in ("older", "by tokens", "tokens"))
    before, after, equal = (gains[name][title] for name in ("loss older", "loss newer", "equal size"))
    size, tokens = newer["parameters"][title], newer["tokens"][title]
    quarter, half, whole, endless = (
        law.loss(size, each) for each in (tokens / 4, tokens / 2, tokens, ENDLESS)
    )
    reached = f"To reach this with the data of {older} would have taken {scaled(equal)} parameters."
    return paragraphs(
        sentences(
            f"From {older} to {title} the predicted loss falls from {before:.3f} to {after:.3f} nats per "
            f"token, {100 * by_tokens:.0f}% of it by {times:.1f} times the tokens alone.",
            reached if np.isfinite(equal) else f"No size reaches this with the data of {older}.",
        ),
        sentences(
            "Meta says that both sizes improve log-linearly up to the end "
            "([Meta, 2024](../bibliography.md#meta2024llama3)). By the law "
            "the fall does not stop, but each doubling brings less: the last one "
            f"{1000 * (half - whole):.1f} thousandths of a nat, the one before "
            f"{1000 * (quarter - half):.1f}. All further text together would bring at most "
            f"{1000 * (whole - endless):.0f}.",
            f"{title} saw {tokens / law.compute_optimal(parameters=size).tokens:.0f} times the tokens that "
            "are compute-optimal for its size.",
        ),
    )


def better_data_of_dbrx(law: ScalingLaw, said: Mapping[str, float], trained: pd.Series) -> str:
    """Return what the makers of DBRX say of their data, and what the law makes of it.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    said : mapping of str to float
        As `data_worth.claims_of_dbrx` returns it.
    trained : Series
        The row of DBRX in `tables.trained`.

    Returns
    -------
    str
        Markdown.
    """
    size, tokens, quality = trained["parameters"], trained["tokens"], said["data"]
    data, experts, together = (100 * (1 - 1 / said[name]) for name in ("data", "experts", "all"))
    return sentences(
        f"Of DBRX its makers say that the data save {data:.0f}% of the tokens, the experts {experts:.0f}% of "
        f"the compute, and all together nearly {together:.0f}%. The first two "
        f"leave {100 / (quality * said['experts']):g}% of the compute between them, as the third says; none "
        "comes with a measurement.",
        f"If its {scaled(tokens)} tokens count as {scaled(quality * tokens)}, the predicted loss of DBRX "
        f"falls from {law.loss(size, tokens):.3f} to {law.loss(size, quality * tokens):.3f}.",
    )


def good_enough(needed: pd.DataFrame, focus: str, phi: pd.Series, optimal: float) -> str:
    """Return which models no data are good enough for, and that the claim for Phi-3 cannot be tested.

    Parameters
    ----------
    needed : DataFrame
        As `data_worth.quality_needed` returns it.
    focus : str
        Title of the model whose loss is to be reached.
    phi : Series
        The row of Phi-3 mini in `tables.trained`.
    optimal : float
        Tokens per parameter that are compute-optimal for its size.

    Returns
    -------
    str
        Markdown.
    """
    impossible = list(needed.index[~np.isfinite(needed["quality"])])
    it = inflected(len(impossible), "it scores", "they score")
    too_small = (
        f"For {', '.join(impossible)} no data are good enough: by the law the size alone keeps the loss "
        f"above that of {focus}. If {it} as well all the same, then for such models the dense law is wrong."
    )
    return paragraphs(
        sentences(
            "A needed quality below one means that the model could have had worse data and still do as well "
            "by the law.",
            too_small if impossible else "",
        ),
        f"Phi-3 mini saw {phi['ratio']:.0f} tokens per parameter, against {optimal:.0f} at the "
        "compute-optimal point of its size. Its report gives no measure by which a regime would be "
        "data-optimal, so the claim cannot be tested.",
    )


def curation(curated: pd.DataFrame, focus: str, quality: float, unique_tokens: float) -> str:
    """Return what keeping the better part of the data would save at best; nothing where it is no better.

    Parameters
    ----------
    curated : DataFrame
        As `data_worth.curated` returns it, at the compute of the model that is looked at.
    focus : str
        Title of that model.
    quality : float
        What a token that is kept is worth, in ordinary tokens.
    unique_tokens : float
        Distinct tokens that there are.

    Returns
    -------
    str
        Markdown, empty where `quality` is not above 1.
    """
    if quality <= 1:
        return ""
    loss = curated["loss"]
    return (
        f"Data that are {scaled(quality)} times as good save, at the same predicted loss and size, "
        f"{percent(1 - 1 / quality)} of the tokens and of the training compute. At the compute of {focus}, "
        f"keeping one token in {scaled(quality)}, of {scaled(unique_tokens)} in all, each worth "
        f"{scaled(quality)}, "
        f"{_moved(loss['all'], loss['curated'])}; this is the best case, in "
        "which nothing that was dropped would have helped."
    )


def _moved(before: float, after: float) -> str:
    """Say how far a loss moves; what does not show in its digits is said to be less than they show."""
    ends = [f"{loss:.3f}" if loss < 100 else significant(loss) for loss in (before, after)]
    if ends[0] == ends[1]:
        return f"leaves the best loss at {ends[0]}"
    return f"moves the best loss from {ends[0]} to {ends[1]}"


def out_of_data(enough: Allocation, later: pd.DataFrame, frame: pd.DataFrame, focus: str) -> str:
    """Return when the data run out, and what the limit costs at ten and a hundred times that compute.

    Parameters
    ----------
    enough : Allocation
        The compute-optimal model that reads every distinct token once.
    later : DataFrame
        As `data_worth.limited` returns it, at ten and at a hundred times that compute.
    frame : DataFrame
        As `tables.trained` returns it.
    focus : str
        Title of the model that is looked at.

    Returns
    -------
    str
        Markdown.
    """
    ten, hundred = (
        (later["passes"][times * enough.flop], 1000 * (later["loss"] - later["free"])[times * enough.flop])
        for times in (10, 100)
    )
    size = frame["parameters"][focus]
    smaller = (
        f"A smaller model meets the limit at less compute: {focus} has read every token once at "
        f"{power_of_ten(FLOP_PER_TOKEN * size * enough.tokens, 2)} FLOP."
    )
    return sentences(
        f"With {scaled(enough.tokens)} distinct tokens the compute-optimal model runs out of data at "
        f"{power_of_ten(enough.flop, 2)} FLOP; the largest compute of a model here is "
        f"{power_of_ten(frame['flop'].max(), 2)}.",
        f"At ten times that compute the best model reads all of it {ten[0]:.1f} times, and the limit costs "
        f"it {significant(ten[1], 2)} thousandths of a nat; at a hundred times the compute it reads it "
        f"{hundred[0]:.0f} times, at a cost of {significant(hundred[1], 2)}.",
        smaller if size < enough.parameters else "",
    )
