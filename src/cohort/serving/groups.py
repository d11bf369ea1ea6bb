"""Devices that share a model: how many can, what they read, and the group that answers a request."""

from __future__ import annotations

from functools import lru_cache

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precisions
from cohort.architecture.formats import WeightFormat, weight_format, weight_formats
from cohort.architecture.registered import model as read_model
from cohort.errors import ParameterError, one_of
from cohort.errors.arguments import explain
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.attainment import GENERATIONS, Attained, attained
from cohort.serving.layouts import KEPT, Layout, stages
from cohort.serving.step import DeviceGroup

HOST = 8  # cards that meet on the bus of one host, where no other link joins them


def weights_read(spec: ModelSpec, tokens: int) -> float:
    """Return how many weights a step of several tokens reads: all, but for experts that none is sent to.

    The input embedding is looked up, not read. Of the routed experts as many are read as `coverage` expects,
    each taken to be as likely as the others.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    tokens : int
        Tokens that pass through the model in the step.

    Returns
    -------
    float
        Weights.

    See Also
    --------
    cohort.experts.coverage : How many distinct experts several tokens reach.

    Examples
    --------
    >>> import cohort
    >>> mixtral = cohort.model("mixtral-8x7b-v0.1")
    >>> [round(cohort.serving.weights_read(mixtral, tokens) / 1e9, 1) for tokens in (1, 2, 64)]
    [12.7, 21.2, 46.6]
    """
    return spec.parameters - (0 if spec.tied else spec.embedding_parameters) - spec.idle_experts(tokens)


def most_devices(device: Accelerator) -> int:
    """Return over how many devices a layer can be split: those that links join, or a host of cards.

    Parameters
    ----------
    device : Accelerator
        The accelerator.

    Returns
    -------
    int
        Devices; 1 where the data hold no link.

    Examples
    --------
    >>> import cohort
    >>> cohort.serving.most_devices(cohort.accelerator("GB200 (per GPU)"))
    72
    """
    if device.link is None:
        return 1
    return device.joined if device.joined > 1 else HOST


def device_group(
    model: str | ModelSpec,
    accelerator: str | Accelerator,
    layout: Layout,
    weight_dtype: str | WeightFormat,
    kv_dtype: str,
    shares: Attained | None,
    generation: str = GENERATIONS[0],
    engine: str | None = None,
) -> DeviceGroup:
    """Return the devices that share a model, once what was asked for has been checked.

    Parameters
    ----------
    model, accelerator, weight_dtype, kv_dtype, shares, generation, engine
        As `cohort.serving.serve` takes them; `shares` is its ``attained``.
    layout : Layout
        How the devices share it.

    Returns
    -------
    DeviceGroup
        The devices; kept for the next request.

    Raises
    ------
    UnknownNameError
        If a name is not known.
    ParameterError
        If the devices cannot share the layers.
    """
    spec = model if isinstance(model, ModelSpec) else read_model(model)
    device = as_accelerator(accelerator)
    stored = _stored(spec, weight_dtype)
    one_of("kv_dtype", kv_dtype, precisions())
    for heads in spec.attention_heads:
        if heads % layout.tensor:
            raise ParameterError(
                f"tensor_parallel is {layout.tensor}, but must divide the {heads} attention heads "
                f"of {spec.name}"
            )
    if layout.pipeline > 1:
        stages(spec, layout)  # refuses more than there are layers
    return _kept(spec, device, layout, stored, kv_dtype, shares or attained(generation, engine, device))


def _stored(spec: ModelSpec, weight_dtype: str | WeightFormat) -> WeightFormat:
    if isinstance(weight_dtype, WeightFormat):
        return weight_dtype
    if weight_dtype == "released":
        return spec.released_format
    return weight_format(one_of("weight_dtype", weight_dtype, weight_formats()))


_kept = lru_cache(maxsize=KEPT)(DeviceGroup)


explain(__name__)
