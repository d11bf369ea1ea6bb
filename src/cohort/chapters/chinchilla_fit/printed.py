"""What the Chinchilla paper prints, held against itself, against laws and against exact counts, as tables.

Sizes are in parameters, data in tokens, compute in FLOP.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense
from cohort.architecture.layers import Layer
from cohort.architecture.registered import model
from cohort.display.words import rounding
from cohort.registry import facts
from cohort.scaling import FLOP_PER_TOKEN, ScalingLaw

NAMED = "chinchilla-70b"  # the model that the paper trained in the end: its facts hold for the runs too


def _half_unit(printed: str) -> float:
    """Return half a unit of the last digit of a printed number, relative to it."""
    mantissa = printed.lower().partition("e")[0]
    decimals = len(mantissa.partition(".")[2])
    return float(0.5 * 10.0**-decimals / float(mantissa))


def advice() -> pd.DataFrame:
    """Return the paper's tables of compute-optimal models, with what its own digits say of them.

    Returns
    -------
    DataFrame
        ``approach``, ``parameters``, ``flop`` and ``tokens`` as printed; ``ratio``, the printed compute over
        6 FLOP a parameter and token; ``rounding``, how far rounding of the digits alone can move that; and
        ``misprint``: whether it is further from 1.
    """
    records = []
    for row in facts.rows("chinchilla_advice"):
        size, flop, tokens = (float(row[key]) for key in ("parameters", "flop", "tokens"))
        ratio = flop / (FLOP_PER_TOKEN * size * tokens)
        # Sizes are printed in round numbers, which are exact but for 67B.
        slack = _half_unit(row["flop"]) + _half_unit(row["tokens"]) + (0.5 / 67 if size == 67e9 else 0)
        records.append((int(row["approach"]), size, flop, tokens, ratio, slack, abs(ratio - 1) > slack))
    columns = ["approach", "parameters", "flop", "tokens", "ratio", "rounding", "misprint"]
    return pd.DataFrame(records, columns=columns)


def implied_exponents(smallest: float = 1e9) -> pd.Series:
    """Return the exponent of the size that each printed table implies, from `smallest` to its end.

    Parameters
    ----------
    smallest : float
        Parameters from which on a table is read: below, its digits are too few.

    Returns
    -------
    Series
        Indexed by approach.
    """
    found = {}
    for approach, rows in advice().groupby("approach"):
        chosen = rows[rows["parameters"] >= smallest]
        sizes, flops = (chosen[name].agg(["min", "max"]) for name in ("parameters", "flop"))
        found[approach] = np.log(sizes["max"] / sizes["min"]) / np.log(flops["max"] / flops["min"])
    return pd.Series(found, name="exponent").rename_axis("approach")


def against_advice(named: Mapping[str, ScalingLaw]) -> pd.DataFrame:
    """Return the compute at which each law advises the printed sizes, over the printed compute.

    Rows whose compute is a misprint by the factor of ten count with the compute that their tokens imply.

    Parameters
    ----------
    named : mapping of str to ScalingLaw
        Laws by what they are called.

    Returns
    -------
    DataFrame
        One row an approach and a law: ``approach``, ``law``, ``lowest``, ``median`` and ``highest`` ratio.
    """
    printed = advice()
    wrong = (printed["ratio"] < 0.5) | (printed["ratio"] > 2)
    flop = printed["flop"].where(~wrong, FLOP_PER_TOKEN * printed["parameters"] * printed["tokens"])
    records = []
    for name, each in named.items():
        ratios = (
            pd.Series([each.compute_optimal(parameters=size).flop for size in printed["parameters"]]) / flop
        )
        for approach, rows in ratios.groupby(printed["approach"]):
            records.append((approach, name, rows.min(), rows.median(), rows.max()))
    columns = ["approach", "law", "lowest", "median", "highest"]
    return pd.DataFrame(records, columns=columns)


def size_errors(named: Mapping[str, ScalingLaw]) -> pd.DataFrame:
    """Return the size that each law advises at the printed computes of approaches 1 and 2, over the printed.

    These two approaches read the optimum off training curves and fit no law.

    Parameters
    ----------
    named : mapping of str to ScalingLaw
        Laws by what they are called.

    Returns
    -------
    DataFrame
        Indexed by law, for each approach the ``median`` and the ``largest`` factor between the two sizes.
    """
    printed = advice()
    records = []
    for name, each in named.items():
        record: dict[str, float | str] = {"law": name}
        for approach in (1, 2):
            rows = printed[printed["approach"] == approach]
            sizes = np.array([each.compute_optimal(flop).parameters for flop in rows["flop"]])
            factor = np.exp(np.abs(np.log(sizes / rows["parameters"].to_numpy())))
            record[f"approach {approach}, median"] = float(np.median(factor))
            record[f"approach {approach}, largest"] = float(factor.max())
        records.append(record)
    return pd.DataFrame(records).set_index("law")


def chinchilla_model(row: Mapping[str, str]) -> ModelSpec:
    """Return a model of table A9: relative positions, biases of the queries, keys, values and feed-forward.

    Several sets of biases give the same count to the printed digit; the paper does not say which it has.

    Parameters
    ----------
    row : mapping of str to str
        A row of the table `chinchilla_models`.

    Returns
    -------
    ModelSpec
        With the vocabulary of Chinchilla itself, and its head tied to the embedding.
    """
    hidden, width, size, heads, layers = (
        int(row[name]) for name in ("hidden", "feed_forward", "head_dim", "heads", "layers")
    )
    layer = Layer(
        GroupedQuery(heads, heads, size, bias=True, position_projection=True),
        Dense(width, gated=False, bias=True),
        norm_weights=2 * hidden,
    )
    return ModelSpec(
        name=f"chinchilla-{row['parameters']}",
        family="chinchilla",
        hidden=hidden,
        vocabulary=model(NAMED).vocabulary,
        layers=(layer,) * layers,
        tied=True,
        norm_weights=hidden,
    )


def _flop_per_token(spec: ModelSpec) -> float:
    """Return training FLOP a token as table A4 counts them, over whole sequences.

    Projections, the full square of the scores with three operations for the softmax, and the feed-forward;
    not the projection of positions, the embedding or the logits, which the text of the paper names.
    """
    layer = spec.layers[0]
    attention, inner_layer = layer.attention, layer.feedforward
    assert isinstance(attention, GroupedQuery) and inner_layer is not None
    inner = attention.heads * attention.head_dim
    sequence = int(facts.of_model(NAMED)["training_context"].value)
    scores = 4 * inner * sequence + 3 * attention.heads * sequence
    forward = 2 * 4 * spec.hidden * inner + scores + 2 * inner_layer.matmul_parameters(spec.hidden)
    return 3.0 * len(spec.layers) * forward


def chinchilla_models() -> pd.DataFrame:
    """Return the models of table A9: printed beside counted, and the ratios of table A4.

    Returns
    -------
    DataFrame
        Indexed by the printed size in millions: ``counted`` parameters, ``exact`` (whether they round to the
        printed millions), ``gap`` (counted / printed - 1), ``square`` (the gap if heads were hidden size /
        heads wide, as other counters assume), ``printed ratio`` and ``counted ratio`` of training compute to
        6 FLOP a parameter and token, empty for models that table A4 does not list.
    """
    records = []
    for row in facts.rows("chinchilla_models"):
        spec, printed = chinchilla_model(row), int(row["parameters"])
        square = chinchilla_model(row | {"head_dim": str(int(row["hidden"]) // int(row["heads"]))})
        millions = f"{printed // 10**6}"
        listed = bool(row["flop_ratio"])
        records.append(
            {
                "million": int(millions),
                "counted": spec.parameters,
                "exact": rounding(spec.parameters / 1e6, millions) == "rounded",
                "gap": spec.parameters / printed - 1,
                "square": square.parameters / printed - 1,
                "printed ratio": float(row["flop_ratio"]) if listed else np.nan,
                "counted ratio": _flop_per_token(spec) / (FLOP_PER_TOKEN * spec.parameters)
                if listed
                else np.nan,
            }
        )
    return pd.DataFrame(records).set_index("million")
