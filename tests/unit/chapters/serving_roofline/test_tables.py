"""Phases and sweeps: by hand, and as `serve` says."""

import pytest

import cohort
from cohort.chapters.serving_roofline import tables
from cohort.serving.roofline import serve

LENGTHS = {"input_tokens": 1024, "output_tokens": 256}


def test_phases_of_a_dense_model_by_hand():
    """A step of 64 answers: two FLOP a weight and answer, and 4 x 8192 x 80 a key, over what it reads."""
    found = tables.phases("llama-3-70b", "H100 SXM 80GB", 64, **LENGTHS)
    spec = cohort.model("llama-3-70b")
    flops = 64 * (2 * spec.matmul_parameters + 4 * 8192 * 80 * 1152)
    read = 2 * spec.matmul_parameters + 64 * 1152 * 327_680
    assert found.loc["decode, 64", "intensity"] == pytest.approx(flops / read, rel=1e-12)
    assert found.loc["decode, 64", "attainable"] == pytest.approx(flops / read * 3350e9, rel=1e-12)
    assert found.loc["training", "attainable"] == pytest.approx(989e12, rel=1e-12)
    assert list(found.index) == ["training", "prefill", "decode, 1", "decode, 64"]
    assert list(tables.phases("llama-3-70b", "H100 SXM 80GB", 1, **LENGTHS).index) == list(found.index[:3])


def test_steps_reach_what_fits_and_what_was_asked():
    assert tables.concurrency_steps(9, 3) == [1, 2, 3, 4, 8, 9]
    assert tables.concurrency_steps(0, 1) == [1]
    assert tables.concurrency_steps(0, 5) == [1, 2, 4, 5]


def test_a_sweep_is_what_serve_says():
    request = {"model": "llama-3-8b", "accelerator": "L40S", **LENGTHS}
    found, answer = tables.by_concurrency([1, 7], **request), serve(**request, concurrency=7)
    assert found.loc[7, "tpot"] == answer.tpot_s
    assert found.loc[7, "each"] * 7 == pytest.approx(answer.output_tokens_per_s)
    assert found.loc[7, list(dict(answer.parts))].sum() == pytest.approx(answer.tpot_s)


def test_training_runs_are_those_that_state_a_utilisation():
    found = tables.training_utilisation()
    assert len(found) == 13
    assert found.loc["Llama 3.1 405B", "value"].tolist() == [0.43, 0.41, 0.38]
