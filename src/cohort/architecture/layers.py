"""One layer of a decoder: what mixes its tokens, its feed-forward network, and what it counts."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.architecture.feedforward import Experts, FeedForward, HyperConnection, Residual, Weights
from cohort.architecture.mixing import Mixer, Part
from cohort.architecture.recurrent import Reused
from cohort.errors import ConfigError, exact_integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, MAX_CONTEXT


class Nothing(Mixer):
    """The mixer of a layer that has none."""

    __slots__ = ()

    @property
    def heads(self) -> int:
        """0, since nothing has heads."""
        return 0

    @property
    def kind(self) -> str:
        """What the mixer is called: ``none``."""
        return "none"

    def matmul_parameters(self, hidden: int) -> int:
        """Return 0: there is nothing to multiply with."""
        return 0


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Layer(Part):
    """One layer of the decoder.

    Attributes
    ----------
    mixers : tuple of Mixer
        What mixes tokens: attention, a recurrence, both side by side, or nothing. One alone may be given
        without a tuple.
    feedforward : Dense, Experts or Residual, optional
        What transforms each token.
    norm_weights : int
        Weights (and biases) of the layer's own normalisations.
    streams : HyperConnection, optional
        How attention and feed-forward are tied to several residual streams, where there are several.
    extra : Weights, optional
        Weights of what else the layer has, such as embeddings of its own.
    """

    mixers: tuple[Mixer, ...]
    feedforward: FeedForward | Reused | None
    norm_weights: int = 0
    streams: HyperConnection | None = None
    extra: Weights | None = None

    def __init__(
        self,
        mixers: Mixer | tuple[Mixer, ...],
        feedforward: FeedForward | Reused | None,
        norm_weights: int = 0,
        streams: HyperConnection | None = None,
        extra: Weights | None = None,
    ) -> None:
        exact_integer("norm_weights", norm_weights, 0, LIMIT, ConfigError)
        keep = object.__setattr__
        keep(self, "mixers", mixers if isinstance(mixers, tuple) else (mixers,))
        keep(self, "feedforward", feedforward)
        keep(self, "norm_weights", norm_weights)
        keep(self, "streams", streams)
        keep(self, "extra", extra)

    @property
    def attention(self) -> Mixer:
        """The mixer that keeps the most of a long context; one without weights where there is none."""
        if len(self.mixers) == 1:
            return self.mixers[0]
        return max(self.mixers, key=lambda each: each.cached_tokens(MAX_CONTEXT), default=NOTHING)

    @property
    def experts(self) -> Experts | None:
        """The mixture of experts of this layer, if it has one."""
        if isinstance(self.feedforward, Residual):
            return self.feedforward.experts
        return self.feedforward if isinstance(self.feedforward, Experts) else None

    def feedforward_parameters(self, hidden: int) -> int:
        """Return all weights of the feed-forward network.

        Parameters
        ----------
        hidden : int
            Width of the residual stream.

        Returns
        -------
        int
            Weights; 0 where the layer has no such network.
        """
        return self.feedforward.parameters(hidden) if self.feedforward else 0

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of all parts of the layer that a token is multiplied with."""
        total = 2 * self.streams.matmul_parameters(hidden) if self.streams else 0
        total += self.extra.matrices if self.extra else 0
        total += self.feedforward.matmul_parameters(hidden) if self.feedforward else 0
        return total + sum(each.matmul_parameters(hidden) for each in self.mixers)

    def _beside(self, hidden: int) -> int:
        streams = 2 * self.streams.parameters(hidden) if self.streams else 0
        return self.norm_weights + streams + (self.extra.all if self.extra else 0)

    def parameters(self, hidden: int) -> int:
        """Return all weights of the layer, its normalisations included."""
        mixing = sum(each.parameters(hidden) for each in self.mixers)
        return (
            self._beside(hidden) + mixing + (self.feedforward.parameters(hidden) if self.feedforward else 0)
        )

    def active_parameters(self, hidden: int) -> int:
        """Return the weights that one token passes through: all but those of experts it is not sent to."""
        mixing = sum(each.active_parameters(hidden) for each in self.mixers)
        forward = self.feedforward.active_parameters(hidden) if self.feedforward else 0
        return self._beside(hidden) + mixing + forward

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the numbers that the caches of all mixers keep of one sequence.

        Parameters
        ----------
        context : int
            Tokens of the sequence.
        block : int
            Tokens of a block of a paged cache; whole blocks are counted. With 1 nothing is rounded.
        devices : int
            Devices that share the heads.

        Returns
        -------
        int
            Numbers on the device that holds most.

        See Also
        --------
        ModelSpec.kv_cache_bytes : The bytes of all layers.
        """
        if len(self.mixers) == 1:  # as almost everywhere: a sum over one takes several times as long
            return self.mixers[0].cache_elements(context, block, devices)
        return sum(each.cache_elements(context, block, devices) for each in self.mixers)

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of the recurrent states of all mixers.

        Parameters
        ----------
        devices : int
            Devices that share the heads.

        Returns
        -------
        int
            Numbers for one sequence on the device that holds most; 0 where no mixer is recurrent.
        """
        if len(self.mixers) == 1:
            return self.mixers[0].state_elements(devices)
        return sum(each.state_elements(devices) for each in self.mixers)


explain(__name__)
