"""What is asked of a service, once it has been checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from cohort.errors import bounded, integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, MAX_CONTEXT
from cohort.registry.devices import Accelerator
from cohort.serving.groups import most_devices
from cohort.serving.layouts import MOST, Layout


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a service, once it has been checked.

    Attributes
    ----------
    concurrency, input_tokens, output_tokens : int
        Sequences at once, and tokens of each prompt and answer.
    cached : int
        First tokens of a prompt that are in the cache.
    accepted : float
        Tokens that a step yields of a sequence.
    guessed : int
        Tokens that are guessed ahead in a step.
    together : bool
        Whether requests start together.
    """

    concurrency: int
    input_tokens: int
    output_tokens: int
    cached: int = 0
    accepted: float = 1.0
    guessed: int = 0
    together: bool = False

    @property
    def middle(self) -> int:
        """Tokens of a sequence in the middle of its answer."""
        return self.input_tokens + (self.output_tokens + 1) // 2


def checked_layout(
    device: Accelerator, tensor: int, data: int = 1, expert: bool = False, pipeline: int = 1
) -> Layout:
    """Return how devices share a model, once it has been checked that their links join as many.

    Parameters
    ----------
    device : Accelerator
        Each of the devices.
    tensor, data, expert, pipeline
        As `serve` takes them, in this order: devices of a layer, copies of the attention, whether experts are
        dealt out, and stages.

    Returns
    -------
    Layout

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """
    most = most_devices(device)
    tensor = integer("tensor_parallel", tensor, 1, most, unit=f"devices for {device.name}")
    data = integer("attention_data_parallel", data, 1, most // tensor, unit="copies")
    pipeline = integer("pipeline_parallel", pipeline, 1, MOST, unit="stages")
    return _known_layout(tensor, data, bool(expert), pipeline)


LONGEST_GUESS = 64  # tokens that engines guess ahead at most


@lru_cache(maxsize=64)
def _known_layout(tensor: int, data: int, expert: bool, pipeline: int) -> Layout:
    return Layout(tensor, pipeline, data, expert)


def speculation(length: float, guessed: int | None) -> tuple[float, int]:
    """Return how many tokens a step yields of a sequence, and how many are guessed for that.

    Parameters
    ----------
    length : float
        Tokens that a step yields of a sequence.
    guessed : int or None
        Tokens that are guessed in a step; by default as few as yield them.

    Returns
    -------
    tuple of float and int

    Raises
    ------
    ParameterError
        If one is out of its range.
    """
    accepted = bounded("acceptance_length", length, 1, LONGEST_GUESS)
    least = ceil(accepted) - 1
    if guessed is None:
        return accepted, least
    return accepted, integer("draft_tokens", guessed, least, LONGEST_GUESS, unit="tokens")


def checked_lengths(concurrency: int, input_tokens: int, output_tokens: int) -> tuple[int, int, int]:
    """Return sizes of a load, once they have been checked.

    Parameters
    ----------
    concurrency, input_tokens, output_tokens : int
        As `serve` takes them.

    Returns
    -------
    tuple of three int

    Raises
    ------
    ParameterError
        If one is out of its range.
    """
    return (
        integer("concurrency", concurrency, 1, LIMIT, unit="sequences"),
        integer("input_tokens", input_tokens, 1, MAX_CONTEXT, unit="tokens"),
        integer("output_tokens", output_tokens, 1, MAX_CONTEXT, unit="tokens"),
    )


explain(__name__)
