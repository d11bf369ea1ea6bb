"""The Chinchilla runs, what is fitted to them, and what was published of both, as tables.

Sizes are in parameters, data in tokens, compute in FLOP, losses in nats per token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import Dense, Layer, ModelSpec
from cohort.architecture.registered import model
from cohort.display.words import rounding, scaled
from cohort.errors import ParameterError, positive
from cohort.fitting import LOSSES, Bootstrap, Fit, predicted
from cohort.fitting.chinchilla_runs import fit_runs, of_chinchilla, relative_errors, runs
from cohort.registry import facts
from cohort.scaling.dense_laws import FLOP_PER_TOKEN, ScalingLaw, law, laws

NAMED = "chinchilla-70b"  # the model that the paper trained in the end: its facts hold for the runs too


Quantity = Callable[[ScalingLaw], float]


def certificate(found: Fit) -> pd.DataFrame:
    """Return what shows that a fit is a minimum, for readers."""
    rows = {
        "runs": f"{len(found.runs.losses)}",
        LOSSES[found.loss]: f"{found.objective:.14g}",
        "norm of its gradient": f"below {_ceiling(found.gradient_norm)}",
        "smallest eigenvalue of its Hessian": f"{found.smallest_eigenvalue:.3g}"
        if np.isfinite(found.smallest_eigenvalue)
        else "no direction is free",
        "starts that end there": f"{found.starts_agreeing} of {found.starts}",
    }
    return pd.DataFrame({"value": rows}).rename_axis("certificate")


def _ceiling(norm: float) -> str:
    """Return a power of ten above a norm, whose digits are rounding; never below what any machine attains."""
    return f"1e-{min(10, int(-np.log10(max(norm, 1e-300))))}"


def quantities(flop: float, use: float) -> dict[str, tuple[str, Quantity]]:
    """Return the quantities whose intervals are shown: coefficients, and what follows at a compute.

    Parameters
    ----------
    flop : float
        Compute at which the policy is asked for.
    use : float
        Tokens of use of the model that reaches the loss of the compute-optimal one with the least compute of
        training and use together; each law takes its own such loss.

    Returns
    -------
    dict
        What it is called -> its unit and a function of a law.
    """
    return {
        "E": ("nats per token", lambda each: each.E),
        "A": ("nats per token", lambda each: each.A),
        "B": ("nats per token", lambda each: each.B),
        "alpha": ("", lambda each: each.alpha),
        "beta": ("", lambda each: each.beta),
        "exponent of the size, a": ("", lambda each: each.parameters_exponent),
        "best size": ("parameters", lambda each: each.compute_optimal(flop).parameters),
        "best amount of data": ("tokens", lambda each: each.compute_optimal(flop).tokens),
        "tokens per parameter": ("ratio", lambda each: each.compute_optimal(flop).tokens_per_parameter),
        "loss there": ("nats per token", lambda each: each.compute_optimal(flop).loss),
        "best size with use": (
            "parameters",
            lambda each: each.inference_optimal(each.compute_optimal(flop).loss, use).parameters,
        ),
    }


def intervals(
    found: Fit, boot: Bootstrap, asked: Mapping[str, tuple[str, Quantity]], level: float = 0.95
) -> pd.DataFrame:
    """Return quantities of a fitted law with their intervals, from one estimator.

    Returns
    -------
    DataFrame
        Indexed by what each is called: ``value``, ``low``, ``high`` and ``unit``.
    """
    records = []
    for name, (unit, quantity) in asked.items():
        values = boot.values(quantity)
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
        records.append((name, quantity(found.law), low, high, unit))
    columns = ["quantity", "value", "low", "high", "unit"]
    return pd.DataFrame(records, columns=columns).set_index("quantity")


def readable_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of `intervals` for readers: four digits, large numbers in words."""
    shown = table[["value", "low", "high"]].map(lambda value: scaled(value, 4))
    shown["unit"] = table["unit"]
    return shown


def published_laws(found: Fit, flop: float) -> pd.DataFrame:
    """Return the published laws on the fitted runs.

    Returns
    -------
    DataFrame
        Indexed by law, the fit first: its coefficients, ``excess`` (objective over the minimum, less one),
        ``median error`` (absolute, of observed over predicted), and the ``parameters`` and ``ratio`` (tokens
        per parameter) that it advises at `flop`.
    """
    named = {"this fit": found.law} | {name: law(name) for name in laws() if of_chinchilla(name)}
    records = []
    for name, each in named.items():
        best = each.compute_optimal(flop)
        residuals = found.runs.losses / predicted(each, found.runs) - 1
        records.append(
            {
                "law": name,
                **{key: getattr(each, key) for key in ("E", "A", "B", "alpha", "beta")},
                "excess": found.score(each) / found.objective - 1,
                "median error": float(np.median(np.abs(residuals))),
                "parameters": best.parameters,
                "ratio": best.tokens_per_parameter,
            }
        )
    return pd.DataFrame(records).set_index("law")


def choices(flop: float, dropped: Sequence[int], delta: float, resamples: int, seed: int) -> pd.DataFrame:
    """Return how the advice moves with the estimator and with the runs left out.

    Returns
    -------
    DataFrame
        One row an estimator and a number of dropped runs: ``estimator``, ``dropped``, ``beta``, ``a`` (the
        exponent of the size), ``ratio`` (tokens per parameter at `flop`) with ``low`` and ``high``, its 95%
        interval by the same estimator.
    """
    records = []
    for number in dict.fromkeys(dropped):
        frame = runs(number)
        for name in LOSSES:
            found = fit_runs(frame, name, delta)
            ratios = found.bootstrap(resamples, seed).values(
                lambda each: each.compute_optimal(flop).tokens_per_parameter
            )
            low, high = np.quantile(ratios, [0.025, 0.975])
            records.append(
                {
                    "estimator": name,
                    "dropped": number,
                    "beta": found.law.beta,
                    "a": found.law.parameters_exponent,
                    "ratio": found.law.compute_optimal(flop).tokens_per_parameter,
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(records)


# --- what the paper prints


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
    """Return the exponent of the size that each printed table implies, from `smallest` to its end."""
    found = {}
    for approach, rows in advice().groupby("approach"):
        chosen = rows[rows["parameters"] >= smallest]
        sizes, flops = (chosen[name].agg(["min", "max"]) for name in ("parameters", "flop"))
        found[approach] = np.log(sizes["max"] / sizes["min"]) / np.log(flops["max"] / flops["min"])
    return pd.Series(found, name="exponent").rename_axis("approach")


def against_advice(named: Mapping[str, ScalingLaw]) -> pd.DataFrame:
    """Return the compute at which each law advises the printed sizes, over the printed compute.

    Rows whose compute is a misprint by the factor of ten count with the compute that their tokens imply.

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
    attention = layer.attention
    assert isinstance(attention, GroupedQuery)
    inner = attention.heads * attention.head_dim
    sequence = int(facts.of_model(NAMED)["training_context"].value)
    scores = 4 * inner * sequence + 3 * attention.heads * sequence
    forward = 2 * 4 * spec.hidden * inner + scores + 2 * layer.feedforward.matmul_parameters(spec.hidden)
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


# --- runs that the fit has not seen


def held_out(frame: pd.DataFrame, flop: float, loss: str, delta: float) -> pd.DataFrame:
    """Return how a law fitted to the runs below a compute describes them and predicts those above it.

    Parameters
    ----------
    frame : DataFrame
        As `runs` returns it; dropped runs take no part.
    flop : float
        Where the runs are cut in two.
    loss, delta
        As for `cohort.fitting.fit`.

    Returns
    -------
    DataFrame
        The runs with ``fitted``, whether they are below the cut, and ``error``, observed / predicted - 1.

    Raises
    ------
    ParameterError
        If either side of the cut has fewer than ten runs.
    """
    cut = positive("flop", flop)
    kept = frame[~frame["dropped"]]
    kept = kept.assign(fitted=kept["flop"] < cut)
    below, above = int(kept["fitted"].sum()), int((~kept["fitted"]).sum())
    if min(below, above) < 10:
        raise ParameterError(
            f"a cut at {cut:g} FLOP leaves {below} runs below and {above} above; each side needs at least 10"
        )
    return kept.assign(error=relative_errors(fit_runs(kept[kept["fitted"]], loss, delta).law, kept))
