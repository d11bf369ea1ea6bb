"""How devices share a model, by tensor, pipeline, expert and data parallelism, and what each one holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.latent import Latent
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.errors import ParameterError, integer
from cohort.errors.arguments import explain
from cohort.numeric import ceil_div

MOST = 4096  # devices of a layout
KEPT = (
    8192  # groups of devices of which what they hold is kept: a search over designs comes back to thousands
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How devices share a model.

    Attributes
    ----------
    tensor : int
        Devices that share each layer. What cannot be split is on each of them: a key-value head, the vector
        of latent attention and what makes it, routers and normalisations.
    pipeline : int
        Stages, each with a run of consecutive layers; the first also holds the embedding, the last the head.
    data : int
        Copies of the attention, each with sequences of its own (data-parallel attention). What is dense is
        copied with it.
    expert : bool
        Whether the experts are dealt out to all devices of a stage; otherwise each copy splits every expert.
    """

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    expert: bool = False

    def __post_init__(self) -> None:
        for name in ("tensor", "pipeline", "data"):
            integer(f"{name} parallelism", getattr(self, name), 1, MOST, ParameterError, "devices")

    @property
    def devices(self) -> int:
        """Devices in all."""
        return self.tensor * self.pipeline * self.data

    def sequences(self, batch: int) -> int:
        """Return the sequences whose caches one device holds, of the fullest copy of the attention.

        Parameters
        ----------
        batch : int
            Sequences in all.

        Returns
        -------
        int
            Sequences.
        """
        return ceil_div(batch, self.data)


@dataclass(frozen=True, slots=True)
class Tensor:
    """Weights of one kind in one layer, as one device holds them.

    Attributes
    ----------
    kind : str
        One of ``cohort.architecture.formats.KINDS``.
    layer : int
        Its layer, from 0; -1 outside the layers.
    weights : float
        Weights on the fullest device.
    row : int
        Weights of a row of the matrix, which a format may need to be a multiple of its block; 0 where that is
        of no concern.
    """

    kind: str
    layer: int
    weights: float
    row: int = 0


def stages(spec: ModelSpec, layout: Layout) -> list[range]:
    """Return the layers of each stage, as even as can be, the longer ones first.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    layout : Layout
        How devices share it.

    Returns
    -------
    list of range
        Numbers of layers, from 0.

    Raises
    ------
    ParameterError
        If there are more stages than layers.

    Examples
    --------
    >>> import cohort
    >>> stages(cohort.model("llama-3-8b"), Layout(pipeline=3))
    [range(0, 11), range(11, 22), range(22, 32)]
    """
    count, parts = len(spec.layers), layout.pipeline
    if parts > count:
        raise ParameterError(
            f"pipeline parallelism is {parts}, but {spec.name} has {count} layers: at most that many"
        )
    each, longer = divmod(count, parts)
    ends = [0]
    for part in range(parts):
        ends.append(ends[-1] + each + (part < longer))
    return [range(start, end) for start, end in pairwise(ends)]


def held(spec: ModelSpec, layout: Layout, stage: range, together: bool = False) -> Iterator[Tensor]:
    """Yield the weights that one device of a stage holds, by kind and layer.

    Over all stages of a single device they add up to ``spec.parameters``.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    layout : Layout
        How devices share it.
    stage : range
        Layers of the stage, as `stages` returns them.
    together : bool
        Whether layers that are alike come as one, with the weights of all and the number of the first.

    Yields
    ------
    Tensor
        Weights of one kind in one layer, first those outside the layers.

    Examples
    --------
    >>> import cohort
    >>> llama = cohort.model("llama-3-8b")
    >>> sum(each.weights for each in held(llama, Layout(), range(32))) == llama.parameters
    True
    """
    if stage.start == 0:
        kind = "tied" if spec.tied and layout.pipeline == 1 else "embedding"
        yield Tensor(kind, -1, spec.embedding_parameters / layout.tensor)
    last = stage.stop == len(spec.layers)
    if last:
        if spec.tied and layout.pipeline > 1:
            yield Tensor("head", -1, spec.embedding_parameters / layout.tensor)  # a copy of the embedding
        yield Tensor("head", -1, spec.head_parameters / layout.tensor)
        yield Tensor("norms", -1, spec.outside_parameters)
    alike: dict[int, list[int]] = {}
    for number in stage:
        alike.setdefault(id(spec.layers[number]), []).append(number)
    if together:
        for numbers in alike.values():
            for kind, weights, row in _of_layer(spec.layers[numbers[0]], spec.hidden, layout):
                yield Tensor(kind, numbers[0], len(numbers) * weights, row)
        return
    kept = {each: list(_of_layer(spec.layers[of[0]], spec.hidden, layout)) for each, of in alike.items()}
    for number in stage:
        for kind, weights, row in kept[id(spec.layers[number])]:
            yield Tensor(kind, number, weights, row)


def _of_layer(layer: Layer, hidden: int, layout: Layout) -> Iterator[tuple[str, float, int]]:
    small = layer.parameters(hidden)
    for each in layer.mixers:
        whole = each.parameters(hidden)
        vectors = _vectors(each, hidden)
        small -= whole - vectors
        matrices, values = _attention(each, hidden, layout.tensor)
        if whole:  # what an earlier layer holds is not held again
            yield "attention", matrices - values, 0
            yield "value", values, hidden
    feedforward = layer.feedforward
    dense, experts = feedforward, layer.experts
    if isinstance(feedforward, Residual):
        dense = feedforward.dense
    if isinstance(dense, Dense):
        matrices = dense.matmul_parameters(hidden)
        small -= matrices
        yield from _halves("", dense, matrices / layout.tensor)
    if experts is not None:
        for kind, weights, divisor in _experts(experts, hidden, layout):
            small -= weights
            share = weights / divisor
            yield from _halves(kind, experts, share) if kind.endswith("_") else ((kind, share, 0),)
    yield "norms", small, 0


def _halves(prefix: str, part: Dense | Experts, weights: float) -> Iterator[tuple[str, float, int]]:
    """Yield the matrices that widen and the one that narrows."""
    down = weights / (3 if part.gated else 2)
    width = part.width
    if prefix == "shared_" and isinstance(part, Experts):
        width = part.shared * (part.shared_width or part.width)
    yield f"{prefix}up", weights - down, 0
    yield f"{prefix}down", down, width


def _experts(experts: Experts, hidden: int, layout: Layout) -> Iterator[tuple[str, int, int]]:
    """Yield kinds of weights of a mixture, how many there are, and by how many devices they are shared."""
    each = experts.expert.matmul_parameters(experts.latent or hidden)
    dealt = layout.tensor * (layout.data if layout.expert else 1)
    yield "expert_", each * experts.count, min(dealt, experts.count * layout.tensor)
    shared = experts.shared_matrices(hidden)
    if shared:
        yield "shared_", shared, layout.tensor
    yield "router", experts.router_parameters(hidden), 1


def _vectors(mixer: Mixer, hidden: int) -> int:
    """Return what of a mixer's weights is no matrix: biases, normalisations, decays."""
    whole = mixer.parameters(hidden)
    if mixer.active_parameters(hidden) != whole:  # experts: not all matrices are met by a token
        return 0
    return max(whole - mixer.matmul_parameters(hidden), 0)


def _attention(mixer: Mixer, hidden: int, devices: int) -> tuple[float, float]:
    """Return the matrices of a mixer on one device, and those of its values."""
    part = on_device(mixer, devices)
    if part is None:
        return (mixer.parameters(hidden) - _vectors(mixer, hidden)) / devices, 0.0
    values = 0
    if isinstance(part, GroupedQuery) and not (part.cache_shared or part.shared_values):
        values = (part.input_width or hidden) * part.kv_heads * (part.value_dim or part.head_dim)
    return float(part.matmul_parameters(hidden)), float(values)


def on_device(mixer: Mixer, devices: int) -> Mixer | None:
    """Return what one of several devices holds of an attention: its share of the heads.

    Parameters
    ----------
    mixer : Mixer
        The attention.
    devices : int
        Devices that share its heads.

    Returns
    -------
    Mixer or None
        The same attention with fewer heads, one key-value head at least; None for any other mixer, which
        devices share evenly.

    Examples
    --------
    >>> import cohort
    >>> part = on_device(cohort.model("llama-3-8b").layers[0].attention, devices=16)
    >>> part.heads, part.kv_heads
    (2, 1)
    """
    if isinstance(mixer, GroupedQuery):
        kv_heads = ceil_div(mixer.kv_heads, devices)
        heads = ceil_div(ceil_div(mixer.heads, devices), kv_heads) * kv_heads
        return replace(mixer, heads=heads, kv_heads=kv_heads, gates=ceil_div(mixer.gates, devices))
    if isinstance(mixer, Latent):
        return replace(mixer, heads=ceil_div(mixer.heads, devices), gates=ceil_div(mixer.gates, devices))
    return None


explain(__name__)
