"""Layers with a state of a fixed size: selective state spaces, short convolutions, other recurrences.

The inputs that a convolution spans are activations, kept like keys and values at the precision of the cache;
the state itself is counted by ``state_elements``. FLOPs are those of writing to the state and reading it,
two each for every number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cohort.architecture.mixing import Mixer, check_sizes
from cohort.errors.arguments import explain
from cohort.numeric import ceil_div


@dataclass(frozen=True, slots=True)
class Mamba(Mixer):
    """A selective state space whose steps are made by a projection of low rank :cite:p:`gu2023mamba`.

    Attributes
    ----------
    inner : int
        Channels.
    state : int
        Numbers of the state of each channel.
    kernel : int
        Tokens that the convolution spans.
    rank : int
        Width of what the step is made from.
    groups : int
        Parts of the channels, each with projections of its own (Zamba).
    bias, conv_bias : bool
        Whether the outer projections, and the convolution, have biases.
    norm_weights : int
        Weights of normalisations inside.
    """

    inner: int
    state: int
    kernel: int
    rank: int
    groups: int = 1
    bias: bool = False
    conv_bias: bool = True
    norm_weights: int = 0

    def __post_init__(self) -> None:
        check_sizes(self, ("inner", "state", "kernel", "rank", "groups"))
        check_sizes(self, ("norm_weights",), low=0)

    @property
    def heads(self) -> int:
        """One: the channels are apart from each other."""
        return 1

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections and of the convolution."""
        made = (self.rank + 2 * self.state) * self.inner + self.rank * self.inner
        return 3 * hidden * self.inner + made + self.kernel * self.inner

    def parameters(self, hidden: int) -> int:
        """Return all weights: also decays, skips, the bias of the step, other biases and normalisations."""
        others = self.inner * (self.state + 2) + self.norm_weights
        others += self.inner if self.conv_bias else 0
        others += 2 * self.inner + hidden if self.bias else 0
        return self.matmul_parameters(hidden) + others

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: those that the convolution spans."""
        return self.kernel

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the inputs that the convolution keeps."""
        return self.kernel * ceil_div(self.inner, devices)

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of the state; devices share the channels."""
        return ceil_div(self.inner, devices) * self.state

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs per token of writing to the state and reading from it."""
        return 4.0 * self.inner * self.state


@dataclass(frozen=True, slots=True)
class Mamba2(Mixer):
    """A state space with one decay a head :cite:p:`dao2024mamba2`.

    Attributes
    ----------
    heads, head_dim : int
        Heads and their width.
    state : int
        Numbers of the state of each channel.
    groups : int
        Groups of heads that share what writes and reads.
    kernel : int
        Tokens that the convolution spans.
    bias, conv_bias : bool
        Whether the projections, and the convolution, have biases.
    normed : bool
        Whether the output is normalised.
    """

    heads: int
    head_dim: int
    state: int
    groups: int
    kernel: int
    bias: bool = False
    conv_bias: bool = True
    normed: bool = True

    def __post_init__(self) -> None:
        check_sizes(self, ("heads", "head_dim", "state", "groups", "kernel"))

    @property
    def inner(self) -> int:
        """Channels."""
        return self.heads * self.head_dim

    def _convolved(self, devices: int = 1) -> int:
        return ceil_div(self.heads, devices) * self.head_dim + 2 * self.groups * self.state

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections and of the convolution."""
        inner = self.inner + self._convolved() + self.heads
        return hidden * (inner + self.inner) + self.kernel * self._convolved()

    def parameters(self, hidden: int) -> int:
        """Return all weights: also three numbers a head, biases and the normalisation."""
        others = 3 * self.heads + (self.inner if self.normed else 0)
        others += self._convolved() if self.conv_bias else 0
        others += self.inner + self._convolved() + self.heads + hidden if self.bias else 0
        return self.matmul_parameters(hidden) + others

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: those that the convolution spans."""
        return self.kernel

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the inputs that the convolution keeps."""
        return self.kernel * self._convolved(devices)

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of the state; devices share the heads."""
        return ceil_div(self.heads, devices) * self.head_dim * self.state

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs per token of writing to the state and reading from it."""
        return 4.0 * self.inner * self.state


@dataclass(frozen=True, slots=True)
class ShortConvolution(Mixer):
    """A gated convolution over a few tokens, the mixer of most layers of LFM2 :cite:p:`liquid2025lfm2`.

    Attributes
    ----------
    width : int
        Channels.
    kernel : int
        Tokens that it spans.
    bias : bool
        Whether projections and convolution have biases.
    """

    width: int
    kernel: int
    bias: bool = False

    def __post_init__(self) -> None:
        check_sizes(self, ("width", "kernel"))

    @property
    def kind(self) -> str:
        """What the variant is called."""
        return "convolution"

    @property
    def heads(self) -> int:
        """One: the channels are apart from each other."""
        return 1

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections and of the convolution."""
        return 4 * hidden * self.width + self.kernel * self.width

    def parameters(self, hidden: int) -> int:
        """Return all weights, biases included."""
        return self.matmul_parameters(hidden) + (4 * self.width + hidden if self.bias else 0)

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: those that it spans."""
        return self.kernel

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the inputs that it keeps."""
        return self.kernel * ceil_div(self.width, devices)


@dataclass(frozen=True, slots=True)
class Recurrence(Mixer):
    """Another recurrence, by its sizes: RG-LRU, RWKV's time mixing, the mLSTM.

    Attributes
    ----------
    matrices : int
        Weights that a token is multiplied with.
    others : int
        Weights besides: biases, decays, normalisations.
    state : int
        Numbers of the state.
    convolved, kernel : int
        Channels of a convolution before it, and the tokens that it spans; 0 where there is none.
    heads : int
        Heads.
    """

    matrices: int
    others: int
    state: int
    convolved: int = 0
    kernel: int = 0
    heads: int = 1

    def __post_init__(self) -> None:
        check_sizes(self, ("matrices", "state", "heads"))
        check_sizes(self, ("others", "convolved", "kernel"), low=0)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that a token is multiplied with, `matrices`."""
        return self.matrices

    def parameters(self, hidden: int) -> int:
        """Return all weights: `matrices` and `others`."""
        return self.matrices + self.others

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: those that a convolution spans."""
        return self.kernel

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the inputs that a convolution keeps."""
        return self.kernel * ceil_div(self.convolved, devices)

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of the state, which devices share."""
        return ceil_div(self.state, devices)

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs per token of writing to the state and reading from it."""
        return 4.0 * self.state


@dataclass(frozen=True, slots=True)
class Reused(Mixer):
    """A mixer or a feed-forward whose weights an earlier layer holds: used again, counted once (Zamba).

    Attributes
    ----------
    part : Mixer, Dense or Experts
        What is used again, with a cache of its own.
    """

    part: Any

    @property
    def kind(self) -> str:
        """The kind of the part."""
        return str(self.part.kind)

    @property
    def heads(self) -> int:
        """Heads of the part."""
        return int(self.part.heads)

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the part, which a token is multiplied with once more."""
        return int(self.part.matmul_parameters(hidden))

    def parameters(self, hidden: int) -> int:
        """Return 0: the layer that holds the weights counts them."""
        return 0

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache of this use holds."""
        return int(self.part.cached_tokens(context))

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the cached numbers of this use."""
        return int(self.part.cache_elements(context, block, devices))

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of the state of this use."""
        return int(self.part.state_elements(devices))

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of scores, or of a state, in this use."""
        return float(self.part.score_flops(context, causal))

    def decode_flops(self, context: int) -> float:
        """Return the FLOPs of scores, or of a state, of one new token in this use."""
        return float(self.part.decode_flops(context))


explain(__name__)
