"""What the makers' changes save when a model is served: each undone, and served as cheaply as can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import group, title
from cohort.architecture.registered import model as read_model
from cohort.architecture.variants import heads_and_size, main_attention, with_all_experts, with_attention
from cohort.display.published_values import disclosed
from cohort.errors import CohortError
from cohort.planning import Demand, Limits, llama_like
from cohort.planning.designing import worth
from cohort.planning.search import cheapest_option
from cohort.scaling.dense_laws import law

HEADS = "keys and values shared by heads"
EXPERTS = "few experts asked"
DATA = "smaller, and trained for longer"


def undone(spec: ModelSpec) -> Iterator[tuple[str, ModelSpec]]:
    """Yield each change that a maker made for less, with the model as it would be without it.

    Parameters
    ----------
    spec : ModelSpec
        The model.

    Yields
    ------
    tuple of str and ModelSpec
        What was changed, and the model with a key and a value for each head, with all its experts active, or
        of the compute-optimal size for the loss that the law predicts for it.
    """
    main = main_attention(spec)
    heads, size = heads_and_size(spec)
    if main.kind != "MHA" and not main.kind.startswith("linear"):
        yield HEADS, with_attention(spec, GroupedQuery(heads, heads, size))
    if spec.experts is not None:
        yield EXPERTS, with_all_experts(spec)
    known = [tokens for each, tokens, _ in disclosed([spec.name]) if each.name == spec.name]
    if known and spec.registered:
        chinchilla = law("besiroglu")
        best = chinchilla.compute_optimal(loss=float(chinchilla.loss(worth(spec), known[0])))
        if best.parameters > worth(spec):
            yield DATA, llama_like(best.parameters)


def undone_prices(accelerators: Sequence[str], demand: Demand, limits: Limits) -> pd.DataFrame:
    """Return what each change of the cohort's models saves of the price of a token.

    Parameters
    ----------
    accelerators, demand, limits
        As `cohort.planning.plan` takes them.

    Returns
    -------
    DataFrame
        One row a model and change: ``model``, ``change``, ``usd`` and ``undone`` for a million tokens with
        and without it, and ``times`` as much it would cost; infinite where the model would not fit.
    """
    rows = []
    for name in group("cohort"):
        spec = read_model(name)
        now = _price(spec, accelerators, demand, limits)
        if now is None:
            continue
        for change, other in undone(spec):
            before = _price(other, accelerators, demand, limits)
            times = float("inf") if before is None else before / now
            rows.append((title(spec), change, now, before, times))
    return pd.DataFrame(rows, columns=["model", "change", "usd", "undone", "times"])


def _price(spec: ModelSpec, accelerators: Sequence[str], demand: Demand, limits: Limits) -> float | None:
    """Return the lowest price of a million tokens, or None where nothing serves the model."""
    try:
        option, _ = cheapest_option(spec, list(accelerators), demand, limits, weight_dtypes=["bf16"])
    except CohortError:
        return None
    return None if option is None else option.usd_per_million_tokens
