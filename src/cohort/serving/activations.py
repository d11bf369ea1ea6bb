"""What the modules of a layer keep of a token for the backward pass, as PyTorch's autograd saves it."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.architecture.attention import GroupedQuery
from cohort.architecture.feedforward import Dense, Experts, Residual
from cohort.architecture.latent import Latent
from cohort.architecture.layers import Layer
from cohort.architecture.mixing import Mixer
from cohort.errors.arguments import explain


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
    stream : int
        Bytes of a number of the residual stream.
    tensor, along : int
        Devices that share each layer, and that share what tensor parallelism leaves whole.
    frozen : bool
        Whether only adapters are trained.
    forward_trained : bool
        Whether a weight of the feed-forward network is trained, so that its inputs are kept.
    dropout : bool
        Whether each adapter reads a thinned copy of its input.
    frozen_inputs : int
        How many times what a frozen matrix reads is held.
    scores : int
        Bytes that are kept of each score of attention; 0 where none is.
    copied_heads : bool
        Whether keys and values are copied for each head of the queries that reads them.
    fused_norms, fused_gates : bool
        Whether a normalisation keeps its input alone, and whether a gate's activation is computed again.
    """

    hidden: int
    length: int
    stream: int
    tensor: int
    along: int
    frozen: bool
    forward_trained: bool
    dropout: bool
    frozen_inputs: int
    scores: int
    copied_heads: bool
    fused_norms: bool
    fused_gates: bool

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
        total = 0.0
        for each in layer.mixers:
            total += self.norm(_inputs(each)) / self.along + self._mixed(each) / self.tensor
        dense, experts = feedforwards(layer)
        if dense or experts:
            total += self.norm(_projections(dense, experts), self.forward_trained) / self.along
        if dense:
            total += self._inner(dense, dense.width) / self.tensor
        if experts:
            total += self._expert_bytes(experts) / self.tensor
        return total + self._read_by_frozen(layer) / self.tensor

    def norm(self, readers: int, read: bool = True) -> float:
        """Return the bytes of a normalisation: its input, its product, and what is read after it.

        Parameters
        ----------
        readers : int
            Projections that read its product.
        read : bool
            Whether any of them needs it in the backward pass.

        Returns
        -------
        float
            Bytes of a token.
        """
        kept = 0
        if read:
            kept = 2 * readers if self.stream == 4 else 2  # autocast makes a copy for each projection
            if self.dropout:
                kept += 3 * readers - 2  # adapters read a copy each, with a mask of a byte
        if self.fused_norms:
            return self.hidden * (self.stream + (kept if self.dropout or not read else 2))
        trained = 0 if self.frozen else self.stream  # a frozen scale needs no product kept
        return self.hidden * (4 + trained + kept)

    def _mixed(self, mixer: Mixer) -> float:
        """Return the bytes of attention: queries, keys, values, output, and scores if they are kept."""
        kept = 2.0 * _heads(mixer, self.hidden, self.copied_heads)
        # A sum in fp32 for each head, or all scores.
        return kept + int(mixer.heads) * (self.scores * self.length if self.scores else 4)

    def _inner(self, part: Dense | Experts, width: int) -> float:
        """Return the bytes of a feed-forward network: gate, its activation, the other half, their product.

        A frozen matrix keeps no product that it reads.
        """
        kept = (3 if self.fused_gates else 4) if part.gated else 2
        mask = 0.5 if self.dropout and self.forward_trained else 0
        return 2.0 * width * (kept - (not self.forward_trained) + mask)

    def _expert_bytes(self, experts: Experts) -> float:
        """Return the bytes of a mixture: each of a token's experts has its input, inner layer and output."""
        shared = experts.shared * (experts.shared_width or experts.width)
        each = self._inner(experts, experts.width) + 2 * 2 * (experts.latent or self.hidden)
        return experts.active * each + self._inner(experts, shared) + 4 * experts.count

    def _read_by_frozen(self, layer: Layer) -> float:
        """Return the bytes of what frozen matrices read, where it is held."""
        read = sum(self.hidden + _output(each, self.hidden) for each in layer.mixers)
        dense, experts = feedforwards(layer)
        if dense:
            read += self.hidden + dense.width
        if experts:
            read += experts.active * ((experts.latent or self.hidden) + experts.width)
        return 2.0 * self.frozen_inputs * read


def _inputs(mixer: Mixer) -> int:
    """Projections that read a mixer's input."""
    return 3 if isinstance(mixer, GroupedQuery) else 2


def _projections(dense: Dense | None, experts: Experts | None) -> int:
    part = dense or experts
    return 2 if part is not None and part.gated else 1


def _heads(mixer: Mixer, hidden: int, copied: bool) -> int:
    """Numbers that attention keeps of each token: queries, keys, values and its output."""
    if isinstance(mixer, GroupedQuery):
        value = mixer.value_dim or mixer.head_dim
        held = mixer.heads if copied else 0 if mixer.cache_shared else mixer.kv_heads
        return mixer.heads * (mixer.head_dim + value) + held * (mixer.head_dim + value)
    if isinstance(mixer, Latent):
        query = mixer.heads * (mixer.nope_dim + mixer.rope_dim)
        compressed = mixer.kv_rank + mixer.rope_dim + (mixer.q_rank or 0)
        return 2 * query + 2 * mixer.heads * mixer.value_dim + compressed
    return 4 * hidden  # a recurrence: its inputs, gates and output


def _output(mixer: Mixer, hidden: int) -> int:
    """Numbers that the last projection of a mixer reads."""
    if isinstance(mixer, GroupedQuery):
        return mixer.heads * (mixer.value_dim or mixer.head_dim)
    return mixer.heads * mixer.value_dim if isinstance(mixer, Latent) else hidden


explain(__name__)
