"""What a start takes by what came before it: kernels that are timed, and a host that shares the memory."""

import pytest

from cohort.registry import facts
from cohort.serving import memory_budget
from cohort.units import GIB, MIB


def taken(name="qwen2.5-7b", accelerator="RTX 4080", devices=1, **asked):
    asked = {"version": "0.26.0", "context": 32_768, "share": 0.9, "weight_dtype": "awq"} | asked
    return memory_budget(name, accelerator, devices, **asked).runtime


def test_a_first_start_times_kernels_on_a_second_embedding():
    """One log says so to the hundredth: 1.04 GiB at the peak, an embedding and what enters and leaves."""
    embedding, tokens = 152_064 * 3584 * 2, 2048 * 3584 * 2 * 2
    assert (embedding + tokens) / GIB == pytest.approx(1.04, abs=0.005)
    first, again = taken(), taken(kernels="compiled")
    assert 0 < first[1] - again[1] < (embedding + tokens)
    assert first[0] == again[0]  # at the least it was compiled before
    assert first[2] >= again[2]


@pytest.mark.parametrize("asked", [{"version": "0.11.0"}, {"kernels": ["eager"]}])
def test_what_times_no_kernels_takes_nothing_more(asked):
    """PyTorch 2.8 has none that are timed together, and without graphs nothing is compiled."""
    assert taken(**asked) == taken(**{**asked, "kernels": [*asked.get("kernels", []), "compiled"]})


def test_a_model_that_is_given_embeddings_has_none_in_its_graph():
    """With images an engine embeds by itself; without them the model does."""
    images = {"name": "qwen3.6-27b", "accelerator": "L40S", "weight_dtype": "fp8"}
    assert taken(**images) == taken(**images, kernels="compiled")
    assert taken(**images, images=False)[1] > taken(**images, images=False, kernels="compiled")[1]


def test_an_embedding_is_divided_among_devices():
    single, pair = (
        taken("qwen3-8b", "L40S", devices)[1] - taken("qwen3-8b", "L40S", devices, kernels="compiled")[1]
        for devices in (1, 2)
    )
    assert 0 < pair < single


def test_two_starts_of_one_server_in_one_thread():
    """Qwen3 8B on a 4090: 14.43 GiB at a share of 0.9, and 14.23 as it starts again with 1.2 GiB less."""
    rows = [row for row in facts.rows("engine_logs") if row["source"] == "enginrect2026"]
    first, again = (
        float(row["value"]) for row in rows if row["weight_format"] == "awq" and row["quantity"] == "room"
    )
    asked = {"version": "0.27.1", "context": 4096, "weight_dtype": "awq"}
    said = [
        memory_budget("qwen3-8b", "RTX 4090", share=share, kernels=kernels, **asked).room / GIB
        for share, kernels in ((0.9, []), (0.85, ["compiled"]))
    ]
    assert said[0] - said[1] == pytest.approx(first - again, abs=0.01)


def test_a_host_takes_of_a_memory_that_it_shares():
    """Three starts on a GB10 set it; a card of its own memory has none, but a range for what is not seen."""
    asked = {"version": "0.20", "context": 8192, "batched_tokens": 2048, "sequences": 256}
    spark = memory_budget("qwen3-8b", "DGX Spark (GB10)", **asked)
    card = memory_budget("qwen3-8b", "RTX PRO 6000 Blackwell", **asked)
    assert spark.runtime[1] - card.runtime[1] > 2000 * MIB
    unseen = card.runtime[2] - card.runtime[1]
    assert unseen >= 0.02 * card.usable


def test_what_is_not_seen_is_a_range_of_vllm_alone():
    rows = [row for row in facts.rows("engine_memory") if row["quantity"] == "unseen"]
    assert [(row["engine"], row["low"], row["value"]) for row in rows] == [("vllm", "0", "0")]
