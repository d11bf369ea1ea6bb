"""Configs: real ones read right, broken ones refused in one line, and nothing in between."""

import copy
import json
import math
import random

import pytest

import cohort
from cohort.architecture.reading import supported_families
from cohort.errors import CohortError, ConfigError
from cohort.registry import facts

CONFIGS = {}
for _name in cohort.models():
    with open(facts.config_path(_name), encoding="utf-8") as _file:
        CONFIGS[_name] = json.load(_file)

LLAMA = CONFIGS["llama-3-8b"]


def test_a_path_a_folder_and_a_dict_give_the_same(tmp_path):
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    for source in (folder / "config.json", str(folder / "config.json"), folder, LLAMA):
        assert cohort.model(source).parameters == 8_030_261_248
    assert cohort.model(folder).name == "my-model"
    assert cohort.model(LLAMA, name="mine").name == "mine"


def test_a_multimodal_release_is_its_text_decoder():
    nested = cohort.model("mistral-small-3.1-24b")
    assert nested.parameters == cohort.model("mistral-small-3-24b").parameters


def test_the_families_of_the_registry_are_supported():
    assert {config["model_type"] for config in CONFIGS.values()} <= set(supported_families())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden_size": None}, "'hidden_size' is null"),
        ({"hidden_size": 0}, "'hidden_size' is 0"),
        ({"hidden_size": -4096}, "'hidden_size' is -4096"),
        ({"hidden_size": 4096.0}, "'hidden_size' is 4096.0"),
        ({"hidden_size": math.nan}, "'hidden_size' is nan"),
        ({"hidden_size": "4096"}, "'hidden_size' is '4096'"),
        ({"hidden_size": True}, "'hidden_size' is True"),
        ({"hidden_size": 2**40 + 1}, "'hidden_size'"),
        ({"num_hidden_layers": 10_001}, "'num_hidden_layers'"),
        ({"num_attention_heads": 30}, "multiple of the heads"),
        ({"num_key_value_heads": 5}, "multiple of kv_heads"),
        ({"attention_bias": "no"}, "'attention_bias' is 'no'"),
        ({"tie_word_embeddings": 1}, "'tie_word_embeddings' is 1"),
        ({"model_type": "lama"}, "did you mean 'llama'"),
        ({"model_type": None, "architectures": None}, "'model_type' is missing"),
        ({"model_type": 7}, "must be a name such as 'llama'"),
        ({"model_type": []}, "must be a name such as 'llama'"),
        ({"model_type": "gemma3"}, "'text_config' is missing"),
    ],
)
def test_a_bad_field_is_named(change, words):
    with pytest.raises(ConfigError) as caught:
        cohort.model({**LLAMA, **change})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "field", ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"]
)
def test_a_missing_field_is_named(field):
    with pytest.raises(ConfigError, match=f"'{field}' is missing"):
        cohort.model({key: value for key, value in LLAMA.items() if key != field})


def test_too_many_active_experts_are_refused():
    with pytest.raises(ConfigError, match="9 active experts are more than the 8"):
        cohort.model({**CONFIGS["mixtral-8x7b-v0.1"], "num_experts_per_tok": 9})


@pytest.mark.parametrize("listing", ["sliding", [1] * 42, ["full_attention"] * 41, ["odd"] * 42])
def test_a_bad_list_of_layer_types_is_refused(listing):
    with pytest.raises(ConfigError, match="layer_types"):
        cohort.model({**CONFIGS["gemma-2-9b"], "layer_types": listing})


def test_layer_types_decide_the_windows():
    config = {**CONFIGS["gemma-2-9b"], "layer_types": ["full_attention"] * 42}
    assert cohort.model(config).kv_cache_bytes(8192) == 2 * 8 * 256 * 2 * 42 * 8192


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("deepseek-v3.2", {"index_topk": 0}, "'index_topk' is 0"),
        ("deepseek-v3.2", {"q_lora_rank": None}, "q_rank must be given"),
        ("deepseek-v4-flash", {"compress_ratios": [0, 4]}, "0, 4 or 128 for each of 43 layers"),
        ("deepseek-v4-flash", {"compress_ratios": [8] * 43}, "0, 4 or 128"),
        ("deepseek-v4-flash", {"compress_ratios": "none"}, "0, 4 or 128"),
        ("deepseek-v4-flash", {"compress_rates": [4]}, "'compress_rates'"),
        ("deepseek-v4-flash", {"o_groups": 7}, "output_groups (7) must divide"),
        ("deepseek-v4-flash", {"hc_mult": 0}, "'hc_mult' is 0"),
        ("minimax-text-01", {"attn_type_list": [1, 0]}, "for each of 80 layers"),
        ("minimax-text-01", {"attn_type_list": [2] * 80}, "a 0 or a 1"),
        ("qwen3-next-80b-a3b", {"linear_num_value_heads": 24}, "multiple of key_heads"),
        ("qwen3-next-80b-a3b", {"layer_types": ["sliding_attention"] * 48}, "must hold linear_attention"),
        ("phi-3-small-8k", {"blocksparse_vert_stride": 0}, "'blocksparse_vert_stride' is 0"),
    ],
)
def test_a_bad_field_of_a_later_family_is_named(name, change, words):
    with pytest.raises(ConfigError) as caught:
        cohort.model({**CONFIGS[name], **change})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden_size_per_layer_input": None}, "'hidden_size_per_layer_input' is null"),
        ({"top_k_experts": None}, "'top_k_experts' is null"),
        ({"num_global_key_value_heads": 3}, "multiple of kv_heads"),
    ],
)
def test_gemma_4_refuses_what_it_does_not_count(change, words):
    config = CONFIGS["gemma-4-26b-a4b"]
    with pytest.raises(ConfigError) as caught:
        cohort.model({**config, "text_config": {**config["text_config"], **change}})
    assert words in str(caught.value)


def test_every_second_layer_of_phi_3_small_attends_to_selected_blocks():
    layers = cohort.model("phi-3-small-8k").layers
    assert [layer.attention.sparse is not None for layer in layers] == [True, False] * 16
    assert (layers[0].attention.sparse.block, layers[0].attention.sparse.local) == (64, 16)
    all_full = {**CONFIGS["phi-3-small-8k"], "dense_attention_every_n_layers": 1}
    model, full = cohort.model("phi-3-small-8k"), cohort.model(all_full)
    assert model.kv_cache_bytes(8192) == full.kv_cache_bytes(8192)
    assert model.forward_flops(8192) < full.forward_flops(8192)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not JSON"),
        (b"", "is not JSON"),
        (b"[1, 2]", "a config is an object"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b'{"model_type": "llama", "hidden_size": NaN}', "'hidden_size' is nan"),
        (b'{"hidden_size": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
def test_a_broken_file_is_one_sentence(tmp_path, content, words):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(CohortError) as caught:
        cohort.model(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(CohortError, match="there is no file"):
        cohort.model(tmp_path / "nowhere" / "config.json")
    with pytest.raises(CohortError, match="there is no file"):
        cohort.model("nowhere.json")
    with pytest.raises(CohortError, match="there is no file"):
        cohort.model(tmp_path)


@pytest.mark.parametrize("source", [None, 7, 3.5, ["llama-3-8b"], b"llama-3-8b", object()])
def test_what_is_no_model_at_all_is_refused(source):
    with pytest.raises(CohortError, match="a model is a name"):
        cohort.model(source)


@pytest.mark.parametrize("name", ["", "../llama-3-8b", "llama-3-8b/", "con\x00fig", "LLAMA-3-8C "])
def test_odd_names_are_refused(name):
    with pytest.raises(CohortError) as caught:
        cohort.model(name)
    assert "\n" not in str(caught.value)


AT_EACH_PUSH, ONCE_A_WEEK = 2_500, 20_000  # mutated configs

# What stands in place of a value. Plain draws: those of Hypothesis take ten times as long as what they try.
JUNK = (
    lambda draw: None,
    lambda draw: draw.random() < 0.5,
    lambda draw: draw.randint(-(2**70), 2**70),
    lambda draw: draw.randint(0, 64),
    lambda draw: draw.choice((math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.5, 1e308, draw.gauss(0, 1e6))),
    lambda draw: word(draw, 8),
    lambda draw: [draw.choice((draw.randint(-3, 200), word(draw, 3))) for _ in range(draw.randint(0, 4))],
    lambda draw: {word(draw, 4): draw.randint(-(2**70), 2**70) for _ in range(draw.randint(0, 2))},
    lambda draw: 10**5000,
)


def word(draw, longest):
    """Draw text, of any characters of one of the planes of Unicode."""
    last = draw.choice((0x7F, 0x2FF, 0xFFFF, 0x10FFFF))
    return "".join(chr(draw.randint(0, last)) for _ in range(draw.randint(0, longest)))


def mutated_config(draw):
    """A registered config with a few fields dropped, replaced or scaled, at any depth."""
    config = copy.deepcopy(CONFIGS[draw.choice(sorted(CONFIGS))])
    for _ in range(draw.randint(1, 3)):
        tables = [config, *(value for value in config.values() if isinstance(value, dict))]
        table = draw.choice(tables)
        if not table:
            continue
        key = draw.choice(sorted(table))
        change = draw.choice(["drop", "replace", "scale", "add"])
        if change == "drop":
            del table[key]
        elif change == "scale" and isinstance(table[key], int):
            table[key] = table[key] * draw.choice([-1, 0, 2, 3, 1000, 2**40])
        else:
            table[key if change == "replace" else draw.choice(FIELDS)] = draw.choice(JUNK)(draw)
    return config


FIELDS = sorted(
    {key for config in CONFIGS.values() for key in config} | {"layer_types", "text_config", "head_dim"}
)


def is_a_model_or_one_readable_line(config):
    try:
        model = cohort.model(config)
    except CohortError as error:
        return str(error) and "\n" not in str(error) and len(str(error)) < 700
    assert 0 < model.active_parameters_without_embedding <= model.active_parameters <= model.parameters
    assert 0 < model.kv_cache_bytes(4097) <= 4097 * model.kv_cache_bytes(1)
    assert math.isfinite(model.forward_flops(4097))
    return repr(model)


@pytest.mark.slow
def test_a_mutated_config_is_a_model_or_one_readable_line(pytestconfig):
    weekly = pytestconfig.getoption("--weekly")
    seed = random.SystemRandom().randrange(10**6) if weekly else 0
    for number in range(ONCE_A_WEEK if weekly else AT_EACH_PUSH):
        config = mutated_config(random.Random(f"{seed}:{number}"))
        assert is_a_model_or_one_readable_line(config), f"{seed}:{number}"


def test_a_model_type_that_has_no_repr_is_named_by_its_type():
    with pytest.raises(ConfigError, match="a value of type int"):
        cohort.model({"model_type": 10**5000, "text_config": {"model_type": 10**5000}})
