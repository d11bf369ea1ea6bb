"""The problems of the chapter on serving, with answers worked out by hand."""

import pytest

import cohort
from cohort.chapters.serving_roofline import problems
from cohort.serving import roofline

DENSE = {"model": "llama-3-70b", "accelerator": "H100 SXM 80GB", "tensor_parallel": 4}
MIXTURE = {"model": "mixtral-8x7b-v0.1", "accelerator": "H200", "weight_dtype": "fp8"}


def worked(request, usd=2.5):
    sizes = {"input_tokens": 1024, "output_tokens": 256}
    alone, service = (roofline.serve(**request, **sizes, concurrency=each) for each in (1, 64))
    spec, dtype = cohort.model(request["model"]), request.get("weight_dtype", "bf16")
    return problems.worked(spec, alone, service, dtype, usd), service


def test_the_fastest_answer():
    """69.5e9 weights of two bytes over 4 x 3.35e12 bytes a second: 10.4 ms, 96.4 tokens a second."""
    (fastest, *_), _ = worked(DENSE)
    assert fastest.steps[1] == "139 GB ÷ 13.4 TB/s = 10.4 ms."
    assert fastest.answer.startswith("At most 96.4 tokens a second")


def test_the_turning_point_of_a_dense_model_and_of_a_mixture():
    """989 over 3.35 is 295.2 FLOP a byte, so that 296 answers of two bytes a weight turn."""
    (_, dense, _), _ = worked(DENSE)
    assert (dense.steps[-1][-12:], dense.answer) == ("295 answers.", "296 answers, in whole ones.")
    (_, mixture, _), _ = worked(MIXTURE)
    assert "of 1 byte gives" in mixture.steps[1] and "206 answers" in mixture.steps[1]
    assert mixture.steps[-1].startswith("Of a mixture")


def test_the_price_of_a_million_tokens():
    (*_, price), service = worked(DENSE, usd=3.6)
    usd = 4 * 3.6 / 3600 * 1e6 / service.output_tokens_per_s
    assert float(price.answer.split()[1].strip(",")) == pytest.approx(usd, rel=5e-3)
