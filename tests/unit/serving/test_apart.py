"""Prompts and answers on devices of their own: what each kind bounds, and how requests are shared."""

from __future__ import annotations

import pytest

import cohort
from cohort.errors import ParameterError
from cohort.serving import Worker, serve, serve_apart

H200 = "H200"
ASK = {"input_tokens": 2048, "output_tokens": 512}


def apart(readers=1, writers=1, concurrency=64, **given):
    return serve_apart("llama-3-8b", H200, Worker(readers), Worker(writers), concurrency, **{**ASK, **given})


def test_one_request_waits_for_nothing():
    """It is read alone, handed over and written alone: no step runs and no prompt is before it."""
    found, together = apart(concurrency=1), serve("llama-3-8b", H200, 1, 1, **ASK)
    assert found.tpot_s == pytest.approx(together.tpot_s, rel=1e-3)
    sent = cohort.model("llama-3-8b").kv_cache_bytes(2048) / (0.614 * 450e9)
    assert found.ttft_s == pytest.approx(together.ttft_s + sent, rel=0.01)


def test_requests_are_as_many_as_are_served():
    """Little's law: what is read, waits and is written adds up to the concurrency."""
    found = apart(2, 2, 96)
    host = 0.0203  # before a prompt is read: the client waits, no device does
    step = found.tpot_s / 2
    inside = found.requests_per_s * (found.ttft_s - host - step + 511 * found.tpot_s)
    assert inside == pytest.approx(96, rel=0.05)


def test_no_more_prompts_are_answered_than_are_read():
    """Long prompts and short answers: the readers set the pace, and more writers help nothing."""
    long = {"input_tokens": 30000, "output_tokens": 16}
    rates = [apart(1, writers, 64, **long).requests_per_s for writers in (1, 2, 8)]
    assert max(rates) < 1.02 * min(rates)
    alone = serve("llama-3-8b", H200, 1, 1, input_tokens=30000, output_tokens=1).ttft_s - 0.0203
    assert rates[-1] == pytest.approx(1 / alone, rel=0.1)
    assert apart(2, 1, 64, **long).requests_per_s > 1.7 * rates[0]


def test_more_readers_never_lengthen_the_wait_and_more_writers_never_the_token():
    waits = [apart(readers, 2, 128).ttft_s for readers in (1, 2, 4, 8)]
    assert waits == sorted(waits, reverse=True)
    tokens = [apart(2, writers, 128).tpot_s for writers in (1, 2, 4, 8)]
    assert tokens == sorted(tokens, reverse=True)


def test_no_prompt_is_read_between_tokens():
    found = apart(1, 1, 128)
    assert dict(found.parts)["prompts"] == 0
    assert found.tpot_s < serve("llama-3-8b", H200, 1, 128, **ASK).tpot_s


def test_both_kinds_must_fit():
    found = serve_apart("llama-3-70b", H200, Worker(1, 1), Worker(1, 4), 8, **ASK)
    assert (found.fits, found.devices) == (False, 5)
    assert found.reason


@pytest.mark.parametrize("count", [0, -2, 1.5, 5000])
def test_workers_that_cannot_be_are_refused(count):
    with pytest.raises(ParameterError, match="workers"):
        apart(count)
    with pytest.raises(ParameterError, match="workers"):
        apart(1, count)


@pytest.mark.parametrize("given", [{"concurrency": 0}, {"input_tokens": -1}, {"output_tokens": 0}])
def test_sizes_that_cannot_be_are_refused(given):
    with pytest.raises(ParameterError):
        apart(**given)
