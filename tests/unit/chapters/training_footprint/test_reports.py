"""What makers report: the environmental table, reports beside the ledger, markets and development."""

from __future__ import annotations

import pandas as pd
import pytest

from cohort.chapters.training_footprint import reports, tables
from cohort.footprint import audit
from cohort.footprint.published_runs import run_of
from cohort.footprint.scenarios import Scenario

H100 = "H100 SXM 80GB"
SCENARIO = Scenario()
MODELS = ["llama-2-7b", "llama-3-70b", "command-r-v01", "dbrx", "gemma-7b", "phi-3-mini-4k"]


def test_the_environmental_table() -> None:
    table = reports.run_conditions(tables.runs_of(MODELS, H100))
    assert table.loc["Llama 2 7B", "hours"] == "184,320"
    assert table.loc["DBRX", "hours"] == "at most 5,600,000"
    assert table.loc["Gemma 7B", "reported (t CO2e)"] == "131, all of Gemma 2B and 7B"
    assert table.loc["Command R", "accelerator"] == "–"
    assert pd.isna(table.loc["Command R", "compute (10²¹ FLOP)"])


def test_reports_lie_at_their_boundary_and_below_the_full_one() -> None:
    table = reports.reported_beside_modelled(tables.runs_of(MODELS, H100), SCENARIO)
    assert list(table.index) == ["Llama 2 7B", "Llama 3 70B"]
    assert ((table["low"] < table["reported"]) & (table["reported"] < table["high"])).all()
    assert (table["full low"] > table["reported"]).all()


def test_the_side_of_the_report_does_not_follow_the_reader() -> None:
    runs = tables.runs_of(["llama-2-7b", "gpt3-175b", "olmo-2-7b"], H100)
    home = reports.reported_beside_modelled(runs, SCENARIO)
    away = reports.reported_beside_modelled(runs, Scenario(grid="Norway", pue=1.5))
    same = ["low", "median", "high", "agrees"]
    pd.testing.assert_frame_equal(home[same], away[same])
    assert away["agrees"].all()
    assert (away["full median"] < home["full median"] / 3).all()
    stated = home.loc["GPT-3 175B"]  # its report says hours, power, PUE and grid
    assert stated["low"] == stated["high"] == pytest.approx(10000 * 14.8 * 24 * 0.33 * 1.1 * 0.429 / 1000)
    assert run_of("olmo-2-7b", H100).told == (("pue", 1.2), ("grid_g_per_kwh", 332.0))


def test_no_report_is_an_empty_table() -> None:
    assert reports.reported_beside_modelled(tables.runs_of(["dbrx"], H100), SCENARIO).empty


def test_markets_and_development() -> None:
    markets = reports.markets()
    assert markets.loc["Llama 3.1 family", "location"] == 11390
    assert (markets["market"] == 0).all()
    row = markets.loc["Llama 3.1 405B"]
    assert row["full market"] == pytest.approx(30.84e6 * 462.5 / (5 * 8760 * 0.75) / 1000)
    assert row["full location"] > row["location"] > row["full market"] > 0
    assert pd.isna(markets.loc["Llama 3.1 family", "full market"])
    assert "Llama 3.3 70B" not in markets.index
    table = reports.development()
    assert table.loc["OLMo series", "CO2e (t)"].sum() == 2 * 493
    assert table.loc["Olmo 3 family", "not the final runs (% of compute)"] == pytest.approx(82.2)


def test_reports_that_cover_several_models() -> None:
    assert reports.models_together() == {
        "Gemma 2B and 7B": ("gemma-2b", "gemma-7b"),
        "Gemma 2 2B, 9B and 27B": ("gemma-2-2b", "gemma-2-9b", "gemma-2-27b"),
    }


def test_the_audit_writes_numbers_as_readers_do():
    """Compute in powers of ten, as no reader writes 7.86e+24, and products with their sign."""
    shown = reports.audited(audit.estimates_apart())
    assert shown.loc["Llama 3 70B", "published"] == "7.86 × 10²⁴ FLOP"
    assert shown.loc["Llama 3 70B", "from"] == "6 FLOP × parameters × tokens"
    assert not shown["published"].str.contains("e+", regex=False).any()
