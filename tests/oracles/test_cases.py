"""The counts of ``cohort.model`` against the recorded answers of reference implementations."""

import json
from pathlib import Path

from rows import each_of

import cohort

CASES = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))


@each_of("case", CASES, ids=lambda case: case["name"])
def test_counts_equal_the_reference(case):
    model = cohort.model(case["config"])
    counted = {
        "total": model.parameters,
        "active": model.active_parameters,
        "active_without_embedding": model.active_parameters_without_embedding,
    }
    assert counted == {name: case[name] for name in counted}, case["why"]


def test_names_are_unique():
    names = [case["name"] for case in CASES]
    assert sorted(set(names)) == sorted(names)
