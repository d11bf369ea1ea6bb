"""How weights are stored: formats by name, and those that a release's config tells of."""

import pytest

import cohort
from cohort.architecture.formats import KINDS, weight_format, weight_formats
from cohort.architecture.quantization import released_format
from cohort.errors import ConfigError, UnknownNameError
from cohort.serving.layouts import Layout, held, stages

# What files in llama.cpp's formats weigh, in GiB, as its logs print it.
FILES = [
    ("deepseek-v2-lite", "Q4_K_M", 9.649),
    ("gemma-7b", "Q8_0", 8.45),
    ("llama-2-13b", "Q8_0", 12.881),
    # Llama 3.1 8B in the table of llama.cpp's tools/quantize, to 0.01 GiB.
    ("llama-3.1-8b", "Q4_K_M", 4.58),
    ("llama-3.1-8b", "Q5_K_M", 5.33),
    ("llama-3.1-8b", "Q6_K", 6.14),
]


def gib(model, stored):
    spec, form = cohort.model(model), weight_format(stored)
    layers = len(spec.layers)
    parts = held(spec, Layout(), stages(spec, Layout())[0])
    return (
        sum(form.bits(each.kind, each.layer, layers, each.row) * each.weights for each in parts) / 8 / 2**30
    )


@pytest.mark.parametrize(("model", "stored", "logged"), FILES)
def test_files_weigh_what_their_logs_say(model, stored, logged):
    assert float(gib(model, stored)) == pytest.approx(logged, rel=1e-3, abs=0.005)


@pytest.mark.parametrize(
    "model", ["llama-3-8b", "gemma-7b", "deepseek-v3.2", "gpt-oss-20b", "qwen3-next-80b-a3b"]
)
def test_the_tensors_of_one_device_are_all_weights(model):
    spec = cohort.model(model)
    parts = list(held(spec, Layout(), stages(spec, Layout())[0]))
    assert sum(each.weights for each in parts) == pytest.approx(spec.parameters, rel=1e-12)
    assert min(each.weights for each in parts) >= 0
    assert {each.kind for each in parts} <= set(KINDS)


def test_sixteen_bits_are_two_bytes():
    assert float(gib("llama-3-8b", "bf16")) * 2**30 == 2 * cohort.model("llama-3-8b").parameters


@pytest.mark.parametrize(
    ("name", "kind", "bits"),
    [
        ("fp8", "attention", 8),
        ("fp8", "embedding", 16),
        ("fbgemm_fp8", "attention", 16),
        ("mxfp4", "expert_up", 4.25),
        ("mxfp4", "attention", 16),
        ("nvfp4", "down", 4.5),
        ("gptq", "up", 4 + 20 / 128),
        ("Q8_0", "head", 8.5),
        ("Q4_K_M", "head", 6.5625),
        ("Q4_K_M", "tied", 6.5625),
        ("Q4_K_M", "norms", 32),
    ],
)
def test_the_bits_of_a_weight(name, kind, bits):
    assert weight_format(name).bits(kind) == bits


def test_the_first_and_last_layer_of_metas_release_stay_wide():
    form = weight_format("fbgemm_fp8")
    assert [form.bits("up", layer, 126) for layer in (0, 1, 124, 125)] == [16, 8, 8, 16]


def test_every_third_layer_between_the_eighths_has_more_bits():
    form = weight_format("Q4_K_M")
    wide = [layer for layer in range(16) if form.precision("down", layer, 16).name == "Q6_K"]
    assert wide == [0, 1, 4, 7, 10, 13, 14, 15]


def test_a_row_that_is_no_multiple_of_256_falls_back():
    form = weight_format("Q4_K_M")
    assert form.bits("up", 5, 32, 1408) == 5.5
    assert form.bits("up", 5, 32, 2048) == 4.5


def test_names_are_known_in_any_case_of_letters():
    assert weight_format("q4_k_m").name == "Q4_K_M"
    assert all(weight_format(name).name == name for name in weight_formats())


@pytest.mark.parametrize("name", ["fp9", "", None, 4])
def test_an_unknown_format_is_named(name):
    with pytest.raises(UnknownNameError, match="weight format"):
        weight_format(name)


BLOCKS = {"quant_method": "fp8", "weight_block_size": [128, 128]}
PACKED = {"num_bits": 4, "type": "int", "group_size": 32}


@pytest.mark.parametrize(
    ("config", "name", "kind", "bits"),
    [
        (None, "bf16", "up", 16),
        (BLOCKS, "fp8", "up", 8),
        ({**BLOCKS, "modules_to_not_convert": ["gate", "lm_head"]}, "fp8", "up", 8),
        ({**BLOCKS, "modules_to_not_convert": ["self_attn"]}, "fp8", "attention", 16),
        ({**BLOCKS, "modules_to_not_convert": ["model.layers.3.mlp"]}, "fp8", "up", 8),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq", "down", 4 + 20 / 128),
        ({"quant_method": "awq", "w_bit": 4, "q_group_size": 64}, "awq", "down", 4 + 20 / 64),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "nf4", "up", 4.126953125),
        ({"quant_algo": "NVFP4", "ignore": ["*.self_attn*"]}, "nvfp4", "attention", 16),
        ({"quant_algo": "NVFP4", "ignore": ["*.self_attn*"]}, "nvfp4", "down", 4.5),
        (
            {"config_groups": {"group_0": {"weights": PACKED}}, "ignore": ["re:.*self_attn.*"]},
            "int4",
            "expert_up",
            4.5,
        ),
        (
            {"config_groups": {"group_0": {"weights": PACKED}}, "ignore": ["re:.*self_attn.*"]},
            "int4",
            "value",
            16,
        ),
        (
            {"quantized_layers": {"model.layers.2.mlp.up_proj": {"quant_algo": "NVFP4"}}},
            "mixed",
            "up",
            4.5,
        ),
    ],
)
def test_a_release_tells_how_it_is_stored(config, name, kind, bits):
    form = released_format(config)
    assert (form.name, form.bits(kind, 2, 8)) == (name, bits)


def test_experts_may_have_a_type_of_their_own():
    form = released_format({**BLOCKS, "expert_dtype": "fp4"})
    assert [form.bits(kind) for kind in ("expert_up", "up", "head")] == [4.25, 8, 16]
    model = cohort.model("deepseek-v4-pro")
    assert model.released_format.name == "fp8, experts fp4"
    with pytest.raises(ConfigError, match="stores experts as 'fp3'"):
        released_format({**BLOCKS, "expert_dtype": "fp3"})


def test_one_layer_may_stay_wide():
    form = released_format({**BLOCKS, "modules_to_not_convert": ["model.layers.3.mlp"]})
    assert [form.bits("up", layer, 8) for layer in (2, 3, 4)] == [8, 16, 8]


def test_a_release_in_fp32():
    assert released_format(None, "torch.float32").name == "fp32"


@pytest.mark.parametrize(
    "config",
    [
        {"quant_method": "aqlm"},
        {"quant_method": None, "quant_algo": "W3"},
        {"quant_method": "gptq", "bits": 5},
        {"quant_method": "gptq", "bits": 4, "group_size": -7},
        {**BLOCKS, "ignore": "lm_head"},
        {**BLOCKS, "ignore": [7]},
        {**BLOCKS, "ignore": ["re:(a+)+b"]},
        {**BLOCKS, "ignore": ["re:["]},
        {"config_groups": {"group_0": {"weights": {"num_bits": 3}}}},
        {"quantized_layers": {"model.layers.2.mlp.up_proj": {"quant_algo": "W3"}}},
        {"quantized_layers": {"model.layers.2.mlp.up_proj": 7}},
    ],
)
def test_what_is_not_read_is_one_sentence(config):
    with pytest.raises(ConfigError, match="quantization_config") as caught:
        released_format(config)
    assert "\n" not in str(caught.value)


def test_released_weights_of_the_registry():
    assert cohort.model("gpt-oss-20b").released_format.name == "mxfp4"
    assert cohort.model("deepseek-v3.2").released_format.name == "fp8"
    assert cohort.model("llama-3-8b").released_format.name == "bf16"
