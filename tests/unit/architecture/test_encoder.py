"""Encoders of images: weights as their makers state them, and what is not read."""

import json
import re
from pathlib import Path

import pytest

import cohort
from cohort.architecture.encoder import image_encoder
from cohort.registry import facts

STATED = {  # millions of weights, and where that is said
    "gemma-3-27b": (417, 0.02),  # the report on Gemma 3: a vision encoder of 417M
    "gemma-4-26b-a4b": (550, 0.05),  # its card: about 550M
    "mistral-small-3.1-24b": (439, 0.01),  # Pixtral's encoder of 400M, and what follows it
    "exaone-4.5-33b": (1200, 0.08),  # its repository: 1.2 billion; this counts what merges patches too
    "step-3.7-flash": (1800, 0.11),  # vLLM's recipe: 1.8B; so too
}
WHOLE = {  # billions of weights of whole releases, as they are printed
    "gemma-4-e2b": (5.1, 0.005),  # with sound and the embeddings of each layer
    "gemma-4-e4b": (8, 0.01),
    "llama-4-scout": (109, 0.005),
    "minimax-m3": (427.04, 0.00001),
    "qwen3.5-0.8b": (0.8, 0.07),
    "step-3.7-flash": (198, 0.005),
}
ADDED = [row for row in facts.rows("model_facts") if row["field"] == "encoders"]


@pytest.mark.parametrize("name", STATED)
def test_weights_are_those_that_makers_state(name):
    millions, tolerance = STATED[name]
    assert cohort.model(name).encoder.parameters / 1e6 == pytest.approx(millions, rel=tolerance)


@pytest.mark.parametrize("name", WHOLE)
def test_decoder_and_encoders_are_the_whole_release(name):
    billions, tolerance = WHOLE[name]
    spec = cohort.model(name)
    weights = spec.parameters + spec.encoder.parameters + spec.encoder.sound
    assert weights / 1e9 == pytest.approx(billions, rel=tolerance)


@pytest.mark.parametrize("row", ADDED, ids=lambda row: row["model"])
def test_an_encoder_in_a_config_is_the_one_whose_source_is_given(row):
    """Layers and width, and the weights before patches are merged where the source counts them."""
    config = json.loads(Path(facts.config_path(row["model"])).read_text(encoding="utf-8"))
    found = [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", row["value"])]
    parts = (config["vision_config"], config.get("audio_config") or {})
    layers = [part.get("depth") or part.get("num_hidden_layers") for part in parts if part]
    assert found == [
        each
        for pair in zip(layers, [part["hidden_size"] for part in parts if part], strict=True)
        for each in pair
    ]
    if stated := re.match(r"([\d.]+) million", row["note"]):
        vision = parts[0]
        wide, out = vision["hidden_size"], vision["out_hidden_size"]
        merger = 4 * wide * (4 * wide + out + 1) + out + 2 * wide
        second_frame = 3 * vision["patch_size"] ** 2 * wide
        alone = cohort.model(row["model"]).encoder.parameters - merger - second_frame
        assert alone / 1e6 == pytest.approx(float(stated[1]), abs=0.05)


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
