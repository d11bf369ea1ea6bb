"""The problems of the chapter on attention, with answers worked out by hand."""

import re

import pytest

import cohort
from cohort.chapters.attention_memory import problems
from cohort.units import GIB


@pytest.fixture(scope="module")
def solved():
    return problems.worked(cohort.model("llama-3.3-70b"), 32_768, "H100 SXM 80GB")


def test_texts_that_weigh_as_much_as_the_weights(solved):
    """70,553,706,496 weights of two bytes over 32,768 tokens of 2 x 80 x 8 x 128 x 2 bytes: 13.1."""
    assert solved[0].steps[-1] == "131 GiB ÷ 10 GiB = 13.1."
    assert solved[0].answer == "About 13 texts."


def test_sequences_that_fit_the_fewest_devices(solved):
    assert solved[1].answer == "4 devices, and 13 sequences at once."
    room = solved[1].steps[2]
    usable, weights, engine, left = (float(each) for each in re.findall(r"\d+\.\d\d", room))
    assert left == pytest.approx(usable - weights - engine, abs=0.006)
    assert 13 * 2.5 <= left < 14 * 2.5


def test_scores_that_are_written_out(solved):
    """64 heads, 32,768 squared, twice, in two bytes: 2**38."""
    assert 256 * GIB == 2 * 2 * 64 * 32_768**2
    assert solved[2].answer.startswith("256 GiB, 25.6 times the cache")


@pytest.mark.parametrize(
    ("model", "accelerator", "answer"),
    [
        ("deepseek-v3.2", "RTX 4090", "More than 64 devices."),
        ("llama-3-8b", "H200", "1 device, and 109 sequences at once."),
    ],
)
def test_what_fits_elsewhere(model, accelerator, answer):
    assert problems.worked(cohort.model(model), 8192, accelerator)[1].answer == answer


def test_a_cache_that_outweighs_the_weights():
    (first, *_) = problems.worked(cohort.model("llama-2-7b"), 100_000, "H200")
    assert first.answer == "One text outweighs the weights."
