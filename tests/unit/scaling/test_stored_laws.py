"""The stored laws of the public sets of runs: those of the fits, all of them and no other."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cohort.fitting import chinchilla_runs, panel
from cohort.registry import facts
from cohort.scaling.stored_laws import CHINCHILLA, laws_of_runs

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
SETS = {CHINCHILLA: chinchilla_runs.runs(), **panel.sets()}


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import store_laws_of_runs
    finally:
        sys.path.pop(0)
    return store_laws_of_runs


@pytest.mark.slow
def test_the_stored_laws_are_the_fits(script):
    """Fitted again here, each of them: the same laws, and on every run of their sets the same loss."""
    again = {(name, form): law for name, form, law in script.fitted()}
    kept = laws_of_runs()
    assert list(again) == list(kept) and len(kept) == 19
    for key, law in again.items():
        assert type(kept[key]) is type(law)
        assert kept[key].coefficients() == pytest.approx(law.coefficients(), rel=1e-6)
        runs = SETS[key[0]]
        old, new = (
            each.loss(*(runs[name].to_numpy() for name in ("parameters", "tokens")))
            for each in (kept[key], law)
        )
        assert np.allclose(old, new, rtol=1e-10, atol=0)


def test_each_set_is_stored_but_the_one_that_determines_no_irreducible_loss():
    stored = {name for name, form in laws_of_runs() if form == "chinchilla"}
    assert panel.sets().keys() - stored == {"porian_owt2_kaplan"} and stored < panel.sets().keys()
    assert all(law.E > 0 for (_, form), law in laws_of_runs().items() if form == "chinchilla")
    assert {form for name, form in laws_of_runs() if name == CHINCHILLA} == set(panel.COMPARED[1:])


def test_a_stored_law_misses_its_runs_by_what_its_form_was_scored_at():
    """`benchmarks/forms_by_sets.py` wrote these errors, in per cent with three decimals."""
    scores = panel.scored_forms().set_index(["set", "form"])["within"]
    for (name, form), law in laws_of_runs().items():
        if name != CHINCHILLA:
            predicted = law.loss(*(SETS[name][each].to_numpy() for each in ("parameters", "tokens")))
            error = np.median(np.abs(SETS[name]["loss"].to_numpy() / predicted - 1))
            assert 100 * error == pytest.approx(scores[name, form], abs=6e-4), name


def test_sources_are_those_of_the_runs(script):
    of_tables = {row["source"] for row in facts.rows("laws_of_runs")}
    assert of_tables == set(script.SOURCES.values())
