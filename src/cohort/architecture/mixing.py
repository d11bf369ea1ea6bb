"""What every part that mixes tokens answers, with the answers of one that keeps and scores nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cohort.errors import ConfigError, exact_integer
from cohort.numeric import LIMIT


class Mixer:
    """A part of a layer that mixes tokens: attention, or a recurrence.

    The counts here are those of a part without cache, state and scores; each kind replaces what it has.
    """

    __slots__ = ()
    heads: Any  # an int, or a property of what has no heads of its own

    @property
    def kind(self) -> str:
        """What the variant is called."""
        return "linear"

    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that a token is multiplied with."""
        raise NotImplementedError

    def parameters(self, hidden: int) -> int:
        """Return all weights."""
        return self.matmul_parameters(hidden)

    def active_parameters(self, hidden: int) -> int:
        """Return the weights that one token passes through: all of them, but in attention with experts."""
        return self.parameters(hidden)

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds: none."""
        return 0

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the numbers that are kept of the tokens of one sequence, at the precision of the cache."""
        return 0

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of a recurrent state, which is kept at a precision of its own."""
        return 0

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs per token of scores, or of writing to a state and reading from it."""
        return 0.0

    def decode_flops(self, context: int) -> float:
        """Return the same of one new token, the last of the context."""
        return self.score_flops(context)


def check_sizes(part: object, names: Iterable[str], low: int = 1, what: str = "") -> None:
    """Raise where a size of a part is no integer of at least `low`."""
    for name in names:
        exact_integer(f"{what}{name}", getattr(part, name), low, LIMIT, ConfigError)
