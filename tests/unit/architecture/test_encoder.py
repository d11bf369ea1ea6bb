"""Encoders of images: weights as their makers state them, and what is not read."""

import pytest

import cohort
from cohort.architecture.encoder import image_encoder

STATED = {  # millions of weights, and where that is said
    "gemma-3-27b": (417, 0.02),  # the report on Gemma 3: a vision encoder of 417M
    "gemma-4-26b-a4b": (550, 0.05),  # its card: about 550M
    "mistral-small-3.1-24b": (439, 0.01),  # Pixtral's encoder of 400M, and what follows it
}


@pytest.mark.parametrize("name", STATED)
def test_weights_are_those_that_makers_state(name):
    millions, tolerance = STATED[name]
    assert cohort.model(name).encoder.parameters / 1e6 == pytest.approx(millions, rel=tolerance)


def test_an_image_of_gemma_3_is_64_by_64_patches_and_256_tokens():
    found = cohort.model("gemma-3-4b").encoder
    assert (found.patches, found.tokens) == (64 * 64, 256)


def test_the_weights_of_a_model_are_those_of_its_decoder():
    """A config without its encoder has as many."""
    whole = cohort.model("gemma-3-4b")
    assert cohort.model("llama-3-8b").encoder is None
    assert whole.parameters < 4e9 < whole.parameters + whole.encoder.parameters


@pytest.mark.parametrize(
    "vision",
    [
        None, [], {}, {"hidden_size": 8}, {"hidden_size": True, "depth": 2},
        {"hidden_size": -8, "depth": 2, "intermediate_size": 8, "patch_size": 2, "image_size": 8},
        {"hidden_size": 8, "depth": 2, "intermediate_size": 8, "patch_size": 2},
    ],
)  # fmt: skip
def test_what_is_not_read_is_no_encoder(vision):
    assert image_encoder({"model_type": "other", "vision_config": vision}, 64) is None
