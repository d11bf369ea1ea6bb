"""The recorded answers and the registry against the reference implementations themselves, live.

The classes of transformers take part where the ``oracle`` extra is installed; the lists of tensors of the
families that it does not implement need nothing, so they are always compared.
"""

import json
import runpy
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import make_cases
import pytest
import reference

import cohort

CASES = json.loads(make_cases.CASES.read_text(encoding="utf-8"))
REGISTRY = sorted((Path(__file__).parents[2] / "data" / "configs").glob("*.json"))
MISSING = [name for name in ("torch", "transformers") if find_spec(name) is None]

ORACLE = (
    pytest.mark.oracle,
    pytest.mark.skipif(
        bool(MISSING), reason=f"the reference needs {' and '.join(MISSING)}: install the oracle extra"
    ),
    pytest.mark.filterwarnings("ignore:Initializing zero-element tensors"),
)


@cache
def arbiter():
    """The names of the script that counts the text decoder of any class of transformers."""
    return runpy.run_path(str(Path(__file__).parent / "families" / "arbiter.py"))


def registered_counts(config):
    """Count a release, which may be a text decoder beside others."""
    if not reference.needs_transformers(config):
        return reference.count(config)
    found = arbiter()["count"](reference.known_as(config))
    return {
        "total": found["total"],
        "active": found["active"],
        "active_without_embedding": found["active"] - found["embedding"],
    }


def oracle_if_needed(name, config):
    return pytest.param(config, id=name, marks=ORACLE if reference.needs_transformers(config) else ())


@pytest.mark.parametrize(
    ("config", "answers"),
    [
        pytest.param(*values.values, case, id=values.id, marks=values.marks)
        for case in CASES
        for values in [oracle_if_needed(case["name"], case["config"])]
    ],
)
def test_recorded_answers_are_reproduced(config, answers):
    counts = reference.count(config)
    assert counts == {name: answers[name] for name in counts}


@pytest.mark.parametrize(
    "config", [oracle_if_needed(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in REGISTRY]
)
def test_registry_counts_equal_the_reference(config):
    model = cohort.model(config)
    assert registered_counts(config) == {
        "total": model.parameters,
        "active": model.active_parameters,
        "active_without_embedding": model.active_parameters_without_embedding,
    }


def test_recorded_cases_are_those_of_the_script():
    made = [case._asdict() for family in make_cases.FAMILIES for case in family()]
    assert [{name: case[name] for name in ("name", "why", "config")} for case in CASES] == made
