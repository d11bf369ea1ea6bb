"""The memory of a training step: measured peaks, known sums, and properties."""

import statistics

import pytest

import cohort
from cohort.errors import ParameterError, UnknownNameError
from cohort.registry import facts
from cohort.serving import training_memory
from cohort.serving.modules import LIBRARIES

MEASURED = facts.rows("training_memory")
SIZES = {
    "hidden_size": "hidden", "num_hidden_layers": "layers", "intermediate_size": "intermediate",
    "num_attention_heads": "heads", "num_key_value_heads": "kv_heads", "vocab_size": "vocabulary",
}  # fmt: skip


def predicted(row):
    config = {name: int(row[column]) for name, column in SIZES.items()}
    spec = cohort.model({"model_type": "llama", "tie_word_embeddings": True, **config})
    return training_memory(
        spec,
        int(row["batch"]),
        int(row["length"]),
        recipe=row["recipe"],
        recompute=row["recompute"],
        adapter_rank=int(row["adapter_rank"]),
        adapter_bytes=2,  # as the states say that stay between steps
    )


@pytest.mark.parametrize("row", MEASURED, ids=lambda row: "-".join(list(row.values())[7:12]))
def test_each_measured_peak_is_met(row):
    found = predicted(row)
    assert found.peak == pytest.approx(int(row["peak_allocated_bytes"]), rel=0.001)
    states = found.weights + found.optimiser + found.workspace
    assert states == pytest.approx(int(row["states_bytes"]), rel=0.001)


def test_measured_peaks_are_met_within_a_part_in_five_thousand_at_the_median():
    errors = [abs(predicted(row).peak / int(row["peak_allocated_bytes"]) - 1) for row in MEASURED]
    assert statistics.median(errors) < 0.0002


def test_sixteen_bytes_a_weight():
    """Mixed precision with Adam, as the paper on ZeRO counts it."""
    found = training_memory("llama-3-8b", recipe="mixed")
    assert found.weights + found.gradients + found.optimiser == 16 * cohort.model("llama-3-8b").parameters


def test_each_stage_of_zero_divides_more():
    whole = training_memory("llama-3-8b", recipe="mixed")
    stages = [
        training_memory("llama-3-8b", recipe="mixed", data_parallel=8, zero=stage) for stage in range(4)
    ]
    assert (stages[0].optimiser, stages[1].optimiser * 8) == (whole.optimiser, whole.optimiser)
    assert stages[2].gradients * 8 == pytest.approx(whole.gradients)
    assert stages[3].weights * 8 == pytest.approx(whole.weights)
    peaks = [each.peak for each in stages]
    assert peaks == sorted(peaks, reverse=True)


def test_less_is_kept_with_each_trick():
    plain = training_memory("llama-3-8b", 1, 4096).activations
    assert training_memory("llama-3-8b", 1, 4096, fused_norms=True).activations < plain
    assert training_memory("llama-3-8b", 1, 4096, recompute="full").activations < plain / 10
    assert training_memory("llama-3-8b", 1, 4096, tensor_parallel=8).activations < plain
    along = training_memory("llama-3-8b", 1, 4096, tensor_parallel=8, sequence_parallel=True).activations
    assert along == pytest.approx(plain / 8)


def test_scores_grow_with_the_square_unless_fused_or_recomputed():
    def naive(length, **how):
        return training_memory("llama-3-8b", 1, length, fused_attention=False, **how).activations

    assert naive(8192) > 2 * naive(4096)
    assert naive(8192, recompute="selective") == 2 * naive(4096, recompute="selective")


def test_a_layer_keeps_34_numbers_of_bytes_a_token_but_for_dropout():
    """The count of Korthikanti et al. without its two masks: 32 times the width, with fused norms."""
    config = {
        "model_type": "gpt_bigcode", "multi_query": False, "n_embd": 1024, "n_layer": 10, "n_head": 16,
        "vocab_size": 1000, "n_positions": 512,
    }  # fmt: skip
    found = training_memory(cohort.model(config), 1, 512, fused_norms=True)
    assert found.activations == pytest.approx(512 * 10 * 1024 * 32, rel=0.05)


@pytest.mark.parametrize(
    ("optimiser", "times"), [("adamw", 2), ("momentum", 1), ("sgd", 0), ("adafactor", 0)]
)
def test_the_states_of_an_optimiser(optimiser, times):
    weights = cohort.model("llama-3-8b").parameters
    assert training_memory("llama-3-8b", recipe="bf16", optimiser=optimiser).optimiser == 2 * times * weights


def test_adapters_train_little_and_nf4_holds_the_rest_in_a_quarter():
    lora = training_memory("llama-3-8b", adapter_rank=16)
    qlora = training_memory("llama-3-8b", adapter_rank=16, base_format="nf4")
    assert lora.gradients < 0.02 * 2 * cohort.model("llama-3-8b").parameters
    assert 0.25 < qlora.weights / lora.weights < 0.45


def test_the_rank_of_all_matrices():
    """Seven matrices a layer, each with both of its sides."""
    spec = cohort.model("llama-3-8b")
    sides = (4096 + 4096) * 2 + 2 * (4096 + 1024) + 3 * (4096 + 14336)
    found = training_memory(spec, adapter_rank=8)
    assert found.gradients == 4 * 8 * 32 * sides


def kept(**how):
    return training_memory("llama-3-8b", 1, 1024, **how).activations


def test_a_frozen_network_keeps_neither_the_product_that_it_reads_nor_that_before_it():
    """Adapters on attention alone: 2 bytes of the width and of the inner layer less, in each of 32 layers."""
    shared = {"adapter_rank": 8, "adapter_bytes": 2}
    less = kept(**shared) - kept(**shared, adapter_targets="attention")
    assert less == 1024 * 32 * 2 * (4096 + 14_336 + 3 * 8)  # and what three adapters make of them


def test_adapters_in_fp32_copy_the_input_of_every_matrix():
    """Four bytes for each of seven inputs, where adapters in 16 bits share what is there."""
    wide, shared = kept(adapter_rank=8), kept(adapter_rank=8, adapter_bytes=2)
    inputs = 4096 * (3 + 1 + 2) + 14_336
    held = 4096 * (1 + 1) + 14_336  # beside the output of attention, which is kept anyway
    assert wide - shared == 1024 * 32 * (4 * inputs - 2 * held + 2 * 7 * 8)
    assert kept(adapter_rank=8, recipe="autocast") < wide  # which casts each copy to 16 bits


def test_bitsandbytes_held_what_frozen_matrices_read_twice():
    """Width, output of attention, width again and inner layer, in 16 bits."""
    more = kept(adapter_rank=8, frozen_inputs=2) - kept(adapter_rank=8)
    assert more == 2 * 1024 * 32 * 2 * (3 * 4096 + 14_336)
    assert kept(frozen_inputs=2) == kept()  # nothing is frozen


def test_kernels_and_copies_change_what_is_kept():
    assert kept() - kept(fused_gates=True) == 1024 * 32 * 2 * 14_336
    assert kept(copied_heads=True) - kept() == 1024 * 32 * 2 * 2 * (32 - 8) * 128
    assert kept(adapter_rank=8, adapter_dropout=True) > kept(adapter_rank=8)


def test_adapters_on_queries_and_values_leave_the_other_matrices_alone():
    shared = {"adapter_rank": 8, "adapter_bytes": 2}
    some = training_memory("llama-3-8b", **shared, adapter_targets="queries and values")
    assert some.gradients == 2 * 8 * 32 * (2 * 4096 + 4096 + 1024)
    assert kept(**shared, adapter_targets="queries and values") < kept(**shared, adapter_targets="attention")


def test_products_in_fp8_keep_a_byte_of_each_input():
    """Of three inputs in 16 bits one byte each is less, and the output of attention is kept once more."""
    less = kept() - kept(product_bytes=1)
    assert less == 1024 * 32 * (4096 + 4096 + 14_336 - 4096)


def test_buffers_and_workspace_are_added_to_the_peak():
    plain = training_memory("llama-3-8b", workspace=0)
    assert training_memory("llama-3-8b", workspace=10**9).peak == plain.peak + 10**9
    assert training_memory("llama-3-8b", workspace=0, buffers=10**9).peak == plain.peak + 10**9


def test_a_library_has_modules_of_its_own():
    """Norms in fp32 and heads that are joined; one kernel for a GELU that transformers writes out."""
    more = kept(library="litgpt") - kept()
    assert more == 1024 * 32 * (2 * 2 * 4096 + 2 * 4096)
    phi = {library: training_memory("phi-2", library=library).activations for library in LIBRARIES}
    assert phi["litgpt"] < phi["transformers"]


def test_gradients_in_fp32_take_eighteen_bytes():
    found = training_memory("llama-3-8b", recipe="mixed_fp32")
    assert found.weights + found.gradients + found.optimiser == 18 * cohort.model("llama-3-8b").parameters


def test_written_scores_have_a_phase_of_their_own():
    """Where they are more than the scores of the vocabulary."""
    long = training_memory("mistral-7b-v0.1", 1, 8192, fused_attention=False)
    assert long.phase == "scores"
    assert training_memory("qwen3-0.6b", 1, 512, fused_attention=False).phase == "loss"


def test_a_window_has_a_mask_once_the_text_is_as_long():
    """Two bytes for each pair of tokens, and keys and values for each query head."""
    spec = cohort.model("mistral-7b-v0.1")
    short, long = (training_memory(spec, 1, length).activations / length for length in (4095, 4096))
    assert long - short == pytest.approx(32 * (2 * 4096 + 2 * 2 * (32 - 8) * 128))


def test_parts_that_are_computed_again_keep_four_inputs():
    assert kept(recompute="parts") == 4 * kept(recompute="full")
    assert kept(recompute="parts", recipe="autocast") == 3 * kept(recompute="full", recipe="autocast")


def test_fsdp_gathers_embedding_and_head_for_the_whole_step():
    """In 16 bits, with a gradient each, beside two layers."""
    found = training_memory("llama-3-8b", recipe="mixed", data_parallel=8, zero=3)
    layer = cohort.model("llama-3-8b").layers[0].parameters(4096)
    assert found.casts == 4 * (2 * 128_256 * 4096 + layer)


@pytest.mark.parametrize(
    "bad",
    [
        {"batch": 0}, {"length": -1}, {"recipe": "fp7"}, {"optimiser": "adam"}, {"recompute": "some"},
        {"zero": 4},
        {"adapter_rank": -1}, {"data_parallel": 0}, {"base_format": "x"}, {"pipeline_parallel": 99},
        {"adapter_targets": "none"}, {"frozen_inputs": 3, "adapter_rank": 8}, {"logit_bytes": 0},
        {"library": "jax"}, {"product_bytes": 3}, {"adapter_bytes": 8}, {"workspace": -1}, {"score_bytes": 0},
    ],
)  # fmt: skip
def test_bad_requests_are_one_sentence(bad):
    with pytest.raises((ParameterError, UnknownNameError)) as caught:
        training_memory("llama-3-8b", **bad)
    assert "\n" not in str(caught.value)
