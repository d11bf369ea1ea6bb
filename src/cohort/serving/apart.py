"""Prompts read by some devices and answers written by others, which the cache is handed to.

Each request waits for one of the readers, is read alone, and joins the answers of a writer. As many requests
as are served at once are shared between both: what queues before the readers is not being written, so that
a service short of readers writes with small batches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, sqrt

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.formats import WeightFormat
from cohort.errors import bounded, integer
from cohort.errors.arguments import explain
from cohort.numeric import LIMIT
from cohort.registry.devices import Accelerator, as_accelerator
from cohort.serving.asked import Asked, checked_layout, checked_lengths, speculation
from cohort.serving.attainment import Attained
from cohort.serving.groups import device_group
from cohort.serving.layouts import Layout
from cohort.serving.services import Serving
from cohort.serving.step import CHUNK, DeviceGroup
from cohort.serving.times import steady

MOST_WORKERS = 1024


@dataclass(frozen=True, slots=True)
class Worker:
    """Devices that hold the model once, of which a service has several.

    Attributes
    ----------
    count : int
        How many such groups there are.
    tensor_parallel, attention_data_parallel, pipeline_parallel : int
        How the devices of each share the model, as `cohort.serving.serve` takes it.
    expert_parallel : bool
        Whether whole experts are dealt out to its devices.
    """

    count: int = 1
    tensor_parallel: int = 1
    attention_data_parallel: int = 1
    pipeline_parallel: int = 1
    expert_parallel: bool = False

    def layout(self, device: Accelerator) -> Layout:
        """Return how its devices share the model, once that has been checked.

        Parameters
        ----------
        device : Accelerator
            Each of them.

        Returns
        -------
        Layout

        Raises
        ------
        ParameterError
            If a number is out of its range.
        """
        integer("count of workers", self.count, 1, MOST_WORKERS, unit="workers")
        return checked_layout(
            device,
            self.tensor_parallel,
            self.attention_data_parallel,
            self.expert_parallel,
            self.pipeline_parallel,
        )


def serve_apart(
    model: str | ModelSpec,
    accelerator: str | Accelerator,
    readers: Worker,
    writers: Worker,
    concurrency: int = 1,
    *,
    input_tokens: int,
    output_tokens: int,
    weight_dtype: str | WeightFormat = "bf16",
    kv_dtype: str = "bf16",
    generation: str = "2025",
    engine: str | None = None,
    prefix_share: float = 0.0,
    acceptance_length: float = 1.0,
    draft_tokens: int | None = None,
    chunk: int = CHUNK,
    attained: Attained | None = None,
) -> Serving:
    """Return what it takes to serve a model where prompts and answers have devices of their own.

    Parameters
    ----------
    model, accelerator, concurrency, input_tokens, output_tokens
        As `cohort.serving.serve` takes them; the concurrency is of the whole service.
    weight_dtype, kv_dtype, generation, engine, prefix_share, acceptance_length, draft_tokens, chunk, attained
        As `cohort.serving.serve` takes them.
    readers, writers : Worker
        The devices that read prompts, and those that write answers.

    Returns
    -------
    Serving
        The service in its steady state. Its time to the first token holds the wait for a reader, and the
        cache on its way to a writer; no prompt is read between the tokens of another. The wait is that of
        a queue whose customers come back (Schweitzer's approximation of mean value analysis). Measured
        services of this kind, which calibrated nothing, are missed by 16 % at the median and 48 % at the
        ninth decile of the time per token.

    Raises
    ------
    UnknownNameError
        If a name is not known.
    ParameterError
        If a size is out of its range, or the devices cannot share the layers.

    Examples
    --------
    >>> import cohort
    >>> from cohort.serving.apart import Worker
    >>> found = cohort.serving.serve_apart(
    ...     "gpt-oss-120b", "H200", Worker(1, 2), Worker(3, 2), 64, input_tokens=2048, output_tokens=512
    ... )
    >>> found.devices, dict(found.parts)["prompts"]
    (8, 0.0)
    """
    concurrency, input_tokens, output_tokens = checked_lengths(concurrency, input_tokens, output_tokens)
    device, chunk = as_accelerator(accelerator), integer("chunk", chunk, 1, LIMIT, unit="tokens")
    groups = []
    for worker in (readers, writers):
        layout = worker.layout(device)
        groups.append(
            device_group(model, device, layout, weight_dtype, kv_dtype, attained, generation, engine)
        )
    cached = min(int(bounded("prefix_share", prefix_share, 0, 1) * input_tokens), input_tokens - 1)
    asked = Asked(
        concurrency, input_tokens, output_tokens, cached, *speculation(acceptance_length, draft_tokens)
    )
    return as_one_service(groups[0], groups[1], asked, (readers.count, writers.count), chunk)


@dataclass(frozen=True, slots=True)
class _Readers:
    """What a request meets before its first token.

    ``alone`` are the seconds in which its prompt is read, ``sent`` those in which its cache is handed over,
    and ``places`` the prompts that are read side by side.
    """

    alone: float
    sent: float
    places: float

    def takes(self, others: float) -> float:
        """Return the seconds of a prompt that finds others before it, waiting or being read.

        Several readers are a single fast one with a delay after it (Seidmann's approximation).
        """
        return self.alone * ((1.0 + others) + (self.places - 1.0)) / self.places + self.sent


@lru_cache(maxsize=2048)
def _readers(
    reading: DeviceGroup, writing: DeviceGroup, tokens: int, cached: int, workers: int, chunk: int
) -> _Readers:
    whole = reading.prompts(tokens, cached, 1, chunk)
    alone = reading.piped(whole, ceil(tokens / chunk))
    # While one prompt is in a stage, or is read by a copy, the next is in another.
    stages = max(alone * reading.layout.pipeline / (whole * reading.pace), 1.0)
    sent = _handed_over(reading, writing, tokens + cached)
    return _Readers(alone, sent, workers * reading.layout.data * stages)


def _handed_over(reading: DeviceGroup, writing: DeviceGroup, tokens: int) -> float:
    """Return the seconds in which the cache of a prompt reaches a writer: each device sends what it holds."""
    rate = reading.attained.link * (reading.device.link or 0.0)
    moved = max(reading.cache_bytes(tokens, 1), writing.cache_bytes(tokens, 1))
    return moved / rate if rate else 0.0


def _token_s(writing: DeviceGroup, asked: Asked, sequences: float, workers: int) -> float:
    """Return the seconds of a token where so many sequences are shared out evenly, between whole numbers."""
    mine = max(sequences / workers, 1.0)
    low = int(mine)
    case = (asked.middle, asked.guessed, asked.accepted)
    below = _step_s(writing, low, *case)
    return below if mine == low else below + (mine - low) * (_step_s(writing, low + 1, *case) - below)


@lru_cache(maxsize=8192)
def _step_s(writing: DeviceGroup, sequences: int, context: int, guessed: int, accepted: float) -> float:
    step = sum(writing.step(sequences, context, 1 + guessed).values())
    return (step + writing.drafts(sequences, context, guessed)) / accepted


def _written(writing: DeviceGroup, asked: Asked, readers: _Readers, workers: int) -> float:
    """Return how many of the sequences are being written; the others are read or wait to be.

    Requests leave the writers as fast as they leave the readers. Between whole numbers of sequences the time
    of a token is a straight line, so that the balance is a quadratic equation there.
    """
    count, tokens = asked.concurrency, max(asked.output_tokens - 1, 1)
    case = (asked.middle, asked.guessed, asked.accepted)

    def waiting(mine: int) -> bool:
        """Whether readers would have more requests than these writers leave them."""
        queue = count - workers * mine
        rate = workers * mine / (tokens * _step_s(writing, mine, *case))
        return queue > rate * readers.takes(queue * (count - 1) / count)

    low = 0
    if workers < count and waiting(1):
        low, high = 1, count // workers + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if waiting(middle) else (low, middle)
    at = _step_s(writing, max(low, 1), *case)
    slope = _step_s(writing, low + 1, *case) - at
    start = at - slope * low
    alone, more = readers.takes(0.0), readers.alone * (count - 1) / (count * readers.places)
    square = workers * (more * workers - tokens * slope)
    linear = tokens * (count * slope - workers * start) - workers * (alone + more * count)
    constant = tokens * count * start
    root = 2 * constant / (sqrt(max(linear**2 - 4 * square * constant, 0.0)) - linear)
    return workers * min(max(root, float(low)), count / workers)


def _rate(writing: DeviceGroup, asked: Asked, written: float, workers: int) -> float:
    """Return the requests that end in a second."""
    return written / (max(asked.output_tokens - 1, 1) * _token_s(writing, asked, written, workers))


def times_apart(
    reading: DeviceGroup, writing: DeviceGroup, asked: Asked, workers: tuple[int, int], chunk: int = CHUNK
) -> tuple[float, float, float]:
    """Return the times of a service that reads and writes apart, whether or not it fits.

    Parameters
    ----------
    reading, writing : DeviceGroup
        Devices that read prompts, and that write answers.
    asked : Asked
        What is asked of the service.
    workers : tuple of two int
        How many groups there are of each.
    chunk : int
        Tokens of prompts that a step reads at the most.

    Returns
    -------
    tuple of three float
        Seconds to the first token, seconds of a further token, and sequences that are being written.
    """
    before = _readers(reading, writing, asked.input_tokens - asked.cached, asked.cached, workers[0], chunk)
    written = _written(writing, asked, before, workers[1])
    token = _token_s(writing, asked, written, workers[1])
    queued = (asked.concurrency - written) / _rate(writing, asked, written, workers[1])
    joining = token / 2 if asked.concurrency > 1 and asked.output_tokens > 1 else 0.0
    return reading.attained.first_s + queued + joining, token, written


def as_one_service(
    reading: DeviceGroup, writing: DeviceGroup, asked: Asked, workers: tuple[int, int], chunk: int = CHUNK
) -> Serving:
    """Return both kinds of devices as one service, whose requests pass one after the other.

    Parameters
    ----------
    reading, writing, asked, workers, chunk
        As in `times_apart`.

    Returns
    -------
    Serving
    """
    count = asked.concurrency
    first, token, written = times_apart(reading, writing, asked, workers, chunk)
    one = steady(writing, replace(asked, concurrency=max(round(written / workers[1]), 1)), chunk)
    held = steady(reading, replace(asked, concurrency=1, output_tokens=1), chunk)
    parts = {part: seconds for part, seconds in one.parts if part != "prompts"}
    scale = token / sum(parts.values())
    devices = workers[0] * reading.devices + workers[1] * writing.devices
    return replace(
        one,
        concurrency=count,
        devices=devices,
        ttft_s=first,
        parts=(*((part, scale * seconds) for part, seconds in parts.items()), ("prompts", 0.0)),
        fits=one.fits and held.fits,
        reason=one.reason or held.reason,
        others_s=0.0,
        step_bytes=one.step_bytes * workers[1],
        peak=one.peak / one.devices * devices,
        bandwidth=one.bandwidth / one.devices * devices,
    )


explain(__name__)
