"""What a service is to do, and what it may take."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from cohort.errors import ParameterError, bounded, integer, positive
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT, MAX_CONTEXT

MOST_ACCELERATED = 64  # tokens that a step can yield of a sequence


def three_digits(value: float) -> str:
    """Return a number with three digits, never with an exponent.

    Parameters
    ----------
    value : float
        A finite number.

    Returns
    -------
    str

    Examples
    --------
    >>> three_digits(5e-05), three_digits(39.63)
    ('0.00005', '39.6')
    """
    return f"{Decimal(f'{value:.3g}'):,f}"


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of a service: how long prompts and answers are, and how many there are.

    Attributes
    ----------
    input_tokens, output_tokens : int
        Tokens of each prompt and of each answer.
    users : int, optional
        Answers that are written at the same time.
    requests_per_s : float, optional
        Requests that come in a second; this or `users` is given.
    prefix_share : float
        Share of each prompt whose keys and values are in the cache already.
    acceptance_length : float
        Tokens that a step yields of each sequence where some are guessed ahead.

    Raises
    ------
    ParameterError
        If a size is out of its range, or not exactly one of users and requests is given.
    """

    input_tokens: int
    output_tokens: int
    users: int | None = None
    requests_per_s: float | None = None
    prefix_share: float = 0.0
    acceptance_length: float = 1.0

    def __post_init__(self) -> None:
        integer("input_tokens", self.input_tokens, 1, MAX_CONTEXT, unit="tokens")
        integer("output_tokens", self.output_tokens, 1, MAX_CONTEXT, unit="tokens")
        if (self.users is None) == (self.requests_per_s is None):
            given = "both were" if self.users is not None else "neither was"
            raise ParameterError(f"a demand is so many users or so many requests_per_s, but {given} given")
        if self.users is not None:
            integer("users", self.users, 1, LIMIT, unit="answers at once")
        else:
            positive("requests_per_s", self.requests_per_s, "requests")
        bounded("prefix_share", self.prefix_share, 0, 1)
        bounded("acceptance_length", self.acceptance_length, 1, MOST_ACCELERATED)

    @property
    def context(self) -> int:
        """Tokens of a prompt with its answer."""
        return self.input_tokens + self.output_tokens

    @property
    def cached(self) -> int:
        """Tokens of a prompt whose keys and values are in the cache already."""
        return min(int(self.prefix_share * self.input_tokens), self.input_tokens - 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a service may take at the most; None sets no limit.

    Attributes
    ----------
    first_token_s, token_s : float, optional
        Time to the first token, and time for each further one, in seconds.
    accelerators : int, optional
        Accelerators in all.
    usd_per_hour : float, optional
        Price of all accelerators for an hour, in USD.
    grams_per_answer : float, optional
        CO2e of an answer, the making of the hardware included, in grams.

    Raises
    ------
    ParameterError
        If a limit is not a positive number.
    """

    first_token_s: float | None = None
    token_s: float | None = None
    accelerators: int | None = None
    usd_per_hour: float | None = None
    grams_per_answer: float | None = None

    def __post_init__(self) -> None:
        for each in fields(self):
            value: Any = getattr(self, each.name)
            if value is not None:
                positive(each.name, value)
        if self.accelerators is not None:
            integer("accelerators", self.accelerators, 1, LIMIT, unit="accelerators")

    def kept(self, first_s: float, token_s: float) -> bool:
        """Return whether the limits of time are kept.

        Parameters
        ----------
        first_s, token_s : float
            As in `late`, which says which is not.

        Returns
        -------
        bool
        """
        return (self.first_token_s is None or not first_s > self.first_token_s) and (
            self.token_s is None or not token_s > self.token_s
        )

    def late(self, first_s: float, token_s: float) -> str:
        """Return which limit of time is passed, or nothing.

        Parameters
        ----------
        first_s, token_s : float
            Time to the first token and for each further one, in seconds.

        Returns
        -------
        str
            A clause; empty where both are kept.
        """
        if self.first_token_s is not None and first_s > self.first_token_s:
            most = three_digits(self.first_token_s)
            return f"the first token takes {three_digits(first_s)} s of the {most} s allowed"
        if self.token_s is not None and token_s > self.token_s:
            most = three_digits(1e3 * self.token_s)
            return f"a token takes {three_digits(1e3 * token_s)} ms of the {most} ms allowed"
        return ""


explain(__name__)
