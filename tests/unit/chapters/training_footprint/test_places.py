"""The same run on other grids, and what the data hold of a grid."""

from __future__ import annotations

import pandas as pd
import pytest

import cohort
from cohort.chapters.training_footprint import places
from cohort.footprint.published_runs import run_of
from cohort.footprint.scenarios import Scenario

H100 = "H100 SXM 80GB"
SCENARIO = Scenario()


def test_places_are_the_same_energy() -> None:
    table = places.in_places(run_of("llama-3-70b", H100), SCENARIO)
    assert len(table) == 12
    assert (table["median"] / table["g/kWh"]).std() == pytest.approx(0, abs=1e-9)
    assert set(table["method"]) == {
        "generated there, life cycle",
        "consumed there, life cycle",
        "generated there, combustion alone",
    }


def test_a_range_says_what_it_is_the_spread_of() -> None:
    assert places.spread_over("USA") == "life-cycle factors, by generation and by consumption"
    assert places.spread_over("US-Texas") == "factors of combustion alone, by generation"
    assert all(places.spread_over(place) for place in cohort.grids())


def test_all_methods_have_words() -> None:
    assert len(pd.concat([places.factors_of(place) for place in cohort.grids()])) == 604
