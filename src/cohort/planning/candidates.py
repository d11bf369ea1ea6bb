"""A model on a group of accelerators that share it in one way: what it holds, and its times at any load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil, isqrt

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import WeightFormat
from cohort.errors import integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT
from cohort.planning.demand import Demand, Limits
from cohort.planning.sharing import Way
from cohort.registry.devices import Accelerator
from cohort.serving.apart import as_one_service, times_apart
from cohort.serving.asked import Asked, speculation
from cohort.serving.layouts import KEPT
from cohort.serving.services import Serving
from cohort.serving.step import CHUNK, DeviceGroup
from cohort.serving.times import memory_misfit, most_sequences, steady, times_of

FIRST = 64  # answers at once of which is asked first whether they are enough in time
FULL = 2**20  # answers at once that no copy holds
Times = dict[int, tuple[float, float, float]]  # by answers at once


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way that is tried.

    Attributes
    ----------
    spec : ModelSpec
        The model.
    device : Accelerator
        Each of the accelerators.
    way : Way
        How those of one copy share the work.
    stored : WeightFormat
        How weights are stored.
    kv_dtype : str
        How the cache is stored.
    group : DeviceGroup
        Accelerators that hold the model once.
    demand : Demand
        What is asked.
    """

    spec: ModelSpec
    device: Accelerator
    way: Way
    stored: WeightFormat
    kv_dtype: str
    group: DeviceGroup
    demand: Demand
    _seen: Times = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        demand, way = self.demand, self.way
        lengths = demand.input_tokens, demand.output_tokens, demand.cached, demand.acceptance_length
        object.__setattr__(self, "_seen", _times_of(self.group, way.readers, way.writers, *lengths))

    def asked(self, concurrency: int) -> Asked:
        """Return the demand on one copy.

        Parameters
        ----------
        concurrency : int
            Answers that it writes at once.

        Returns
        -------
        Asked
        """
        demand = self.demand
        return Asked(
            concurrency,
            demand.input_tokens,
            demand.output_tokens,
            demand.cached,
            *_speculated(demand.acceptance_length),
        )

    def most(self) -> int:
        """Return how many answers one copy holds at once, each at its full length."""
        return self.way.writers * most_sequences(self.group, self.demand.context)

    def misfit(self) -> str:
        """Return why one answer does not fit, or nothing if it does."""
        return memory_misfit(self.group, 1, self.demand.context)

    def times(self, concurrency: int) -> tuple[float, float, float]:
        """Return the times of one copy, and what it does.

        Parameters
        ----------
        concurrency : int
            Answers that it writes at once.

        Returns
        -------
        tuple of three float
            Seconds to the first token and for a further one, and requests a second.
        """
        if concurrency not in self._seen:
            self._seen[concurrency] = self._times(integer("concurrency", concurrency, 1, LIMIT))
        return self._seen[concurrency]

    def _times(self, concurrency: int) -> tuple[float, float, float]:
        asked, further = self.asked(concurrency), self.demand.output_tokens - 1
        if self.way.apart:
            first, token, _ = times_apart(self.group, self.group, asked, (self.way.readers, self.way.writers))
            return first, token, concurrency / (first + further * token)
        first, parts, others = times_of(self.group, asked)
        token = sum(parts.values())
        return first, token, concurrency / (first + others + further * (token - parts["prompts"]))

    def serving(self, concurrency: int) -> Serving:
        """Return one copy in its steady state.

        Parameters
        ----------
        concurrency : int
            Answers that it writes at once.

        Returns
        -------
        Serving
        """
        asked = self.asked(integer("concurrency", concurrency, 1, LIMIT))
        if self.way.apart:
            return as_one_service(self.group, self.group, asked, (self.way.readers, self.way.writers))
        return steady(self.group, asked, CHUNK)

    def largest(self, limits: Limits, most: int) -> tuple[int, str]:
        """Return the most answers at once that keep the limits of time, and why there are no more.

        Parameters
        ----------
        limits : Limits
            What times may be.
        most : int
            Answers that the memory holds.

        Returns
        -------
        tuple of int and str
            0, and the reason, where a single one is too slow.
        """

        def in_time(count: int) -> bool:
            first, token, _ = self.times(count)
            return limits.kept(first, token)

        kept = 0
        for count in rungs(most):
            if not in_time(count):
                break
            kept = count
        else:
            return most, ""
        first, token, _ = self.times(count)
        why = limits.late(first, token)
        if not kept:
            return 0, f"even a single answer is late: {why}"
        return last_kept(in_time, kept, count), why

    def attains(self, enough: Callable[[int, float], bool], limits: Limits) -> bool:
        """Return whether some number of answers at once is enough and keeps the limits of time.

        What memory holds is not asked. More answers at once are enough sooner, and late sooner.

        Parameters
        ----------
        enough : callable
            Whether it is, from the answers at once and the requests a second.
        limits : Limits
            What times may be.

        Returns
        -------
        bool
        """
        low, high = 0, 2 * FULL  # too few, and too slow
        while high - low > 1:
            middle = max(isqrt(low * high), low + 1) if low else min(FIRST, high // 2)
            first, token, rate = self.times(middle)
            in_time = limits.kept(first, token)
            if enough(middle, rate):
                if in_time:
                    return True
                high = middle
            elif in_time:
                low = middle
            else:
                return False
        return False

    def loaded(self, limits: Limits, most: int) -> tuple[int, int, str]:
        """Return copies and answers at once on each that meet the demand within the limits of time.

        Parameters
        ----------
        limits : Limits
            What times may be.
        most : int
            Answers that the memory of one copy holds.

        Returns
        -------
        tuple of two int and str
            Copies, answers at once on each, and why there are none.
        """
        largest, why = self.largest(limits, most)
        if not largest:
            return 0, 0, why
        demand = self.demand
        if demand.users is not None:
            copies = ceil(demand.users / largest)
            return copies, ceil(demand.users / copies), ""
        rate = float(demand.requests_per_s or 0.0)
        copies = ceil(rate / self.times(largest)[2])
        enough = first_kept(lambda count: copies * self.times(count)[2] >= rate, 1, largest)
        return copies, enough, ""


@lru_cache(maxsize=KEPT)
def _times_of(
    group: DeviceGroup, readers: int, writers: int, read: int, written: int, cached: int, accepted: float
) -> Times:
    """Return the times that are known of a group at such lengths, to add to.

    Searches for one demand that differ in limits, prices or places come back to them.
    """
    return {}


@lru_cache(maxsize=64)
def _speculated(length: float) -> tuple[float, int]:
    return speculation(length, None)


def rungs(most: int) -> list[int]:
    """Return the powers of two up to a number, and the number.

    Parameters
    ----------
    most : int
        At least 1.

    Returns
    -------
    list of int
    """
    powers = [2**power for power in range(most.bit_length())]
    return powers if powers[-1] == most else [*powers, most]


def last_kept(kept: Callable[[int], bool], low: int, high: int) -> int:
    """Return the last number that keeps a condition which low keeps and high does not.

    Parameters
    ----------
    kept : callable
        The condition; once it fails it fails for all larger numbers.
    low, high : int
        Between which.

    Returns
    -------
    int
    """
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if kept(middle) else (low, middle)
    return low


def first_kept(kept: Callable[[int], bool], low: int, high: int) -> int:
    """Return the first number that keeps a condition which high keeps.

    Parameters
    ----------
    kept : callable
        The condition; once it holds it holds for all larger numbers.
    low, high : int
        Between which.

    Returns
    -------
    int
    """
    if kept(low):
        return low
    return last_kept(lambda count: not kept(count), low, high) + 1


explain(__name__)
