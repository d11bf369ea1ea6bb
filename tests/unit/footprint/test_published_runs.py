"""What is published of runs: hours and bounds, tokens, power, and the utilisation that follows."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

import cohort
from cohort.errors import NotInDataError
from cohort.footprint import factors
from cohort.footprint.accounts import BOUNDARIES
from cohort.footprint.factors import Range
from cohort.footprint.published_runs import (
    Run,
    known_utilisations,
    run_of,
    run_rows,
    run_size,
    siblings,
    tokens_of,
    utilisation,
)
from cohort.footprint.scenarios import Scenario, modelled
from cohort.footprint.training_runs import training_flop, training_tokens
from cohort.registry import facts

A100, H100 = "A100 SXM 80GB", "H100 SXM 80GB"


def utilisations() -> dict[str, tuple[str, float]]:
    return known_utilisations(facts.modified("training_runs"))


# --- what is published


@pytest.mark.parametrize(
    ("model", "device", "hours", "tonnes"),
    [
        ("llama-2-7b", A100, 184_320, 31.22),
        ("llama-3-70b", H100, 6.4e6, 1900),
        ("llama-3.1-405b", H100, 30.84e6, 8930),
    ],
)  # fmt: skip
def test_a_card_as_it_is_printed(model: str, device: str, hours: float, tonnes: float) -> None:
    run = run_of(model, "L4")
    assert (run.device.name, run.device_known) == (device, True)
    assert (run.hours, run.at_most, run.reported_t) == (hours, None, tonnes)
    assert run.boundary == "accelerator_tdp"


def test_bounds_are_no_hours() -> None:
    """Fewer than 3,000 weeks of one accelerator; all 3,072 for two and a half months."""
    arctic, dbrx = run_of("snowflake-arctic", A100), run_of("dbrx", A100)
    assert (arctic.hours, arctic.at_most) == (None, 3000 * 7 * 24)
    assert (dbrx.hours, dbrx.at_most) == (None, 5.6e6)
    assert not {"snowflake-arctic", "dbrx"} & utilisations().keys()


def test_a_bound_is_known_by_its_column_and_not_by_its_note(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = facts.rows("training_runs")
    for row in rows:
        row["note"] = "upper bound: " + row["note"]
    monkeypatch.setattr(
        facts, "rows", lambda name, kept=facts.rows: rows if name == "training_runs" else kept(name)
    )
    assert run_of("llama-2-7b", A100).hours == 184_320
    assert run_of("dbrx", A100).hours is None


def test_a_bound_is_a_floor_of_utilisation() -> None:
    run = run_of("dbrx", A100)
    flop = 6 * cohort.model("dbrx").active_parameters * 12e12
    assert run.flop == training_flop(run.active, 12e12) == flop
    assert run.floor == pytest.approx(flop / (989e12 * 3600 * 5.6e6), rel=1e-12)
    assert 0 < run.floor < 1
    tight = Run("tight", run.device, True, None, 1000.0, run.active, run.tokens)
    assert tight.floor == 0  # no such accelerator keeps within it
    exact = Run("exact", run.device, True, None, flop / (989e12 * 3600), run.active, run.tokens)
    assert exact.floor == 0
    unsure = Run("unsure", run.device, True, None, 5.6e6, run.active, Range(1e12, 2e12, 3e12, "tokens"))
    assert unsure.floor == 0


def test_hours_that_follow() -> None:
    """A rate for a trillion tokens, accelerators and days, and where nothing is published, nothing."""
    assert run_of("deepseek-v2", H100).hours == pytest.approx(172_800 * 8.1)
    assert run_of("gpt3-175b", H100).hours == pytest.approx(10_000 * 14.8 * 24)
    spec = run_of("command-r-v01", "B200")
    assert (spec.device.name, spec.device_known, spec.hours) == ("B200", False, None)


def test_of_several_values_none_is_taken() -> None:
    """Energies of OLMo 2 7B stand at two boundaries, and the CO2e of BLOOM."""
    assert "energy_kwh" not in run_rows("olmo-2-7b")
    assert "co2e_t" not in run_rows("BLOOM 176B")
    assert run_rows("llama-2-7b")["co2e_t"]["value"] == "31.22"
    assert run_rows("nothing") == {}


def test_tokens() -> None:
    assert tokens_of(cohort.model("llama-3-8b")) == Range.exact(15e12, "tokens")
    unknown = tokens_of(cohort.model("command-r-v01"))
    assert unknown.low < unknown.central < unknown.high == 15e12
    assert training_tokens("llama-2-7b") == 2e12
    with pytest.raises(NotInDataError, match="command-r-v01 are not disclosed; give tokens"):
        training_tokens("command-r-v01")


def test_sizes() -> None:
    assert run_size("llama-2-7b", {}) == (cohort.model("llama-2-7b").active_parameters, 2e12)
    rows = {"active_parameters": {"value": "5e9"}, "tokens": {"value": "2e12"}}
    assert run_size("a run of its own", rows) == (5e9, 2e12)
    assert run_size("a run of its own", {}) == (None, None)


def test_power_is_that_of_the_node_from_there_on() -> None:
    run = Run("a run", cohort.accelerator(H100), True, 1.0, None, 1.0, Range.exact(1.0, "tokens"),
              powers=(("accelerator", 640.0), ("node", 950.0)))  # fmt: skip
    assert [run.power(each) for each in BOUNDARIES] == [None, 640.0, 950.0, 950.0, 950.0, 950.0]


# --- utilisation


def test_utilisation_of_llama_3_8b() -> None:
    """1.3 million hours for 15 trillion tokens."""
    family, share = utilisations()["llama-3-8b"]
    assert family == "H100, H800"
    assert share == pytest.approx(6 * 8_030_261_248 * 15e12 / (1.3e6 * 3600 * 989e12), rel=1e-12)


def test_the_range_is_that_of_one_more_maker() -> None:
    """Mean of the logarithms; a normal with the spread of all families, wider where makers are few."""
    device = cohort.accelerator(A100)
    shares = {name: share for name, (family, share) in utilisations().items() if family == "A100"}
    others = np.log([share for family, share in utilisations().values() if family != "A100"])
    assert {family for family, _ in utilisations().values()} == {"A100", "H100, H800"}
    for without in ((), ("llama-2-7b",)):
        logs = np.log([share for name, share in shares.items() if name not in without])
        found = utilisation(device, without)
        assert found.shape == "lognormal"
        assert found.central == pytest.approx(float(np.exp(logs.mean())), rel=1e-12)
        squares = logs.var() * len(logs) + others.var() * len(others)
        makers = 4  # Meta, Microsoft, BigScience and MosaicML
        half = 1.6448536269514722 * (squares / (len(logs) + len(others) - 2) * (1 + 1 / makers)) ** 0.5
        assert log(found.high) - log(found.central) == pytest.approx(half, rel=1e-9)
        assert log(found.central) - log(found.low) == pytest.approx(half, rel=1e-9)
    assert utilisation(device).central != utilisation(device, ("llama-2-7b",)).central


def test_few_runs_are_no_spread() -> None:
    device = cohort.accelerator(A100)
    shares = [name for name, (family, _) in utilisations().items() if family == "A100"]
    assert utilisation(device, shares[5:]).shape == "lognormal"
    assert utilisation(device, shares[4:]) == factors.mfu(device)
    assert utilisation(cohort.accelerator("L4")) == factors.mfu(cohort.accelerator("L4"))


def test_no_share_is_above_the_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    from cohort.footprint import published_runs

    wide = {str(at): ("A100", share) for at, share in enumerate((0.01, 0.1, 0.9, 0.95, 0.99))}
    monkeypatch.setattr(published_runs, "known_utilisations", lambda stamp: wide)
    found = utilisation(cohort.accelerator(A100))
    assert found.high == 1
    assert found.central == pytest.approx(exp(sum(log(share) for _, share in wide.values()) / 5))


def test_siblings_have_one_maker() -> None:
    found = siblings("llama-2-7b")
    assert {"llama-2-7b", "llama-3-8b", "LLaMA 13B"} <= found
    assert {name.casefold()[:5] for name in found} == {"llama"}


# --- modelled


def test_published_hours_are_not_drawn() -> None:
    run = run_of("llama-2-7b", H100)
    found = modelled(run, "facility", Scenario(draws=200))
    assert found.footprint.accelerator_hours == 184_320
    assert not {"mfu", "tokens"} & found.inputs.keys()
    hours = found.spread("accelerator_hours")
    assert hours.low == hours.high == 184_320
    assert hours.values.shape == (200,)


def test_hours_that_are_not_published_follow_from_the_draws() -> None:
    run = run_of("command-r-v01", A100)
    found = modelled(run, "accelerator", Scenario(draws=200), {"pue": 1.5})
    hours = 6 * run.active * found.inputs["tokens"] / (312e12 * 3600 * found.inputs["mfu"])
    assert np.allclose(found.footprint.accelerator_hours, hours, rtol=1e-12)
    assert np.allclose(found.footprint.energy_kwh, hours * found.inputs["power_w"] / 1000, rtol=1e-12)
    told = modelled(run_of("llama-2-7b", A100), "facility", Scenario(draws=200), as_published=False)
    assert np.ptp(told.footprint.accelerator_hours) > 0


def test_no_draw_exceeds_a_bound_of_the_hours() -> None:
    run = run_of("dbrx", A100)
    found = modelled(run, "facility", Scenario(draws=2000))
    assert found.footprint.accelerator_hours.max() <= 5.6e6 * (1 + 1e-12)
    free = modelled(
        Run(run.name, run.device, True, None, None, run.active, run.tokens), "facility", Scenario(draws=2000)
    )
    assert free.footprint.accelerator_hours.max() > 5.6e6
    kept = found.inputs["mfu"] == free.inputs["mfu"]
    assert (free.inputs["mfu"][~kept] < run.floor).all()  # no other draw was replaced
    hopeless = Run(run.name, run.device, True, None, run.at_most / 5, run.active, run.tokens)
    assert 0.5 < hopeless.floor < 1
    assert (modelled(hopeless, "facility", Scenario(draws=100)).inputs["mfu"] >= hopeless.floor).all()


def test_the_reader_and_what_is_told_replace_ranges() -> None:
    run = run_of("llama-2-7b", H100)
    own = modelled(run, "facility", Scenario(pue=1.3, lifetime_years=4, draws=100))
    assert set(own.inputs["pue"]) == {1.3} and set(own.inputs["lifetime_years"]) == {4.0}
    told = modelled(run, "facility", Scenario(pue=1.3, draws=100), {"pue": 1.1})
    assert set(told.inputs["pue"]) == {1.1}
    drawn = modelled(run, "facility", Scenario(draws=100))
    assert len(set(drawn.inputs["pue"])) == 100
    rated = modelled(run, "accelerator_tdp", Scenario(draws=100), apply_pue=True)
    assert np.allclose(rated.footprint.energy_kwh, 184_320 * 0.4 * rated.inputs["pue"], rtol=1e-12)
