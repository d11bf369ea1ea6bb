"""Linear attention: layers that keep a state of a fixed size instead of keys and values."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.architecture.mixing import Mixer, check_sizes
from cohort.errors import ConfigError
from cohort.errors.arguments import explain
from cohort.numeric import ceil_div


@dataclass(frozen=True, slots=True)
class Lightning(Mixer):
    """Linear attention: instead of keys and values it keeps one matrix a head, whatever the context.

    As in MiniMax-Text-01: queries, keys and values of all heads, a normalisation and an output gate
    :cite:p:`minimax2025minimax01`.

    Attributes
    ----------
    heads, head_dim : int
        Heads and their width.
    """

    heads: int
    head_dim: int

    def __post_init__(self) -> None:
        check_sizes(self, ("heads", "head_dim"))

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections: queries, keys, values, gate and output."""
        return 5 * hidden * self.heads * self.head_dim

    def parameters(self, hidden: int) -> int:
        """Return all weights: projections and the normalisation."""
        return self.matmul_parameters(hidden) + self.heads * self.head_dim

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of the state: a matrix a head; devices share the heads."""
        return ceil_div(self.heads, devices) * self.head_dim**2

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs per token of writing to the state and reading from it, at any context."""
        return 4.0 * self.heads * self.head_dim**2


@dataclass(frozen=True, slots=True)
class GatedDelta(Mixer):
    """Linear attention by the gated delta rule: a state that is corrected, not only added to.

    As in Qwen3-Next and Qwen3.5: a short convolution comes before it, and an output gate after it
    :cite:p:`yang2024gateddeltanet`.

    Attributes
    ----------
    key_heads, value_heads : int
        Heads of queries and keys, and of values; the second is a multiple of the first.
    key_dim, value_dim : int
        Widths of a key and of a value.
    kernel : int
        Tokens that the convolution spans.
    """

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    kernel: int

    def __post_init__(self) -> None:
        check_sizes(self, ("key_heads", "value_heads", "key_dim", "value_dim", "kernel"))
        if self.value_heads % self.key_heads:
            raise ConfigError(
                f"value_heads ({self.value_heads}) must be a multiple of key_heads ({self.key_heads})"
            )

    @property
    def heads(self) -> int:
        """Heads of the state, one a value head."""
        return self.value_heads

    def _convolved(self, devices: int = 1) -> int:
        """Return how many channels the convolution has: queries, keys and values."""
        keys = 2 * ceil_div(self.key_heads, devices) * self.key_dim
        return keys + ceil_div(self.value_heads, devices) * self.value_dim

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections and of the convolution."""
        values = self.value_heads * self.value_dim
        inner = hidden * (self._convolved() + values + 2 * self.value_heads)
        return inner + self.kernel * self._convolved() + values * hidden

    def parameters(self, hidden: int) -> int:
        """Return all weights: also the two numbers of decay of each head, and the normalisation."""
        return self.matmul_parameters(hidden) + 2 * self.value_heads + self.value_dim

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: those that the convolution spans."""
        return self.kernel

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the inputs that the convolution keeps, a window of `kernel` tokens that is never paged."""
        return self.kernel * self._convolved(devices)

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of the state: a matrix a value head; devices share the heads."""
        return ceil_div(self.value_heads, devices) * self.key_dim * self.value_dim

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs per token of reading, correcting and reading the state, at any context."""
        return 6.0 * self.value_heads * self.key_dim * self.value_dim


@dataclass(frozen=True, slots=True)
class KimiDelta(Mixer):
    """The gated delta rule with a decay for each channel of a key :cite:p:`kimi2025linear`.

    Attributes
    ----------
    heads, head_dim : int
        Heads, and the width of key and value alike.
    kernel : int
        Tokens that the convolution spans.
    low_rank : bool
        Whether the gates of decay and output are made in two steps, with one head's width in between.
    """

    heads: int
    head_dim: int
    kernel: int
    low_rank: bool = True

    def __post_init__(self) -> None:
        check_sizes(self, ("heads", "head_dim", "kernel"))

    def _width(self, devices: int = 1) -> int:
        return ceil_div(self.heads, devices) * self.head_dim

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights of the projections, both gates and the convolution."""
        width = self._width()
        gate = self.head_dim * (hidden + width) if self.low_rank else hidden * width
        return hidden * (4 * width + self.heads) + 2 * gate + 3 * self.kernel * width

    def parameters(self, hidden: int) -> int:
        """Return all weights: also the decay of each head, its bias, and the normalisation."""
        return self.matmul_parameters(hidden) + self.heads + self._width() + self.head_dim

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: those that the convolution spans."""
        return self.kernel

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the inputs that the convolution keeps: of queries, keys and values."""
        return 3 * self.kernel * self._width(devices)

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of the state: a matrix a head; devices share the heads."""
        return self._width(devices) * self.head_dim

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs per token of reading, correcting and reading the state."""
        return 6.0 * self.heads * self.head_dim**2


explain(__name__)
