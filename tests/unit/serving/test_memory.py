"""The memory budget: known answers, properties, and the logs of engines."""

import math

import pytest

import cohort
from cohort.architecture.formats import weight_format
from cohort.errors import ParameterError, UnknownNameError
from cohort.registry.devices import accelerator, accelerators
from cohort.serving import Layout, largest_batch, longest_context, memory_budget, offered_context
from cohort.serving.caches import cache_bytes, cache_format
from cohort.serving.engine_runtime import (
    engine_needs,
    engines,
    keeps_buffers,
    size_class,
    takes_flashinfer,
    takes_second_runner,
)
from cohort.serving.trial import captured_graphs
from cohort.units import GIB, MIB

H100 = "H100 SXM 80GB"


# --- caches


def cache(model, context, stored="bf16", **held):
    spec = cohort.model(model)
    return cache_bytes(spec, range(len(spec.layers)), context, 1, cache_format(stored), **held)


def test_a_plain_cache_is_that_of_the_model():
    for name in ("llama-3-8b", "gemma-2-9b", "deepseek-v3.2", "minimax-text-01", "deepseek-v4-flash"):
        assert cache(name, 5_000) == cohort.model(name).kv_cache_bytes(5_000)


def test_keys_and_values_may_differ():
    assert (
        cache("llama-3-8b", 100, "int8/int4")
        == (cache("llama-3-8b", 100, "int8") + cache("llama-3-8b", 100, "int4")) / 2
    )


def test_the_format_of_deepseeks_kernels_takes_656_bytes_a_token():
    layers = len(cohort.model("deepseek-v2").layers)
    assert cache("deepseek-v2", 1, "fp8_ds_mla") == 656 * layers


def test_a_windowed_layer_holds_what_a_step_reads_as_well():
    ideal, held = cache("gemma-2-9b", 100_000), cache("gemma-2-9b", 100_000, ahead=512)
    one = cache("gemma-2-9b", 2) - cache("gemma-2-9b", 1)
    assert held - ideal == 512 * one / 2  # every second layer slides


@pytest.mark.parametrize("name", ["fp9", "bf16/", "int8/fp9", "/bf16", None])
def test_an_unknown_cache_is_named(name):
    if name == "bf16/":
        assert cache_format(name) == cache_format("bf16")
        return
    with pytest.raises(UnknownNameError, match="cache format"):
        cache_format(name)


# --- accelerators


@pytest.mark.parametrize(
    ("name", "mib"),
    [
        (H100, 81_559),
        ("H200", 143_771),
        ("RTX 4090", 24_564),
        ("T4", 15_360),
        ("A40", 46_068),
        ("MI300X", 196_592),
        ("MI355X", 294_896),
        ("Gaudi 3", 131_072),
        ("TPU v6e", 32_000),
        ("DGX Spark", 124_611),
    ],
)
def test_memory_is_what_the_driver_reports(name, mib):
    assert accelerator(name).driver_bytes == mib * MIB


def test_what_can_be_allocated_is_somewhat_less():
    for name in accelerators():
        card = accelerator(name)
        assert 0.95 <= card.allocatable_bytes / card.driver_bytes <= 1
        # Google's "95 GB" are 95.74 binary gigabytes, rounded down.
        assert 0.9 <= card.driver_bytes / card.memory_bytes <= (1.083 if name == "TPU v5p" else 1.08)


# --- budgets


def test_the_parts_add_up():
    found = memory_budget("llama-3-8b", H100, context=8192, batch=4)
    tables = 8192 * 128 * 2  # of the positions that the model provides for
    assert found.weight_bytes == 2 * cohort.model("llama-3-8b").parameters + tables
    assert found.cache == 4 * 2**30
    assert found.free == found.usable - found.weight_bytes - found.runtime[1] - found.cache
    assert found.usable == int(0.92 * accelerator(H100).allocatable_bytes)


def test_the_range_of_the_engine_decides_the_verdict():
    found = memory_budget("llama-3-8b", H100, context=8192)
    per = found.per_sequence
    sure, rule, most = (int(room // per) for room in (found.room_range[0], found.room, found.room_range[1]))
    verdicts = [
        memory_budget("llama-3-8b", H100, context=8192, batch=each).verdict
        for each in (sure, rule, most, most + 1)
    ]
    assert verdicts == ["fits", "fits as a rule", "may fit", "does not fit"]


def test_limits_are_the_last_that_fit():
    context = longest_context("llama-3-8b", H100)
    assert memory_budget("llama-3-8b", H100, context=int(context)).fits
    assert not memory_budget("llama-3-8b", H100, context=int(context) + 16).fits
    batch = largest_batch("llama-3-8b", H100, context=8192)
    assert memory_budget("llama-3-8b", H100, context=8192, batch=batch).fits
    assert not memory_budget("llama-3-8b", H100, context=8192, batch=batch + 1).fits


def test_a_cache_that_stops_growing_has_no_longest_context():
    config = {
        "model_type": "mistral", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 1000, "sliding_window": 64,
    }  # fmt: skip
    assert longest_context(cohort.model(config), H100) == math.inf


def test_offers_are_the_makers_or_the_configs():
    assert offered_context(cohort.model("command-r-v01")) == 131_072  # the config says 8,192
    config = {
        "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1, "vocab_size": 8,
        "num_attention_heads": 4, "intermediate_size": 8, "max_position_embeddings": 77,
    }  # fmt: skip
    assert offered_context(cohort.model(config)) == 77


def test_the_offer_of_a_model_is_named():
    assert not memory_budget("llama-3-8b", H100, context=8192).beyond_offer
    assert memory_budget("llama-3-8b", H100, context=8193).beyond_offer
    assert memory_budget("llama-3-8b", H100).context == 8192


def test_more_devices_leave_more_room():
    rooms = [memory_budget("llama-3-70b", H100, count, context=8192).room for count in (2, 4, 8)]
    assert rooms == sorted(rooms)


def test_a_shared_prefix_is_held_once():
    alone = memory_budget("llama-3-8b", H100, context=8192, batch=10)
    shared = memory_budget("llama-3-8b", H100, context=8192, batch=10, shared_prefix=4096)
    assert alone.cache - shared.cache == 9 * 2**29


def test_what_is_offloaded_is_elsewhere():
    assert memory_budget("llama-3-8b", H100, context=8192, offloaded=0.25).cache == 0.75 * 2**30


def test_attention_in_copies_divides_the_sequences():
    mla = cohort.model("deepseek-v3.2")
    split = memory_budget(mla, "H200", Layout(tensor=8), context=4096, batch=64)
    copies = memory_budget(mla, "H200", Layout(data=8, expert=True), context=4096, batch=64)
    assert copies.cache * 8 == split.cache  # every device that shares the heads holds the vector whole
    assert copies.layout.devices == split.layout.devices


@pytest.mark.parametrize(
    "bad",
    [
        {"share": 0}, {"share": 1.5}, {"context": 0}, {"batch": 0}, {"page": 0}, {"ahead": -1},
        {"offloaded": 2}, {"shared_prefix": -1}, {"devices": 0}, {"engine": "vlm"}, {"weight_dtype": "fp9"},
        {"kv_dtype": "fp9"}, {"batched_tokens": 0}, {"sequences": 0.5}, {"drafted": -1}, {"kernels": "x"},
        {"kernels": ("marlin", "x")},
    ],
)  # fmt: skip
def test_bad_requests_are_one_sentence(bad):
    with pytest.raises((ParameterError, UnknownNameError)) as caught:
        memory_budget("llama-3-8b", H100, **bad)
    assert "\n" not in str(caught.value)


def test_a_model_without_a_context_needs_one():
    config = {
        "model_type": "llama", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 1000,
        "max_position_embeddings": None,
    }  # fmt: skip
    with pytest.raises(ParameterError, match="states no context"):
        memory_budget(cohort.model(config), H100)


def test_every_engine_is_described():
    assert engines()[0] == "vllm"
    for name in engines():
        needs = engine_needs(name)
        for low, value, high in (needs.base, needs.joined, needs.activations, needs.logits):
            assert 0 <= low <= value <= high


@pytest.mark.parametrize(
    ("version", "share", "sequences", "set_aside"),
    [
        ("0.7.3", 0.9, (256, 256, 256), False),
        ("0.8.3", 0.9, (1024, 1024, 1024), False),
        ("v0.8.4", 0.9, (256, 1024, 1024), False),
        ("0.19.1", 0.9, (256, 1024, 1024), False),
        ("0.20.0rc1", 0.92, (256, 1024, 1024), True),
        (None, 0.92, (256, 1024, 1024), True),
    ],
)
def test_defaults_by_version_as_the_source_of_each_has_them(version, share, sequences, set_aside):
    needs = engine_needs("vllm", version)
    assert (needs.share, needs.sequences) == (share, sequences)
    assert (needs.graphs[1] > 0) is set_aside


def test_batches_by_the_size_of_the_card():
    new, old = engine_needs("vllm"), engine_needs("vllm", "0.32")
    sizes = {
        name: new.batched_tokens[size_class(accelerator(name), new)]
        for name in ("RTX 4090", "A100 SXM 80GB", H100, "B200", "DGX Spark (GB10)")
    }
    assert list(sizes.values()) == [2048, 2048, 8192, 16_384, 2048]
    for silent in ("DGX Spark (GB10)", "Jetson AGX Thor 128GB"):
        assert old.batched_tokens[size_class(accelerator(silent), old)] == 2048
    assert old.batched_tokens[size_class(accelerator("Strix Halo 128GB"), old)] == 8192
    assert engine_needs("vllm", "0.27").batched_tokens == (2048, 8192, 8192)


@pytest.mark.parametrize(
    ("sequences", "tokens", "graphs"),
    [
        (256, 2048, (51, 35)),
        (1024, 8192, (51, 51)),
        (128, 2048, (35, 19)),
        (8, 2048, (5, 4)),
        (1, 8192, (2, 1)),
    ],
)
def test_graphs_as_logs_count_them(sequences, tokens, graphs):
    """PIECEWISE and FULL in lines of vLLM such as "Profiling CUDA graph memory"."""
    assert captured_graphs(sequences, tokens) == graphs


def test_graphs_by_the_layers_of_the_logs_that_set_them():
    """0.13 GiB for 5 and 0.17 for 7 graphs of 64 layers, club-3090, threads 104 and 44."""
    per_layer = engine_needs("vllm").graphs[1]
    for count, logged in ((5, 0.13), (7, 0.17)):
        assert per_layer * count * 64 / GIB == pytest.approx(logged, rel=0.05)


def test_graphs_come_on_top_of_the_share_before_they_are_set_aside():
    before, since = (
        memory_budget("llama-3-8b", H100, context=8192, version=v).runtime[1] for v in ("0.19", "0.20")
    )
    assert since - before == pytest.approx((0.4 * 51 * 32 + 51) * MIB, abs=2)


# --- the second model runner


@pytest.mark.parametrize(
    ("name", "since"),
    [
        ("qwen3-8b", "0.22"),
        ("llama-3.1-8b", "0.23"),
        ("deepseek-v2", "0.24"),
        ("qwen2.5-0.5b", "0.25"),
        ("gemma-4-31b", "0.25"),
        ("qwen3-30b-a3b", "0.29"),  # experts
        ("qwen3.6-27b", "0.29"),  # recurrent layers
        ("deepseek-v3", "0.29"),
    ],
)
def test_models_came_to_the_second_runner_in_steps(name, since):
    """`DEFAULT_V2_MODEL_RUNNER_ARCHITECTURES` of vLLM's config/vllm.py, and what took its place."""
    spec = cohort.model(name)
    versions = ("0.20", "0.22", "0.23", "0.24", "0.25", "0.28", "0.29", "0.33")
    taken = [each for each in versions if takes_second_runner(spec, engine_needs("vllm", each))]
    assert taken == list(versions[versions.index(since) :])


def test_what_the_second_runner_leaves_out_and_keeps():
    """vllm#50159: 0.89 GiB more are left than by the first runner, Gemma 4 31B on two RTX 3090."""
    asked = {"context": 8192, "share": 0.94, "sequences": 48, "weight_dtype": "awq"}
    first, second = (
        memory_budget("gemma-4-31b", "RTX 3090", 2, version=each, **asked).runtime[1]
        for each in ("0.24", "0.25")
    )
    assert (first - second) / GIB == pytest.approx(0.89, abs=0.15)


def test_counts_for_penalties_are_kept_for_each_score():
    small = {"context": 4096, "batched_tokens": 256, "sequences": 256, "version": "0.26"}
    before = memory_budget("qwen3-8b", H100, **small).runtime[1]
    since = memory_budget("qwen3-8b", H100, **{**small, "version": "0.27"}).runtime[1]
    assert since - before == pytest.approx(4.125 * 256 * 151_936, abs=2)


# --- workspaces and towers


@pytest.mark.parametrize(
    ("card", "cached", "taken"),
    [
        ("B200", "bf16", True),
        (H100, "bf16", False),
        (H100, "fp8", False),
        ("H200", "fp8", False),
        ("RTX 5090", "bf16", False),
        ("RTX 5090", "fp8", True),
        ("RTX 3090", "fp8", True),
        ("RTX 3090", "int8", False),
        ("MI300X", "fp8", False),
    ],
)
def test_flashinfer_by_card_and_cache(card, cached, taken):
    """`_get_backend_priorities` of vLLM's platforms/cuda.py; FlashAttention reads fp8 on Hopper alone."""
    assert takes_flashinfer(accelerator(card), cache_format(cached)) is taken


def test_the_workspace_of_flashinfer_counts_since_graphs_are_tried():
    asked = {"context": 8192, "weight_dtype": "bf16"}
    taken = {
        (version, cached): memory_budget(
            "qwen3-30b-a3b", "RTX 5090", 4, version=version, kv_dtype=cached, **asked
        ).runtime[1]
        for version in ("0.19", "0.20")
        for cached in ("bf16", "fp8")
    }
    assert taken["0.20", "fp8"] - taken["0.20", "bf16"] == 394 * MIB
    assert taken["0.19", "fp8"] == taken["0.19", "bf16"]


@pytest.mark.parametrize(
    ("name", "stored", "card", "since", "until"),
    [
        ("qwen3-30b-a3b", "bf16", "A100 SXM 80GB", "0.14", None),
        ("qwen3-30b-a3b", "bf16", H100, "0.14", "0.20"),
        ("qwen3-30b-a3b", "fp8", "H200", "0.14", None),
        ("qwen3-30b-a3b", "fp8", "B200", None, None),
        ("qwen3-30b-a3b", "nvfp4", "RTX 5090", None, None),
        ("qwen3-30b-a3b", "nvfp4", "RTX 4090", "0.14", None),
        ("gpt-oss-120b", "mxfp4", "A100 SXM 80GB", "0.19", None),
        ("gpt-oss-120b", "mxfp4", H100, None, None),
        ("deepseek-v4-flash", "mxfp4", "H200", "0.19", None),
        ("qwen3-30b-a3b", "gptq", H100, "0.20", None),
        ("qwen3-30b-a3b", "awq", H100, "0.22", None),
        ("qwen3-30b-a3b", "int4", H100, "0.23", None),
    ],
)
def test_buffers_of_experts_stay_by_version_type_and_card(name, stored, card, since, until):
    """Where vLLM's kernels of experts take their buffers from a workspace that only grows."""
    versions = ("0.12", "0.13", "0.14", "0.19", "0.20", "0.22", "0.23", "0.33")
    kept = [
        each
        for each in versions
        if keeps_buffers(
            cohort.model(name),
            weight_format(stored),
            accelerator(card),
            engine_needs("vllm", each),
            marlin=False,
        )
    ]
    first = versions.index(since) if since else len(versions)
    assert kept == list(versions[first : versions.index(until) if until else None])


def test_buffers_that_stay_stand_beside_the_scores():
    """22 experts of 512 a token in a stream of 1,024, for 16,384 tokens: two buffers of 704 MiB."""
    asked = {"context": 262_144, "batched_tokens": 16_384, "sequences": 1024, "weight_dtype": "bf16"}
    before, since = (
        memory_budget("nemotron-3-super-120b-a12b", "H100 PCIe", 4, version=each, **asked).runtime[1]
        for each in ("0.13", "0.14")
    )
    assert since - before == 2 * 704 * MIB


def test_several_streams_and_padded_heads_are_tried_and_kept_for_a_drafter():
    """DeepSeek-V4: four streams, 32 heads padded to 64, and an indexer whose scores are tried."""
    asked = {"context": 8192, "sequences": 1, "version": "0.22", "kv_dtype": "fp8"}
    few, many = (
        memory_budget("deepseek-v4-flash", "H200", 2, batched_tokens=each, **asked).runtime[1]
        for each in (8192, 16_384)
    )
    spec = cohort.model("deepseek-v4-flash")
    drafts, heads, carried = 4 * spec.hidden, 512 * (32 + 2 * 64), 9 * spec.hidden
    buffers = 6 * (4096 + 4096)  # of experts half as wide on each of two devices
    assert (many - few) / (2 * 8192) == pytest.approx(drafts + 1.1 * (carried + heads) + buffers, rel=1e-3)


def test_towers_of_gemma_4_are_whole_on_each_device():
    for name, parts in (("gemma-4-31b", 1), ("gemma-3-27b", 2)):
        found = dict(memory_budget(name, H100, 2, context=4096).weights)["image encoder"]
        assert found == 2 * cohort.model(name).encoder.parameters / parts


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"version": "new"}, "version is in numbers such as 0.19.1, not 'new'"),
        ({"version": 0.19}, "version is in numbers such as 0.19.1, not 0.19"),
        (
            {"version": "0.5", "engine": "sglang"},
            "no version of sglang is told from another: leave version out",
        ),
    ],
)
def test_versions_that_say_nothing(bad, said):
    with pytest.raises(ParameterError) as caught:
        memory_budget("llama-3-8b", H100, **bad)
    assert str(caught.value) == said


def test_buffers_are_kept_for_each_neighbour():
    """Each of them takes as much again, whatever the weights do; rings and trees link three at the most."""
    asked = {"context": 8192, "version": "0.22"}
    taken = [memory_budget("llama-3-8b", H100, count, **asked).runtime[1] for count in (1, 2, 4, 8)]
    per = engine_needs("vllm", "0.22").joined[1]
    assert per > 0
    assert [more - taken[0] for more in taken] == pytest.approx([0, per, 3 * per, 3 * per], abs=1)


def test_cards_that_meet_on_the_bus_keep_smaller_buffers():
    """Four channels of 9.2 MiB each way in place of 24, as NCCL's graph/connect.cc and init.cc have them."""
    asked = {"context": 8192, "version": "0.22"}
    one, two = (memory_budget("qwen3-8b", "RTX 3090", count, **asked).runtime[1] for count in (1, 2))
    needs = engine_needs("vllm", "0.22")
    computed = needs.joined_bus[1] / MIB
    assert computed == 4 * 2 * 9.25
    assert two - one <= needs.joined_bus[1] < needs.joined[1] / 5


def test_channels_that_stand_before_memory_is_looked_at_do_not_count():
    """0.13 GiB beside PyTorch on each of four devices in 0.26, as on one (vllm#50722)."""
    assert engine_needs("vllm", "0.23").joined[1] == 0


# --- encoders of images


def test_an_encoder_is_loaded_split_and_tried():
    asked = {"context": 4096, "batched_tokens": 8192}
    alone, four = (memory_budget("qwen3.5-35b-a3b", H100, count, **asked) for count in (1, 4))
    weights = {each: dict(found.weights)["image encoder"] for each, found in ((1, alone), (4, four))}
    encoder = cohort.model("qwen3.5-35b-a3b").encoder
    assert weights == {1: 2 * encoder.parameters, 4: pytest.approx(2 * encoder.parameters / 4, abs=1)}
    without = memory_budget("qwen3.5-35b-a3b", H100, images=False, **asked)
    assert alone.weight_bytes - without.weight_bytes == weights[1]
    small = {**asked, "sequences": 1}  # so that scores do not hide what the encoder computes
    tried, text = (
        memory_budget("qwen3.5-35b-a3b", H100, images=each, **small).runtime[0] for each in (True, False)
    )
    assert tried > text + 2**29


def test_llama_cpp_loads_an_encoder_from_a_file_of_its_own():
    found = memory_budget("gemma-3-27b", H100, context=4096, engine="llama.cpp", weight_dtype="Q4_K_M")
    assert "image encoder" not in dict(found.weights)


def test_on_a_tpu_the_cache_takes_all_that_weights_leave():
    found = memory_budget("qwen3-0.6b", "TPU v5p", engine="vllm-tpu", context=1024)
    assert found.room == found.usable - found.weight_bytes


def test_marlin_kernels_pad_the_experts_of_gpt_oss_more():
    """65.9651 GiB with them (vllm#23278), 64.38 without (vllm#33155)."""
    asked = {"context": 4096, "version": "0.14"}
    marlin, triton = (memory_budget("gpt-oss-120b", card, **asked) for card in ("RTX PRO 6000", H100))
    assert marlin.weight_bytes / GIB == pytest.approx(65.9651, rel=0.005)
    assert triton.weight_bytes / GIB == pytest.approx(64.38, rel=0.005)


# --- kernels that an installation decides, and drafters


def test_kernels_of_an_installation_are_taken_on_any_card():
    """64.55 GiB by default and 65.97 with the Marlin kernels, on one H100."""
    asked = {"context": 4096, "version": "0.11.2"}
    usual, marlin = (memory_budget("gpt-oss-120b", H100, kernels=each, **asked) for each in ((), "marlin"))
    assert marlin.weight_bytes / GIB == pytest.approx(65.9651, rel=0.005)
    assert marlin.weight_bytes - usual.weight_bytes == pytest.approx(1.4 * GIB, rel=0.05)


def test_flashinfer_samples_with_more_copies_of_the_scores_where_it_is_installed():
    asked = {"context": 4096, "batched_tokens": 512, "sequences": 256}
    more = {}
    for version in ("0.10.1", "0.11"):
        usual, sampled = (
            memory_budget("qwen2.5-7b", H100, version=version, kernels=each, **asked).runtime[1]
            for each in ((), ["flashinfer_sampler"])
        )
        more[version] = sampled - usual
    scores = 256 * cohort.model("qwen2.5-7b").vocabulary
    assert more["0.11"] == 0
    assert more["0.10.1"] == pytest.approx((14 - engine_needs("vllm", "0.10.1").logits[1]) * scores, abs=2)


def test_a_drafter_is_loaded_in_16_bits():
    asked = {"context": 8192, "weight_dtype": "fp8"}
    plain, drafting = (memory_budget("qwen3.6-27b", H100, drafted=each, **asked) for each in (0, 3))
    loaded = dict(drafting.weights)["drafter"]
    assert drafting.weight_bytes - plain.weight_bytes == loaded > 0
    assert drafting.cache > plain.cache


def test_prefix_caching_keeps_a_state_more():
    asked = {"context": 8192, "version": "0.27"}
    kept, without = (
        memory_budget("qwen3.6-27b", H100, prefix_caching=each, **asked) for each in (True, False)
    )
    assert kept.cache - without.cache == 3 * kept.block
    assert without.cache == memory_budget("qwen3.6-27b", H100, **asked).cache
    plain = (memory_budget("llama-3-8b", H100, prefix_caching=each, **asked).cache for each in (True, False))
    assert len(set(plain)) == 1
