"""What is held beside weights and cached tokens: rotary tables, and the type of recurrent states."""

import json
from pathlib import Path

import pytest

import cohort
from cohort.architecture.kept import Kept

CONFIGS = Path(__file__).parents[3] / "data" / "configs"
STATES = {
    "qwen3.6-27b": True, "nemotron-3-nano-30b-a3b": True, "nemotron-h-8b": True,
    "kimi-linear-48b-a3b": True, "qwen3-next-80b-a3b": False, "granite-4.0-h-small": False,
    "jamba-v0.1": False, "llama-3-8b": False,
}  # fmt: skip


@pytest.mark.parametrize(("name", "wide"), STATES.items())
def test_states_are_wide_where_config_or_family_say_so(name, wide):
    assert cohort.model(name).kept.state_bytes == (4 if wide else 2)


@pytest.mark.parametrize(
    ("name", "field"),
    [("qwen3.6-27b", "mamba_ssm_dtype"), ("nemotron-3-nano-30b-a3b", "mamba_ssm_cache_dtype")],
)
@pytest.mark.parametrize(("said", "wide"), [("float32", True), ("bfloat16", False), (None, True)])
def test_the_config_has_the_last_word_on_states(name, field, said, wide):
    config = json.loads((CONFIGS / f"{name}.json").read_text(encoding="utf-8"))
    fields = config.get("text_config", config)
    fields.pop(field)
    if said:
        fields[field] = said
    assert cohort.model(config).kept.state_bytes == (4 if wide else 2)


ROTARY = {
    "llama-3-8b": (128,),
    "phi-2": (32,),  # 0.4 of 80
    "glm-4.5": (64,),  # half of 128
    "minimax-m2.5": (64,),
    "deepseek-v3": (64,),
    "gemma-2-9b": (256,),
    "gemma-3-12b": (256, 256),  # local layers turn at a rate of their own
    "gemma-4-26b-a4b": (256, 512),  # channels that stand still are in the table as well
    "mimo-v2-flash": (64, 64),
    "gpt2-xl": (), "opt-13b": (), "jamba-v0.1": (), "nemotron-h-8b": (), "kimi-linear-48b-a3b": (),
    "granite-4.0-h-small": (), "granite-4.0-micro": (64,),
}  # fmt: skip


@pytest.mark.parametrize(("name", "widths"), ROTARY.items())
def test_tables_are_as_wide_as_what_is_rotated(name, widths):
    assert cohort.model(name).kept.rotary == widths


def test_positions_in_several_parts_and_tables_in_fp32():
    sections = {name: cohort.model(name).kept.sections for name in ("qwen3.6-27b", "qwen3-vl-8b", "qwen3-8b")}
    assert sections == {"qwen3.6-27b": True, "qwen3-vl-8b": True, "qwen3-8b": False}
    wide = {name: cohort.model(name).kept.wide_rotary for name in ("deepseek-v4-flash", "deepseek-v3.2")}
    assert wide == {"deepseek-v4-flash": True, "deepseek-v3.2": False}


def test_a_model_of_which_nothing_is_said_keeps_nothing():
    assert Kept() == Kept(rotary=(), sections=False, wide_rotary=False, state_bytes=2)
