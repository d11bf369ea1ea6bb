"""What a model's use is worth: the best size for a volume of use, its price, and tokens for a daily sum.

Sizes are in parameters, data and use in tokens, compute in FLOP, losses in nats per token, prices in USD.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
import pandas as pd

from cohort.architecture.registered import model as read_model
from cohort.chapters.data_optimal.tables import TAIL
from cohort.errors import ParameterError, positive, shown
from cohort.fitting import Bootstrap
from cohort.footprint.published_runs import run_rows
from cohort.registry.devices import accelerator as find_accelerator
from cohort.scaling import SERVING_FLOP_PER_TOKEN, Allocation, Lifetime, Price, ScalingLaw


def best_sizes(
    law: ScalingLaw, loss: float, uses: Sequence[float], boot: Bootstrap | None = None
) -> pd.DataFrame:
    """Return the best size for a loss over volumes of use, as a share of the compute-optimal size.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    loss : float
        The loss that is wanted, in nats per token.
    uses : sequence of float
        Volumes of use, in tokens.
    boot : Bootstrap, optional
        Of the fit behind the law: gives the ends of the 95% interval of the size.

    Returns
    -------
    DataFrame
        Indexed by ``use`` in tokens: ``size`` and ``tokens`` over those of the compute-optimal model,
        ``saved`` (compute of training and use saved by it, as a share); with `boot`, ``low`` and ``high`` of
        the size, where each law takes its own loss at the same compute.

    Raises
    ------
    InfeasibleError
        If no model reaches that loss.
    """
    plain = law.compute_optimal(loss=loss)
    plains = [each.compute_optimal(plain.flop) for each in boot.laws] if boot else []
    records = []
    for use in uses:
        best = law.inference_optimal(loss, use)
        record = {
            "use": use,
            "size": best.parameters / plain.parameters,
            "tokens": best.tokens / plain.tokens,
            "saved": 1 - total_flop(best, use) / total_flop(plain, use),
        }
        if boot:
            shares = [
                each.inference_optimal(other.loss, use).parameters / other.parameters
                for each, other in zip(boot.laws, plains, strict=True)
            ]
            record["low"], record["high"] = map(float, np.quantile(shares, TAIL))
        records.append(record)
    return pd.DataFrame(records).set_index("use")


def total_flop(allocation: Allocation, use: float) -> float:
    """Return the compute of training and of `use` tokens of use.

    Parameters
    ----------
    allocation : Allocation
        Size and data of a model.
    use : float
        Tokens that it reads and writes.

    Returns
    -------
    float
        FLOP.
    """
    return allocation.flop + SERVING_FLOP_PER_TOKEN * allocation.parameters * use


def dollars(law: ScalingLaw, loss: float, lifetime: Lifetime) -> pd.DataFrame:
    """Return what a loss costs over a lifetime of use, by what the size was chosen for.

    Parameters
    ----------
    law : ScalingLaw
        The law to judge by.
    loss : float
        The loss that is wanted, in nats per token.
    lifetime : Lifetime
        Use and prices.

    Returns
    -------
    DataFrame
        Indexed by choice (training compute alone, all compute, all dollars): ``parameters``, ``tokens``, and
        ``training``, ``use`` and ``all`` in dollars.

    Raises
    ------
    InfeasibleError
        If no model reaches that loss.
    """
    use = lifetime.input_tokens + lifetime.output_tokens
    chosen = {
        "least training compute": law.compute_optimal(loss=loss),
        "least compute": law.inference_optimal(loss, use),
        "least dollars": law.inference_optimal(loss, lifetime.equivalent_tokens),
    }
    records = []
    for name, each in chosen.items():
        training = each.flop * lifetime.training.usd_per_flop
        whole = lifetime.usd(each.parameters, each.tokens)
        records.append((name, each.parameters, each.tokens, training, whole - training, whole))
    columns = ["chosen for", "parameters", "tokens", "training", "use", "all"]
    return pd.DataFrame(records, columns=columns).set_index("chosen for")


def lifetime(
    inference_tokens: float,
    output_share: float,
    usd_per_hour: float,
    peak_flop_per_s: float,
    utilisations: tuple[float, float, float],
) -> Lifetime:
    """Return use and prices on one kind of accelerator.

    Parameters
    ----------
    inference_tokens : float
        Tokens read and written.
    output_share : float
        Share of them that is written, from 0 to 1.
    usd_per_hour, peak_flop_per_s : float
        Price and dense peak of one accelerator.
    utilisations : tuple of three floats
        Shares of the peak that training, reading and writing attain.

    Returns
    -------
    Lifetime
        Tokens that are read and written, and the prices of training, reading and writing.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """
    number = isinstance(output_share, Real) and not isinstance(output_share, bool)
    if not number or not 0 <= output_share <= 1:
        raise ParameterError(f"output_share is {shown(output_share)}, but must be from 0 to 1")
    tokens = positive("inference_tokens", inference_tokens)
    training, prefill, decode = (Price(usd_per_hour, peak_flop_per_s, share) for share in utilisations)
    return Lifetime(tokens * (1 - output_share), tokens * output_share, training, prefill, decode)


def tokens_a_day(usd_per_day: float, parameters: float, price: Price) -> float:
    """Return the tokens of use that a daily sum pays for, by compute alone.

    Parameters
    ----------
    usd_per_day : float
        The sum.
    parameters : float
        Size of the model.
    price : Price
        What an operation of use costs.

    Returns
    -------
    float
        Tokens a day.
    """
    return usd_per_day / (SERVING_FLOP_PER_TOKEN * parameters * price.usd_per_flop)


def stated_hours(model: str, accelerator: str) -> float | None:
    """Return for how many hours of an accelerator a model was trained, as its makers state.

    Parameters
    ----------
    model, accelerator : str
        Their names; a model also by its path.

    Returns
    -------
    float or None
        Hours; None where none or a bound alone is stated, or those of another accelerator.

    Raises
    ------
    CohortError
        If there is no such model or accelerator.

    Examples
    --------
    >>> stated_hours("llama-3-8b", "H100 SXM 80GB"), stated_hours("llama-3-8b", "H200")
    (1300000.0, None)
    """
    spec, rows = read_model(model), run_rows(read_model(model).name)
    used, hours = rows.get("accelerator"), rows.get("accelerator_hours")
    if not spec.registered or not used or not hours or hours["qualifier"]:
        return None
    return float(hours["value"]) if used["value"] == find_accelerator(accelerator).name else None
