"""A pipeline's stages: what they hold, how fast they are together, and what they are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

import cohort
from cohort.errors import ParameterError
from cohort.serving import ROOFLINE, largest_concurrency, serve

H100 = "H100 SXM 80GB"
ASK = {"input_tokens": 1024, "output_tokens": 256}
# Peaks alone, nothing fixed and nothing exchanged: what stages do can be told by hand.
BARE = replace(ROOFLINE, corner=float("inf"))


def test_one_stage_is_no_pipeline():
    assert serve("llama-3-8b", H100, 1, 8, **ASK, pipeline_parallel=1) == serve(
        "llama-3-8b", H100, 1, 8, **ASK
    )


def test_one_sequence_passes_one_stage_after_the_other():
    """Its weights are read once, wherever they lie: the time of a token stays, but for what is handed on."""
    alone = serve("llama-3-8b", H100, 1, 1, **ASK, attained=BARE)
    piped = serve("llama-3-8b", H100, 1, 1, **ASK, attained=BARE, pipeline_parallel=4)
    assert piped.devices == 4 * alone.devices
    assert piped.tpot_s == pytest.approx(alone.tpot_s, rel=1e-3)
    assert piped.tpot_s >= alone.tpot_s


@pytest.mark.parametrize("stages", [2, 4, 8])
def test_full_stages_read_the_weights_for_their_part_of_the_sequences(stages):
    """32 layers divide evenly: a token takes as long as in one group of devices with a part of the load."""
    piped = serve("llama-3-8b", H100, 1, 64, **ASK, attained=BARE, pipeline_parallel=stages)
    part = serve("llama-3-8b", H100, 1, 64 // stages, **ASK, attained=BARE)
    links = dict(piped.parts)["links"]
    inside = piped.tpot_s - dict(piped.parts)["prompts"] - links
    assert inside == pytest.approx(part.tpot_s - dict(part.parts)["prompts"], rel=1e-12)
    assert 0 < links < 0.01 * inside


def test_uneven_stages_wait_for_the_longest():
    """32 layers in three stages: 11, 11 and 10."""
    even = dict(serve("llama-3-8b", H100, 1, 3, **ASK, attained=BARE).parts)
    alone = dict(serve("llama-3-8b", H100, 1, 1, **ASK, attained=BARE).parts)
    piped = dict(serve("llama-3-8b", H100, 1, 3, **ASK, attained=BARE, pipeline_parallel=3).parts)
    assert piped["weights"] == pytest.approx(alone["weights"] * 33 / 32, rel=1e-12)
    assert even["weights"] == pytest.approx(alone["weights"], rel=1e-3)


@pytest.mark.parametrize("stages", [1, 2, 3, 5])
def test_utilisations_stay_below_one(stages):
    found = serve("llama-3-70b", H100, 4, 200, **ASK, attained=BARE, pipeline_parallel=stages)
    assert 0 < found.mbu <= 1
    assert 0 < found.mfu <= 1


def test_more_stages_hold_more_sequences():
    held = [largest_concurrency("llama-3-70b", H100, 2, **ASK, pipeline_parallel=n) for n in (1, 2, 4)]
    assert held == sorted(held)
    assert held[-1] > 2 * held[1] > 0
    most = serve("llama-3-70b", H100, 2, held[1], **ASK, pipeline_parallel=2)
    more = serve("llama-3-70b", H100, 2, held[1] + 8, **ASK, pipeline_parallel=2)
    assert (most.fits, more.fits) == (True, False)


def test_a_long_prompt_fills_the_stages_with_its_chunks():
    one = cohort.serving.serve("llama-3-8b", H100, input_tokens=65536, output_tokens=1, attained=BARE)
    piped = serve("llama-3-8b", H100, input_tokens=65536, output_tokens=1, attained=BARE, pipeline_parallel=4)
    assert piped.ttft_s == pytest.approx(one.ttft_s * (8 + 3) / (8 * 4), rel=1e-12)


@pytest.mark.parametrize("stages", [0, -1, 33, 1.5, "2"])
def test_stages_that_cannot_be_are_refused(stages):
    with pytest.raises(ParameterError, match="pipeline"):
        serve("llama-3-8b", H100, 1, 1, **ASK, pipeline_parallel=stages)
