"""Published loss laws of mixtures of experts, and the dense models that they take for equally good.

Each law has its own inputs: `Shape` holds those of a model. None was fitted to models of the size that
serves today; `outside` says in what a model lies beyond the runs of a law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Residual
from cohort.errors import bounded, positive
from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.registry.names import Names
from cohort.scaling.mixture_forms import BilinearLaw, GranularLaw, MixtureAllocation, SparsityLaw
from cohort.scaling.mixture_joint import JointLaw, LeverageLaw

__all__ = [
    "BilinearLaw",
    "GranularLaw",
    "JointLaw",
    "LeverageLaw",
    "MixtureAllocation",
    "RoutedLaw",
    "Shape",
    "SparsityLaw",
    "dense_equivalent",
    "geometric_mean",
    "outside",
    "ranges",
    "routed_law",
    "routed_laws",
    "shape",
]


@dataclass(frozen=True, slots=True)
class Shape:
    """What the laws ask of a mixture of experts.

    Attributes
    ----------
    active, total : float
        Parameters that a token passes through, and all, without embeddings and output head.
    expansion : float
        Inner width of all feed-forward networks of a layer over that which a token passes through, shared
        experts and a dense network beside them included.
    granularity : float
        Inner width that a token passes through over that of one routed expert.
    sparsity : float
        Share of the routed experts that a token is not sent to.
    fineness : float
        Twice the hidden size over the width of a routed expert; half for an expert of the usual four times
        the hidden size.
    """

    active: float
    total: float
    expansion: float
    granularity: float
    sparsity: float
    fineness: float = 0.5

    def __post_init__(self) -> None:
        for name in ("active", "expansion", "granularity", "fineness"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))
        total = bounded("total", self.total, self.active, unit="parameters, those that are active")
        object.__setattr__(self, "total", total)
        object.__setattr__(self, "sparsity", bounded("sparsity", self.sparsity, 0, 1, below=True))


def shape(spec: ModelSpec) -> Shape:
    """Return what the laws ask of a model.

    Parameters
    ----------
    spec : ModelSpec
        A model; a dense one has an expansion and a granularity of 1 and no sparsity.

    Returns
    -------
    Shape
        Without embeddings and output head.

    Examples
    --------
    >>> import cohort
    >>> mixtral = shape(cohort.model("mixtral-8x7b-v0.1"))
    >>> mixtral.expansion, mixtral.granularity, mixtral.sparsity
    (4.0, 2.0, 0.75)
    """
    outside = spec.embedding_parameters + spec.head_parameters
    active, total = spec.active_parameters - outside, spec.parameters - outside
    experts = spec.experts
    if experts is None:
        return Shape(active, total, 1.0, 1.0, 0.0)
    layer = next(each for each in spec.layers if each.experts)
    beside = experts.shared * (experts.shared_width or experts.width)
    if isinstance(layer.feedforward, Residual):
        beside += layer.feedforward.dense.width
    passed = experts.active * experts.width + beside
    return Shape(
        active=active,
        total=total,
        expansion=(experts.count * experts.width + beside) / passed,
        granularity=passed / experts.width,
        sparsity=1 - experts.active / experts.count,
        fineness=2 * spec.hidden / experts.width,
    )


RoutedLaw = BilinearLaw | GranularLaw | SparsityLaw | JointLaw | LeverageLaw
DENSE = "krajewski-dense"


def routed_laws() -> list[str]:
    """Return the names of the published laws, as `routed_law` takes them."""
    return list(dict.fromkeys(row["law"] for row in facts.rows("routed_laws")))


@lru_cache(maxsize=1)
def _names() -> Names:
    """Return the laws by all of their spellings."""
    return Names("law of mixtures", routed_laws())


@lru_cache(maxsize=32)
def routed_law(name: str) -> RoutedLaw:
    """Return a published law of mixtures of experts.

    Parameters
    ----------
    name : str
        A name from `routed_laws`, in any usual spelling.

    Returns
    -------
    BilinearLaw, GranularLaw, SparsityLaw, JointLaw or LeverageLaw
        Its coefficients, as printed.

    Raises
    ------
    UnknownNameError
        If there is no such law; the message names the nearest.

    See Also
    --------
    ranges : What the law was fitted on.
    dense_equivalent : The dense model that it takes for as good.

    Examples
    --------
    >>> round(routed_law("krajewski-64").loss(total=1e10, tokens=1e11, granularity=8), 3)
    2.54
    """
    name = _names().find(name)
    values = {row["quantity"]: float(row["value"]) for row in facts.rows("routed_laws") if row["law"] == name}
    if "omega" in values:
        return JointLaw(**values)
    if "A_start" in values:
        return LeverageLaw(**values)
    if "E_start" in values:
        return BilinearLaw(**values)
    if "lambda" in values:
        return SparsityLaw(lambda_=values.pop("lambda"), **values)
    return _granular(name, values)


def _granular(name: str, values: dict[str, float]) -> GranularLaw:
    """Return a law of Krajewski et al., beside that of their dense models where it is another."""
    found = GranularLaw(*(values[key] for key in ("a", "alpha", "b", "beta", "c")))
    if name == DENSE:
        return found
    dense = routed_law(DENSE)
    assert isinstance(dense, GranularLaw)
    of_experts = {key: values[key] for key in ("g", "gamma")}
    return replace(found, **of_experts, expansion=ranges(name)["expansion"][0], dense=dense)


def ranges(name: str) -> dict[str, tuple[float, float]]:
    """Return what a law was fitted on: for each quantity the smallest and the largest value.

    Parameters
    ----------
    name : str
        A name from `routed_laws`.

    Returns
    -------
    dict of str to pair of float
        By quantity.

    Raises
    ------
    UnknownNameError
        If there is no such law; the message names the nearest.

    Examples
    --------
    >>> ranges("krajewski-64")["granularity"]
    (1.0, 16.0)
    """
    name = _names().find(name)
    rows = [row for row in facts.rows("routed_law_ranges") if row["law"] == name]
    return {row["quantity"]: (float(row["low"]), float(row["high"])) for row in rows}


def outside(name: str, model: Shape, tokens: float | None = None) -> dict[str, float]:
    """Return in what a model lies beyond the runs of a law, and how many times.

    Parameters
    ----------
    name : str
        A name from `routed_laws`.
    model : Shape
        The model.
    tokens : float, optional
        Its training tokens, where they are known.

    Returns
    -------
    dict
        For each quantity that is beyond: the model's value over the nearest end of the range, so below 1
        where it is below; for the sparsity, the share of experts in use at that end over the model's.

    Raises
    ------
    UnknownNameError
        If there is no such law; the message names the nearest.
    """
    values = {
        "active parameters": model.active,
        "total parameters": model.total,
        "expansion": model.expansion,
        "granularity": model.granularity,
        "sparsity": model.sparsity,
        "tokens": tokens,
    }
    beyond = {}
    for quantity, (low, high) in ranges(name).items():
        value = values[quantity]
        if value is None or low <= value <= high:
            continue
        if quantity == "sparsity":  # by the share of experts in use, which is what the law has powers of
            beyond[quantity] = (1 - high) / (1 - value)
        else:
            beyond[quantity] = value / (high if value > high else low)
    return beyond


def dense_equivalent(name: str, model: Shape, tokens: float) -> float:
    """Return the parameters of the dense model that a law takes for as good as a mixture.

    Parameters
    ----------
    name : str
        A name from `routed_laws`, not that of dense models.
    model : Shape
        The mixture.
    tokens : float
        Training tokens, on which the laws of Krajewski et al., Ludziejewski et al. and Tian et al. depend.

    Returns
    -------
    float
        Parameters, without embeddings and output head, as those of the mixture.

    Raises
    ------
    UnknownNameError
        If there is no such law; the message names the nearest.
    InfeasibleError
        If no dense model is as good by the law.

    See Also
    --------
    outside : In what a model lies beyond the runs of a law.
    geometric_mean : A rule of thumb.

    Examples
    --------
    >>> import cohort
    >>> mixtral = shape(cohort.model("mixtral-8x7b-v0.1"))
    >>> f'{dense_equivalent("krajewski-64", mixtral, tokens=1e12):.2g}'
    '1.1e+10'
    """
    found = routed_law(name)
    if isinstance(found, BilinearLaw):
        return found.dense_equivalent(model.active, model.expansion)
    if isinstance(found, SparsityLaw):
        return found.dense_equivalent(model.total, model.sparsity)
    if isinstance(found, JointLaw):
        return found.dense_equivalent(model.active, tokens, model.expansion)
    if isinstance(found, LeverageLaw):
        return found.dense_equivalent(model.active, tokens, 1 / model.expansion, model.fineness)
    return found.dense_equivalent(model.total, tokens, model.granularity)


def geometric_mean(model: Shape) -> float:
    """Return the square root of total times active parameters: a rule of thumb that no report derives.

    Parameters
    ----------
    model : Shape
        The mixture.

    Returns
    -------
    float
        Parameters, without embeddings and output head.

    Examples
    --------
    >>> geometric_mean(Shape(active=1e9, total=4e9, expansion=8, granularity=1, sparsity=0.875))
    2000000000.0
    """
    return math.sqrt(model.total * model.active)


explain(__name__)
