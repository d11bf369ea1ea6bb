"""The encoders before the registered models against the classes of transformers, recorded and live."""

import json

import make_encoders
import pytest
from test_reference import ORACLE

import cohort
from cohort.architecture.encoder import image_encoder

COUNTS = json.loads(make_encoders.ENCODERS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", COUNTS)
def test_every_weight_is_counted(name):
    found = cohort.model(name).encoder
    assert {"image": found.parameters, "sound": found.sound} == COUNTS[name]


def test_every_registered_encoder_has_a_count():
    assert list(COUNTS) == list(make_encoders.described())


@pytest.mark.parametrize("name", [pytest.param(name, marks=ORACLE) for name in COUNTS])
def test_recorded_counts_are_reproduced(name):
    assert make_encoders.count(make_encoders.described()[name]) == COUNTS[name]


def test_the_release_of_minimax_m3_says_the_same_in_other_fields():
    """Its config calls the encoder CLIP's, and puts aside how patches are merged."""
    config = make_encoders.described()["minimax-m3"]
    vision = dict(config["vision_config"], model_type="clip_vision_model", rope_theta=10000.0)
    merging = {name: vision.pop(name) for name in ("spatial_merge_size", "temporal_patch_size")}
    vision["img_token_compression_config"] = merging
    found = image_encoder({**config, "vision_config": vision}, 6144)
    assert found == cohort.model("minimax-m3").encoder
