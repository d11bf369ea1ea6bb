"""What every part of a layer answers: its weights, and of one that mixes tokens also its cache and FLOPs.

The kinds of attention, the recurrences and the feed-forward networks answer the same questions. What a
question means stands here once; a kind says only what it counts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from cohort.errors import ConfigError, exact_integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT


class Part(ABC):
    """A part of a layer that holds weights."""

    __slots__ = ()

    @abstractmethod
    def matmul_parameters(self, hidden: int) -> int:
        """Return the weights that a token is multiplied with; no biases, norms or look-ups.

        Parameters
        ----------
        hidden : int
            Width of the residual stream.

        Returns
        -------
        int
            Weights, of routed experts those that a token is sent to. Each takes two FLOPs in a forward pass.
        """

    def parameters(self, hidden: int) -> int:
        """Return all weights.

        Parameters
        ----------
        hidden : int
            Width of the residual stream.

        Returns
        -------
        int
            Weights, as the reference implementation registers them.

        See Also
        --------
        active_parameters : Those that one token passes through.
        """
        return self.matmul_parameters(hidden)

    def active_parameters(self, hidden: int) -> int:
        """Return the weights that one token passes through: all of them, unless there are experts.

        Parameters
        ----------
        hidden : int
            Width of the residual stream.

        Returns
        -------
        int
            Weights; of routed experts, those of as many as a token is sent to.
        """
        return self.parameters(hidden)


class Mixer(Part):
    """A part of a layer that mixes tokens: attention, or a recurrence.

    The counts here are those of a part without cache, state and scores; each kind replaces what it has.
    """

    __slots__ = ()
    heads: Any  # an int, or a property of what has no heads of its own

    @property
    def kind(self) -> str:
        """What the kind is called, such as ``GQA``; ``linear`` where a state takes the place of keys."""
        return "linear"

    def cached_tokens(self, context: int) -> int:
        """Return how many tokens the cache holds.

        Parameters
        ----------
        context : int
            Tokens of the sequence.

        Returns
        -------
        int
            Tokens; 0 where there is no cache.
        """
        return 0

    def cache_elements(self, context: int, block: int = 1, devices: int = 1) -> int:
        """Return the numbers that the cache keeps of one sequence, at the precision of the cache.

        Parameters
        ----------
        context : int
            Tokens of the sequence.
        block : int
            Tokens of a block of a paged cache :cite:p:`kwon2023pagedattention`; whole blocks are counted.
            With 1 nothing is rounded.
        devices : int
            Devices that share the heads of the layer, or its channels where it has no heads.

        Returns
        -------
        int
            Numbers on the device that holds most; times the bytes of a number they are its part of the cache.
        """
        return 0

    def state_elements(self, devices: int = 1) -> int:
        """Return the numbers of a recurrent state: of a fixed size, and at a precision of its own.

        Parameters
        ----------
        devices : int
            Devices that share the heads of the layer, or its channels where it has no heads.

        Returns
        -------
        int
            Numbers for one sequence on the device that holds most; 0 where there is no state.
        """
        return 0

    def score_flops(self, context: int, causal: bool = True) -> float:
        """Return the FLOPs of attention over the keys, or of writing a state and reading it.

        Parameters
        ----------
        context : int
            Length of the sequence in tokens.
        causal : bool
            Whether a query sees only itself and what came before. If not, the full square is counted.

        Returns
        -------
        float
            FLOPs per token, averaged over the positions of the context; those of `matmul_parameters` come on
            top.
        """
        return 0.0

    def decode_flops(self, context: int) -> float:
        """Return what `score_flops` counts for one new token, with all earlier ones cached.

        Parameters
        ----------
        context : int
            Tokens of the sequence, the new one included.

        Returns
        -------
        float
            FLOPs of that token.
        """
        return self.score_flops(context)


def check_sizes(part: object, names: Iterable[str], low: int = 1, what: str = "") -> None:
    """Check that sizes of a part are whole numbers that are large enough.

    Parameters
    ----------
    part : object
        What has the sizes as attributes.
    names : iterable of str
        The attributes to check.
    low : int
        The least that is allowed.
    what : str
        What stands before a name in an error.

    Raises
    ------
    ConfigError
        If one of them is no whole number of at least `low`.
    """
    for name in names:
        exact_integer(f"{what}{name}", getattr(part, name), low, LIMIT, ConfigError)


explain(__name__)
