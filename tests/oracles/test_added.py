"""Families that the reference library does not have: the counts of a release, and where they are stated."""

import json
from pathlib import Path

import pytest

import cohort

FILES = sorted((Path(__file__).parent / "added").glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_counts_are_those_of_the_release(file):
    case = json.loads(file.read_text(encoding="utf-8"))
    model = cohort.model(case["config"])
    assert (model.parameters, model.active_parameters) == (case["total"], case["active"])
    assert case["source"]
