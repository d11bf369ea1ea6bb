"""Reading without writing: what an embedding takes, by hand, by its limits and with its faults."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohort
from cohort.errors import DoesNotFitError, ParameterError
from cohort.footprint.energy import coefficients
from cohort.footprint.factors import DRAWN, factor
from cohort.footprint.prefill_only import prefill, reading_service
from cohort.serving.roofline import attained

H100 = cohort.accelerator("H100 SXM 80GB")


def test_a_long_text_takes_its_flops():
    spec = cohort.model("llama-3-8b")
    seconds = spec.prefill_flops(4096) / attained().product_rate(H100, "bf16")
    found = reading_service("llama-3-8b", input_tokens=4096)
    assert found.joules == pytest.approx(seconds * 700 * factor("training", DRAWN).central, rel=1e-12)


def test_a_short_text_alone_pays_for_the_weights():
    found = reading_service("llama-3-8b", batch=1, input_tokens=4)
    spec = cohort.model("llama-3-8b")
    weights = spec.parameters - spec.embedding_parameters
    assert found.joules == pytest.approx(coefficients().read * weights * 2 / 1e9, rel=1e-12)


def test_it_is_what_a_longer_prompt_adds_to_an_answer():
    """The difference of two answers, prompts of 1,024 and of 8,192, but for reading their caches."""
    answers = [
        cohort.footprint.service("llama-3-8b", concurrency=8, input_tokens=length, output_tokens=600)
        for length in (1024, 8192)
    ]
    texts = [reading_service("llama-3-8b", input_tokens=length) for length in (1024, 8192)]
    added = answers[1].prompt_j - answers[0].prompt_j
    assert texts[1].joules - texts[0].joules == pytest.approx(added, rel=1e-12)


@given(st.integers(1, 20_000), st.integers(1, 512))
def test_longer_texts_and_fewer_together_take_no_less(tokens, batch):
    one = reading_service("qwen3-0.6b", batch=batch, input_tokens=tokens)
    longer = reading_service("qwen3-0.6b", batch=batch, input_tokens=tokens + 100)
    alone = reading_service("qwen3-0.6b", batch=1, input_tokens=tokens)
    assert 0 < one.joules <= longer.joules and one.joules <= alone.joules
    assert one.joules <= one.accelerator_s * 700 * (1 + 1e-9)


def test_the_footprint_says_what_it_assumes():
    found = prefill(model="qwen3-0.6b", input_tokens=512, boundary="with_embodied", grid="SE")
    assert "not metered" in found.provenance.assumed[0] and found.embodied_kg > 0
    low, high = found.provenance.interval("energy_kwh")
    assert low < found.energy_kwh < high
    assert found.times(1000).energy_kwh == pytest.approx(1000 * found.energy_kwh)


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"batch": 0}, ParameterError, "batch is 0, but must be from 1 to 65,536 texts"),
        ({"input_tokens": 0}, ParameterError, "input_tokens is 0, but must be"),
        ({"model": "deepseek-v3"}, DoesNotFitError, "fits no group"),
        ({"pue": 0.5}, ParameterError, "pue is 0.5, but must be from 1 to 10"),
        ({"accelerator": "A100 PCIe 40GB"}, ParameterError, "rated power"),
    ],
)
def test_faults_are_named(asked, error, message):
    with pytest.raises(error, match=message):
        prefill(**{"model": "llama-3-8b", "input_tokens": 100, **asked})
