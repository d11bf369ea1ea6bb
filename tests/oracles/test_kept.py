"""The bytes that ``cohort`` says a step keeps against those that autograd kept, recorded and live."""

import json
from importlib.util import find_spec

import make_kept
import pytest
from rows import each_of
from test_reference import ORACLE

import cohort
from cohort.serving import training_memory
from cohort.serving.modules import module_traits

CASES = json.loads(make_kept.KEPT.read_text(encoding="utf-8"))
TOKENS = make_kept.BATCH * make_kept.LENGTH
LIVE = (*ORACLE, pytest.mark.skipif(find_spec("peft") is None, reason="adapters need peft"))


def predicted(case):
    scores = 6 if case["config"]["model_type"] == "gemma2" else 4  # log-probabilities, and what caps them
    how = {name: value for name, value in case["how"].items() if name != "attention"}
    spec = cohort.model(case["config"])
    found = training_memory(
        spec, make_kept.BATCH, make_kept.LENGTH,
        fused_attention=case["how"].get("attention") != "eager", logit_bytes=scores, **how,
    )  # fmt: skip
    family = module_traits(case["config"]["model_type"])
    masks = 2 * spec.hidden * len(spec.layers) * TOKENS * family.dropout  # small models have none
    return found.activations - masks, found.logits


@each_of("case", CASES, ids=lambda case: case["name"])
def test_layers_keep_what_autograd_keeps(case):
    """To the byte, but for the weights of routed experts and the margin of a convolution."""
    inexact = case["name"].split(",")[0] in ("qwen3_moe", "mixtral", "gpt_oss", "deepseek_v2", "lfm2")
    assert predicted(case)[0] == pytest.approx(case["layers"], rel=0.005 if inexact else 0.0001)


@each_of("case", CASES, ids=lambda case: case["name"])
def test_what_comes_after_them_too(case):
    """The last normalisation, what the head reads, and the log-probabilities in fp32."""
    assert predicted(case)[1] == pytest.approx(case["after"], rel=0.0001)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"], marks=LIVE) for case in CASES])
def test_recorded_counts_are_reproduced(case):
    counts = make_kept.count(make_kept.Case(case["name"], case["config"], case["how"]))
    assert counts == {name: case[name] for name in counts}


def test_recorded_counts_are_those_of_the_script():
    assert [make_kept.Case(case["name"], case["config"], case["how"]) for case in CASES] == make_kept.CASES
    assert len({case["name"] for case in CASES}) == len(CASES)
