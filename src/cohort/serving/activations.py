"""What a layer keeps of a token for the backward pass: its modules, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.latent import Latent
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.architecture.recurrent import ShortConvolution
from cohort.errors.arguments import explain
from cohort.serving.modules import Traits, Types, fused_scores, written_scores


def feedforwards(layer: Layer) -> tuple[Dense | None, Experts | None]:
    """Return the dense feed-forward network and the mixture of experts of a layer.

    Parameters
    ----------
    layer : Layer
        The layer.

    Returns
    -------
    tuple of (Dense or None, Experts or None)

    Examples
    --------
    >>> import cohort
    >>> feedforwards(cohort.model("llama-3-8b").layers[0])[0].width
    14336
    """
    feedforward = layer.feedforward
    if isinstance(feedforward, Residual):
        return feedforward.dense, feedforward.experts
    return (feedforward if isinstance(feedforward, Dense) else None), layer.experts


@dataclass(frozen=True, slots=True)
class Kept:
    """How a step of training runs, as far as it decides what is kept.

    Attributes
    ----------
    hidden, length : int
        Width of the residual stream, and tokens of a sequence.
    family : Traits
        How the modules of the family are written.
    types : Types
        The types that the step works in, and what is trained.
    tensor, along : int
        Devices that share each layer, and that share what tensor parallelism leaves whole.
    forward_adapted, output_adapted : bool
        Whether matrices of the feed-forward network, and that of attention's output, have adapters, where
        only those are trained.
    frozen_inputs : int
        How many times what a frozen matrix reads is held.
    scores : int
        Bytes that are kept of each score of attention; 0 where attention is fused.
    masked : bool
        Whether layers with a window read a mask, for which keys and values are copied for each query head.
    copied_heads : bool
        Whether keys and values are copied for each query head in any case.
    norm : str
        How normalisations are written, as in `Traits`, or ``fused``.
    fused_gates : bool
        Whether a gate's activation is computed again.
    """

    hidden: int
    length: int
    family: Traits
    types: Types
    tensor: int = 1
    along: int = 1
    forward_adapted: bool = True
    output_adapted: bool = True
    frozen_inputs: int = 0
    scores: int = 0
    masked: bool = True
    copied_heads: bool = False
    norm: str = "rms"
    fused_gates: bool = False

    def per_token(self, layer: Layer) -> float:
        """Return the bytes that a layer keeps of each token on one device.

        Parameters
        ----------
        layer : Layer
            The layer.

        Returns
        -------
        float
            Bytes.
        """
        total = sum(self._mixed(each) / self.tensor for each in layer.mixers)
        readers = [self._readers(each) for each in layer.mixers]
        dense, experts = feedforwards(layer)
        if dense or experts:
            two = (dense or experts).gated and not self.family.one_gate  # type: ignore[union-attr]
            forward = 2 if two else 1
            total += (
                self._around(0 if self.family.parallel else 1, forward, self.forward_adapted) / self.along
            )
        for each in readers:
            total += self._around(1, each, True) / self.along
        if self.family.dropout:
            total += self.hidden * (len(layer.mixers) + bool(dense or experts)) / self.along
        if dense:
            total += self._inner(dense, dense.width) / self.tensor
        if experts:
            total += self._expert_bytes(experts) / self.tensor
        return total + self._read_by_frozen(layer) / self.tensor

    def _readers(self, mixer: Mixer) -> int:
        """Matrices that read a mixer's input."""
        if isinstance(mixer, GroupedQuery):
            adapted = 3 if self.output_adapted else 2  # not that of the keys
            return 1 if self.family.one_matrix else adapted if self.types.frozen else 3
        return 2 if isinstance(mixer, Latent) else 1

    def _around(self, norms: int, readers: int, adapted: bool) -> int:
        """Return the bytes of the normalisations around a part, and of what its matrices read.

        Parts that stand in parallel share one normalisation, whose product is counted with the first.
        """
        shared = norms == 0 and self.types.stream == 2
        read = self.types.read(self.hidden, readers, adapted, held=shared, own=self.types.stream)
        if self.norm == "fused" and not self.types.frozen:
            read = 2 * self.hidden  # a fused kernel writes its product in 16 bits
        if not norms:
            return read
        before = self.normalised(self.types.stream) if self.family.placed != "after" else 0
        after = self.normalised(2) if self.family.placed != "before" else 0  # its input is a product
        return before + after + read

    def normalised(self, own: int) -> int:
        """Return the bytes of a normalisation of the residual stream.

        Parameters
        ----------
        own : int
            Bytes of a number of its input.

        Returns
        -------
        int
            Bytes of a token.
        """
        return self.types.norm(self.norm, self.hidden, 1, own)

    def before_first(self, layer: Layer) -> float:
        """Return the bytes that the first layer does without where nothing before it is trained.

        Parameters
        ----------
        layer : Layer
            The layer.

        Returns
        -------
        float
            Bytes of a token: those of its first normalisation.
        """
        if not self.types.frozen or self.family.placed == "after":
            return 0.0
        return len(layer.mixers) * self.normalised(self.types.stream) / self.along

    def last(self) -> int:
        """Return the bytes of the normalisation after the last layer, and of what the head reads.

        Returns
        -------
        int
            Bytes of a token.
        """
        return self.normalised(self.types.stream) + self.types.read(self.hidden, 1, False)

    def _mixed(self, mixer: Mixer) -> float:
        """Return the bytes of a mixer: its own normalisations, its scores, and what its output is read by."""
        if isinstance(mixer, GroupedQuery):
            return self._grouped(mixer)
        if isinstance(mixer, Latent):
            return self._latent(mixer)
        if isinstance(mixer, ShortConvolution):
            return 2.0 * 5 * mixer.width + self.types.read(mixer.width, 1, True)  # both gates, before, after
        return 2.0 * 4 * self.hidden + 4 * int(mixer.heads)  # a recurrence: inputs, gates and output

    def _grouped(self, mixer: GroupedQuery) -> float:
        value = mixer.value_dim or mixer.head_dim
        query, output = mixer.heads * mixer.head_dim, mixer.heads * value
        kept = 0.0
        if mixer.norm_weights:
            keys = 0 if mixer.cache_shared else mixer.kv_heads
            each = mixer.norm_weights <= 3 * mixer.head_dim  # one for each head, not for all of them
            for heads in (mixer.heads, keys):
                kept += self.types.norm(self.norm, heads * mixer.head_dim, heads if each else 1, 2)
        window = mixer.window or mixer.chunk
        masked = self.masked and not self.scores and window is not None and self.length >= window
        copied = (masked and mixer.kv_heads > 1) or self.copied_heads or self.scores  # one head is viewed
        held = mixer.heads if copied else 0 if mixer.cache_shared else mixer.kv_heads
        keys = held * (mixer.head_dim + value)
        if self.family.one_matrix and mixer.kv_heads == mixer.heads and not self.scores:
            keys += query + mixer.heads * mixer.head_dim  # a view of the product, which holds all
        if self.scores:
            kept += written_scores(mixer.heads, query, keys, self.length, self.scores, self.family)
        else:
            kept += fused_scores(mixer.heads, query, keys, output, self.length if masked else 0)
        apart = bool(self.scores) or self.family.joined  # the projection reads a copy of the output
        return kept + self.types.read(output, 1, self.output_adapted, held=not apart)

    def _latent(self, mixer: Latent) -> float:
        query = mixer.heads * (mixer.nope_dim + mixer.rope_dim)
        output = mixer.heads * mixer.value_dim
        kept = 0.0
        for rank in filter(None, (mixer.q_rank, mixer.kv_rank)):
            kept += self.types.norm(self.norm, rank, 1, 2) + self.types.read(rank, 1, True)
        if self.scores:
            kept += written_scores(mixer.heads, query, query + output, self.length, self.scores, self.family)
        else:
            kept += fused_scores(mixer.heads, query, query + output, output)
        return kept + self.types.read(output, 1, self.output_adapted, held=not self.scores)

    def _inner(self, part: Dense | Experts, width: int) -> float:
        """Return the bytes of a feed-forward network: what its activation keeps, its gates, their product."""
        kept = self.family.activation + (2 if part.gated else 0)
        if self.fused_gates and part.gated:
            kept -= 1
        return 2.0 * width * kept + self.types.read(width, 1, self.forward_adapted)

    def _expert_bytes(self, experts: Experts) -> float:
        """Return the bytes of a mixture: each of a token's experts has its input, inner layer and output."""
        shared = experts.shared * (experts.shared_width or experts.width)
        each = self._inner(experts, experts.width) + 2 * 2 * (experts.latent or self.hidden)
        router = 4 * experts.count + (4 * self.hidden if self.family.routes_wide else 0)
        return experts.active * each + self._inner(experts, shared) + router

    def _read_by_frozen(self, layer: Layer) -> float:
        """Return the bytes of what frozen matrices read, where it is held."""
        read = sum(self.hidden + _output(each, self.hidden) for each in layer.mixers)
        dense, experts = feedforwards(layer)
        if dense:
            read += self.hidden + dense.width
        if experts:
            read += experts.active * ((experts.latent or self.hidden) + experts.width)
        return 2.0 * self.frozen_inputs * read


def _output(mixer: Mixer, hidden: int) -> int:
    """Numbers that the last projection of a mixer reads."""
    if isinstance(mixer, GroupedQuery):
        return mixer.heads * (mixer.value_dim or mixer.head_dim)
    return mixer.heads * mixer.value_dim if isinstance(mixer, Latent) else hidden


explain(__name__)
