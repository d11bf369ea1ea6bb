"""What a mixture holds, as tables: where its weights are, and the dense models beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.feedforward import Dense, Experts, FeedForward, Residual
from cohort.architecture.registered import group, specs, title
from cohort.architecture.registered import model as read_model
from cohort.architecture.variants import with_feedforward
from cohort.display import published_values
from cohort.errors import ParameterError, shown
from cohort.registry import facts
from cohort.registry.devices import Accelerator
from cohort.registry.devices import accelerator as find_accelerator
from cohort.serving.memory import memory_budget
from cohort.serving.roofline import weights_read


def mixtures(models: Sequence[str]) -> list[ModelSpec]:
    """Return those of several models that have experts.

    Parameters
    ----------
    models : sequence of str
        Names or paths.

    Returns
    -------
    list of ModelSpec
        In the order given.

    Raises
    ------
    ParameterError
        If none has.
    UnknownNameError
        If there is no model of a name.
    """
    found = [spec for spec in specs(models) if spec.experts]
    if not found:
        raise ParameterError(
            f"models is {shown(list(models))}, but must name at least one mixture of experts"
        )
    return found


def mixture(model: str) -> ModelSpec:
    """Return a model with experts.

    Parameters
    ----------
    model : str
        A name or a path.

    Returns
    -------
    ModelSpec
        The mixture.

    Raises
    ------
    ParameterError
        If it has none.
    UnknownNameError
        If there is no such model.
    """
    spec = read_model(model)
    if spec.experts is None:
        known = ", ".join(each.name for each in map(read_model, facts.config_names()) if each.experts)
        raise ParameterError(f"model is {spec.name}, which is dense, but must be a mixture; known: {known}")
    return spec


def experts_of(spec: ModelSpec) -> Experts:
    """Return the experts of a mixture.

    Parameters
    ----------
    spec : ModelSpec
        A model.

    Returns
    -------
    Experts
        Those of a layer; all layers with experts have the same.

    Raises
    ------
    ParameterError
        If the model is dense.
    """
    if spec.experts is None:
        raise ParameterError(f"model is {spec.name}, which is dense, but must be a mixture")
    return spec.experts


PARTS = ("routed experts", "shared or beside", "routers", "dense layers", "attention and norms", "vocabulary")


def anatomy(models: Sequence[str]) -> pd.DataFrame:
    """Return where the weights of mixtures are, counted exactly.

    Parameters
    ----------
    models : sequence of str
        Names or paths; dense ones are left out.

    Returns
    -------
    DataFrame
        Per model whole numbers of weights: ``routed experts``, ``shared or beside`` (experts or dense
        networks that every token of such a layer passes through), ``routers``, ``dense layers`` (the
        feed-forward networks of layers without experts), ``attention and norms``, ``vocabulary`` (embedding
        and output head), ``total`` and ``active``.

    Raises
    ------
    CohortError
        As in `mixtures`.
    """
    return pd.DataFrame.from_dict(
        {title(spec): _anatomy(spec) for spec in mixtures(models)}, orient="index"
    ).rename_axis("model")


def _anatomy(spec: ModelSpec) -> dict[str, int]:
    parts = dict.fromkeys(PARTS, 0)
    for layer in spec.layers:
        whole, mixed = layer.feedforward_parameters(spec.hidden), layer.experts
        if mixed is None:
            parts["dense layers"] += whole
            continue
        routed_ = mixed.count * mixed.expert_parameters(spec.hidden)
        plain = replace(mixed, shared=0, shared_gate=False, latent=None, unused=0)
        router = plain.parameters(spec.hidden) - plain.count * plain.expert_parameters(spec.hidden)
        parts["routed experts"] += routed_
        parts["routers"] += router
        parts["shared or beside"] += whole - routed_ - router
    parts["vocabulary"] = spec.embedding_parameters + spec.head_parameters
    parts["attention and norms"] = spec.parameters - sum(parts.values())
    return {**parts, "total": spec.parameters, "active": spec.active_parameters}


def active_by_convention(models: Sequence[str]) -> pd.DataFrame:
    """Return which count gives each published number of active parameters.

    Parameters
    ----------
    models : sequence of str
        Names or paths; dense ones, and those without a published number, are left out.

    Returns
    -------
    DataFrame
        As `published_values.explained` returns it, of the mixtures that publish a number; of those of the
        cohort where none of the given models is registered.
    """
    given = [spec.name for spec in mixtures(models) if spec.registered]
    names = given or [spec.name for spec in mixtures(group("cohort"))]
    return published_values.explained(published_values.published_counts(names, active=True))


def dense_of_active(spec: ModelSpec) -> ModelSpec:
    """Return the dense model whose feed-forward networks are as wide as what a token passes through.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.

    Returns
    -------
    ModelSpec
        Alike in all else.
    """
    return with_feedforward(spec, lambda part: _dense(part, opened=False))


def dense_of_total(spec: ModelSpec) -> ModelSpec:
    """Return the dense model whose feed-forward networks are as wide as all experts together.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.

    Returns
    -------
    ModelSpec
        Alike in all else.
    """
    return with_feedforward(spec, lambda part: _dense(part, opened=True))


def _dense(part: FeedForward, opened: bool) -> FeedForward:
    if isinstance(part, Dense):
        return part
    mixed = part.experts if isinstance(part, Residual) else part
    assert isinstance(mixed, Experts)
    width = (mixed.count if opened else mixed.active) * mixed.width
    width += mixed.shared * (mixed.shared_width or mixed.width)
    width += part.dense.width if isinstance(part, Residual) else 0
    return Dense(width, mixed.gated, mixed.bias)


def devices_to_hold(spec: ModelSpec, accelerator: Accelerator, weight_dtype: str = "bf16") -> int:
    """Return how many accelerators hold the weights, a tenth of each memory being kept free.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    accelerator : Accelerator
        The device.
    weight_dtype : str
        Type of the weights.

    Returns
    -------
    int
        At least 1.
    """
    found = memory_budget(spec, accelerator, context=1, weight_dtype=weight_dtype)
    return math.ceil(found.weight_bytes / (found.usable - found.runtime[1]))


def beside_dense(models: Sequence[str], accelerator: str, weight_dtype: str = "bf16") -> pd.DataFrame:
    """Return compute, memory and traffic of mixtures beside dense models of as many parameters.

    Parameters
    ----------
    models : sequence of str
        Names or paths; dense ones are left out.
    accelerator : str
        That holds the weights.
    weight_dtype : str
        Type of the weights.

    Returns
    -------
    DataFrame
        Indexed by model and ``as``: ``it is``, ``dense, active`` (a dense model as wide as what a token
        passes through) and ``dense, total`` (as wide as everything). ``training`` in GFLOP a token, without
        scores of attention; ``memory`` in GB of weights; ``devices`` that hold them; ``read``, GB of weights
        that writing one token of one sequence reads.

    Raises
    ------
    CohortError
        As in `mixtures`, or if another name is unknown.
    """
    device, width = find_accelerator(accelerator), precision(weight_dtype).bytes_per_element
    records = {}
    for spec in mixtures(models):
        both = {"dense, active": dense_of_active(spec), "dense, total": dense_of_total(spec)}
        for name, each in {"it is": spec, **both}.items():
            records[title(spec), name] = {
                "training": 6 * each.matmul_parameters / 1e9,
                "memory": each.parameters * width / 1e9,
                "devices": devices_to_hold(each, device, weight_dtype),
                "read": weights_read(each, 1) * width / 1e9,
            }
    frame = pd.DataFrame.from_dict(records, orient="index")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["model", "as"])
    return frame
