"""What an engine holds for steps that are under way, and what its share is a share of."""

import pytest

import cohort
from cohort.serving import Layout, memory_budget
from cohort.serving.engine_runtime import engine_needs

L40S = "L40S"


def budget(model, devices=1, **asked):
    asked = {"engine": "vllm", "images": False, "context": 16_384, "batch": 1} | asked
    return memory_budget(cohort.model(model), L40S, devices, **asked)


def held(version, devices=1, **asked):
    return budget("gemma-3-12b", devices, version=version, **asked).cache


def test_a_window_is_held_for_each_batch_under_way_since_0_26():
    """Five in six of the layers of Gemma 3 have a window, and hold a batch of 2048 tokens more."""
    assert held("0.25") < held("0.26")
    assert held("0.26") == held("0.25", ahead=2 * 2048)


def test_stages_have_a_batch_each_under_way():
    """One batch more than there are stages, as vLLM's ``config/vllm.py`` has it."""
    stages = Layout(pipeline=2)
    assert held("0.26", stages) == held("0.26", stages, ahead=3 * 2048)
    assert held("0.25", stages) == held("0.25", stages, ahead=2048)


def test_layers_without_a_window_are_held_alike():
    first, second = (budget("qwen3-14b", version=version).cache for version in ("0.25", "0.26"))
    assert first == second


@pytest.mark.parametrize(("engine", "of_free"), [("vllm", False), ("sglang", True), ("llama.cpp", False)])
def test_whose_share_is_of_what_is_free(engine, of_free):
    assert engine_needs(engine).of_free is of_free


def test_sglang_shares_what_is_free_before_weights_are_loaded():
    """What is left of the memory less the unshared part of what was free, as SGLang's pools are sized."""
    found = budget("qwen3-14b", engine="sglang", share=0.8)
    taken = found.usable - found.weight_bytes - found.room
    assert taken == pytest.approx(0.8 * engine_needs("sglang").base[1], abs=2)
