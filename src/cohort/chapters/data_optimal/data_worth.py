"""What data bring: more tokens, better tokens, and tokens that run out, by a scaling law.

Sizes are in parameters, data in tokens, compute in FLOP, losses in nats per token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cohort.chapters.data_optimal.tables import trained
from cohort.chapters.judging import quoted
from cohort.scaling import InfeasibleError, Repetition, ScalingLaw


def learning_curves(law: ScalingLaw, frame: pd.DataFrame, tokens: Sequence[float]) -> pd.DataFrame:
    """Return the predicted loss of each model's size over amounts of data: one column a model.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    frame : DataFrame
        With ``parameters``, indexed by model, as `tables.trained` returns it.
    tokens : sequence of float
        Amounts of data.

    Returns
    -------
    DataFrame
        Losses in nats per token, indexed by ``tokens``.
    """
    return pd.DataFrame(
        {
            name: [law.loss(parameters, each) for each in tokens]
            for name, parameters in frame["parameters"].items()
        },
        index=pd.Index(tokens, name="tokens"),
    )


def model_generations(law: ScalingLaw, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return what the newer of two models of about the same size gains by its tokens.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    pairs : sequence of (str, str)
        Older and newer model.

    Returns
    -------
    DataFrame
        Indexed by the newer model's title: ``older``; ``size`` and ``tokens`` (newer over older); ``loss
        older``, ``loss newer``; ``by tokens``, the share of the fall in loss that the tokens alone bring;
        ``equal size``, the size that the older would have needed at its own tokens (NaN where none is
        enough).
    """
    records = []
    for old, new in pairs:
        frame = trained([old, new])
        (n0, d0), (n1, d1) = frame[["parameters", "tokens"]].to_numpy()
        before, after = law.loss(n0, d0), law.loss(n1, d1)
        records.append(
            {
                "model": frame.index[1],
                "older": frame.index[0],
                "size": n1 / n0,
                "tokens": d1 / d0,
                "loss older": before,
                "loss newer": after,
                "by tokens": (before - law.loss(n0, d1)) / (before - after),
                "equal size": size_for(law, d0, after),
            }
        )
    columns = ["model", "older", "size", "tokens", "loss older", "loss newer", "by tokens", "equal size"]
    return pd.DataFrame(records, columns=columns).set_index("model")


def size_for(law: ScalingLaw, tokens: float, loss: float) -> float:
    """Return the size that reaches a loss on given tokens, NaN where none does.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    tokens : float
        Training tokens.
    loss : float
        The loss that is wanted, in nats per token.

    Returns
    -------
    float
        Parameters.
    """
    swapped = ScalingLaw(E=law.E, A=law.B, B=law.A, alpha=law.beta, beta=law.alpha)
    try:
        return swapped.tokens_for(tokens, loss)
    except InfeasibleError:
        return math.nan


def claims_of_dbrx() -> dict[str, float]:
    """Return by which factors the makers of DBRX say that their data, their experts and all together help.

    Returns
    -------
    dict of str to float
        ``data`` and ``experts`` (tokens and compute saved by each) and ``all`` (compute saved by both).
    """
    said = {
        "data": "quality of the training data over that of MPT, token for token",
        "experts": "compute of training saved by experts at equal quality",
        "all": "compute of training saved at the quality of MPT",
    }
    return {name: quoted("DBRX", quantity) for name, quantity in said.items()}


def quality_needed(law: ScalingLaw, frame: pd.DataFrame, rival: str) -> pd.DataFrame:
    """Return how much better, token for token, data must be for each model to reach a rival's predicted loss.

    Data of quality q count as q times as many tokens, in all models compared with 1 for the rival.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    frame : DataFrame
        As `tables.trained` returns it.
    rival : str
        Title of the model whose predicted loss is to be reached.

    Returns
    -------
    DataFrame
        Per model other than the rival: ``tokens`` and ``ratio`` as trained, ``loss``, and ``quality``,
        infinite where the model is too small for any data.
    """
    target = law.loss(*frame.loc[rival, ["parameters", "tokens"]])
    records = []
    for name, row in frame.drop(rival).iterrows():
        try:
            quality = law.tokens_for(row["parameters"], target) / row["tokens"]
        except InfeasibleError:
            quality = math.inf
        loss = law.loss(row["parameters"], row["tokens"])
        records.append((name, row["tokens"], row["ratio"], loss, quality))
    columns = ["model", "tokens", "ratio", "loss", "quality"]
    return pd.DataFrame(records, columns=columns).set_index("model").astype(float)


def curated(
    law: ScalingLaw,
    flop: float,
    unique_tokens: float,
    quality: float,
    repetition: Repetition | str | None = None,
) -> pd.DataFrame:
    """Return what keeping a part of the data, each token worth more, does to the loss at one compute.

    Of `unique_tokens` the share 1 / `quality` is kept, and each token of it counts as `quality` tokens: the
    best case, in which what is dropped would have added nothing.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    flop : float
        Training compute, in FLOP.
    unique_tokens : float
        Distinct tokens that there are.
    quality : float
        What a token of the kept part is worth, in ordinary tokens; at least 1.
    repetition : Repetition or str, optional
        What a repeated token is worth; by default as `ScalingLaw.compute_optimal` has it.

    Returns
    -------
    DataFrame
        Indexed by data (all, curated): ``parameters``, ``tokens``, ``passes`` over the unique tokens, and
        ``loss``.
    """
    better = law.with_quality(quality)
    records = []
    for name, each, unique in (("all", law, unique_tokens), ("curated", better, unique_tokens / quality)):
        best = each.compute_optimal(flop, unique_tokens=unique, repetition=repetition)
        records.append((name, best.parameters, best.tokens, best.tokens / unique, best.loss))
    columns = ["data", "parameters", "tokens", "passes", "loss"]
    return pd.DataFrame(records, columns=columns).set_index("data")


def limited(
    law: ScalingLaw, flops: Sequence[float], unique_tokens: float, repetition: Repetition | str | None = None
) -> pd.DataFrame:
    """Return the best allocation over computes where the data run out.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    flops : sequence of float
        Training computes, in FLOP.
    unique_tokens : float
        Distinct tokens that there are.
    repetition : Repetition or str, optional
        What a repeated token is worth; by default as `ScalingLaw.compute_optimal` has it.

    Returns
    -------
    DataFrame
        Indexed by ``flop``: ``parameters``, ``tokens``, ``passes`` over the unique tokens, ``loss``, and
        ``free``, the loss with as much data as wanted.
    """
    records = []
    for flop in flops:
        best = law.compute_optimal(flop, unique_tokens=unique_tokens, repetition=repetition)
        passes = max(1.0, best.tokens / unique_tokens)
        records.append(
            (flop, best.parameters, best.tokens, passes, best.loss, law.compute_optimal(flop).loss)
        )
    columns = ["flop", "parameters", "tokens", "passes", "loss", "free"]
    return pd.DataFrame(records, columns=columns).set_index("flop")
