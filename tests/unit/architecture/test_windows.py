"""Which layers slide or are cut into chunks: each family's rule, as its reference implementation has it."""

import pytest

import cohort

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 8,
    "vocab_size": 100,
    "head_dim": 16,
}
EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
QWEN_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8}
MIXTURES = {
    **dict.fromkeys(("mixtral", "gpt_oss", "llama4_text", "arctic"), EXPERTS),
    **dict.fromkeys(("minimax", "minimax_text_01"), EXPERTS),
    "deepseek_v4": {"n_routed_experts": 4, "num_experts_per_tok": 2},
    **dict.fromkeys(("qwen3_moe", "qwen3_next", "qwen3_5_moe_text"), QWEN_EXPERTS),
}


def config(family, **fields):
    """Return a small config of a family, with experts where it has some, and no unknown field."""
    sizes = {name: size for name, size in SIZES.items() if (family, name) != ("arctic", "head_dim")}
    return {"model_type": family, **sizes, **MIXTURES.get(family, {}), **fields}


def bounds(family, **fields):
    """Return each layer's window or chunk, None where it attends to everything."""
    model = cohort.model(config(family, **fields))
    return [getattr(each, "window", None) or getattr(each, "chunk", None) for each in attentions(model)]


def attentions(model):
    return [layer.attention for layer in model.layers]


EVEN = [1, None] * 4
FULL = [None] * 8


def times(pattern, window):
    return [window if slides else None for slides in pattern]


@pytest.mark.parametrize(
    ("family", "fields", "expected"),
    [
        ("llama", {"sliding_window": 32}, FULL),
        ("mistral", {}, [4096] * 8),
        ("mistral", {"sliding_window": None}, FULL),
        ("mistral", {"sliding_window": 32, "layer_types": ["full_attention"] * 8}, [32] * 8),
        ("mixtral", {}, FULL),
        ("mixtral", {"sliding_window": 32}, [32] * 8),
        ("phi3", {}, FULL),
        ("phi3", {"sliding_window": 2047}, [2047] * 8),
        ("arctic", {"sliding_window": 32}, [32] * 8),
        ("qwen2", {"sliding_window": 32}, FULL),
        ("qwen2", {"sliding_window": 32, "use_sliding_window": True}, FULL),
        ("qwen2", {"use_sliding_window": True, "max_window_layers": 6}, [None] * 6 + [4096] * 2),
        ("qwen3", {"sliding_window": 32, "use_sliding_window": True, "max_window_layers": 0}, [32] * 8),
        (
            "qwen3",
            {
                "sliding_window": 32,
                "use_sliding_window": True,
                "layer_types": ["sliding_attention"] + ["full_attention"] * 7,
            },
            [32] + [None] * 7,
        ),
        ("qwen3_moe", {"sliding_window": 32}, FULL),
        ("qwen3_moe", {"sliding_window": 32, "use_sliding_window": True, "max_window_layers": 6}, [32] * 8),
        ("gemma", {"sliding_window": 32}, FULL),
        ("gemma2", {}, times(EVEN, 4096)),
        ("gemma2", {"sliding_window": 32}, times(EVEN, 32)),
        ("gemma2", {"sliding_window": None}, FULL),
        ("gemma3_text", {}, [4096] * 5 + [None] + [4096] * 2),
        (
            "gemma3_text",
            {"sliding_window": 32, "sliding_window_pattern": 3},
            times([1, 1, 0, 1, 1, 0, 1, 1], 32),
        ),
        ("olmo2", {"sliding_window": 32}, FULL),
        ("olmo3", {}, times([1, 1, 1, 0] * 2, 4096)),
        ("olmo3", {"sliding_window": 32}, times([1, 1, 1, 0] * 2, 32)),
        ("gpt_oss", {}, times(EVEN, 128)),
        ("gpt_oss", {"sliding_window": 32}, times(EVEN, 32)),
        ("llama4_text", {}, times([1, 1, 1, 0] * 2, 8192)),
        ("llama4_text", {"attention_chunk_size": 32}, times([1, 1, 1, 0] * 2, 32)),
        ("llama4_text", {"attention_chunk_size": None}, FULL),
        ("llama4_text", {"no_rope_layer_interval": 2}, times(EVEN, 8192)),
        ("llama4_text", {"no_rope_layers": [1, 0, 0, 0, 0, 0, 0, 1]}, times([1, 0, 0, 0, 0, 0, 0, 1], 8192)),
        ("llama4_text", {"no_rope_layers": []}, times([1, 1, 1, 0] * 2, 8192)),
        ("cohere", {"sliding_window": 32}, FULL),
        ("granite", {"sliding_window": 32}, FULL),
    ],
)
def test_the_family_rule(family, fields, expected):
    assert bounds(family, **fields) == expected


def test_a_default_beyond_the_last_layer_slides_nowhere():
    layers = bounds("qwen2", use_sliding_window=True, num_hidden_layers=30)
    assert layers == [None] * 28 + [4096] * 2


@pytest.mark.parametrize(
    ("family", "fields", "expected"),
    [
        ("qwen3_next", {}, ["linear"] * 3 + ["GQA"]),
        ("qwen3_next", {"full_attention_interval": 2}, ["linear", "GQA"] * 2),
        ("qwen3_5_moe_text", {}, ["linear"] * 3 + ["GQA"]),
        ("minimax", {}, ["GQA", "linear"] * 2),
        ("minimax_text_01", {"attn_type_list": [0, 1, 1, 0]}, ["linear", "GQA", "GQA", "linear"]),
        ("deepseek_v4", {}, ["HCA", "HCA", "HCA", "CSA"]),
        ("deepseek_v4", {"compress_ratios": [0, 4, 128, 4]}, ["MQA", "CSA", "HCA", "CSA"]),
        ("gemma4_text", {}, ["GQA"] * 4),
    ],
)
def test_the_kinds_of_four_layers(family, fields, expected):
    more = {"gemma4_text": {"hidden_size_per_layer_input": 0}}.get(family, {})
    model = cohort.model(config(family, **{"num_hidden_layers": 4, **more, **fields}))
    assert [each.kind for each in attentions(model)] == expected


def test_gemma_4_slides_in_five_of_six_layers_and_never_in_the_last():
    more = {"hidden_size_per_layer_input": 0, "sliding_window": 32}
    assert bounds("gemma4_text", **more) == [32] * 5 + [None] + [32] + [None]
