"""Public logs, written anew from their sums and read by the readers, beside what their makers print."""

from pathlib import Path

import pandas as pd
import pytest
from meter_logs import CODECARBON, codecarbon

import cohort
from cohort.chapters.my_footprint.published import NEAR, near, public_logs
from cohort.footprint import from_log

RUNS = cohort.table("logged_runs")
LOGS = RUNS[RUNS["tool"] == "codecarbon"]


def as_file(path, row):
    """Write the row as the last line of an ``emissions.csv``, after one of the half of it."""
    pue = 1.0 if pd.isna(row["pue"]) else row["pue"]

    def line(share, end):
        parts = [share * pue * row[name] for name in ("processor_kwh", "accelerator_kwh", "memory_kwh")]
        total = sum(parts)
        cells = [
            end,
            "p",
            "0123456789",
            3600 * share * row["hours"],
            total * row["grid_g_per_kwh"] / 1000,
            *parts,
        ]
        cells += [total, "", row["devices"], f"{row['devices']} x {row['device']}", pue]
        assert len(cells) == len(CODECARBON.split(","))
        return ",".join(map(str, cells))

    return codecarbon(path, [line(0.5, "2024-01-01T00:00:00"), line(1.0, "2024-03-01T00:00:00")])


@pytest.mark.parametrize(
    "place", range(len(LOGS)), ids=[f"{row.run} {row.part}" for row in LOGS.itertuples()]
)
def test_a_log_read_from_its_file_gives_its_own_sums(tmp_path, place):
    row = LOGS.iloc[place]
    run = from_log(
        as_file(tmp_path / "emissions.csv", row), boundary="node", host_ratio=1, network_ratio=1,
        nodes=int(row["nodes"]), grid_g_per_kwh=row["grid_g_per_kwh"],
    )  # fmt: skip
    total = row["nodes"] * row[["accelerator_kwh", "processor_kwh", "memory_kwh"]].sum()
    assert run.footprint.energy_kwh == pytest.approx(total, rel=1e-5)
    assert run.footprint.co2e_kg == pytest.approx(total * row["grid_g_per_kwh"] / 1000, rel=1e-5)
    (group,) = run.groups
    assert group.number == row["nodes"] * row["devices"]
    assert group.hours == pytest.approx(group.number * row["hours"], rel=1e-5)


def test_published_numbers_are_met_or_the_difference_is_explained():
    runs = public_logs()
    met = near(runs)
    assert len(runs) >= 15 and met.sum() >= 12
    assert (met == (runs["explained"] == "")).all()  # nothing is excused that needs no excuse
    assert runs.loc[~met, ["energy_ratio", "co2e_ratio"]].sub(1).abs().max().max() < 0.025
    assert {"CodeCarbon#544": runs.loc["eight processes on one machine", "log_kwh"]} == {
        "CodeCarbon#544": pytest.approx(302.3935, rel=1e-5)
    }


def test_one_machine_of_several_is_what_most_cards_multiply():
    """Without the number of machines the cards of Tucano would seem two or four times too high."""
    rows = RUNS[RUNS["run"].isin(["Tucano 160M", "Tucano 2.4B"])]
    alone = rows[["accelerator_kwh", "processor_kwh", "memory_kwh"]].sum(axis=1)
    ratios = (rows["published_kwh"] / alone).round(2).tolist()
    assert ratios == [2, 4] and abs(rows["published_kwh"] / alone / rows["nodes"] - 1).max() < NEAR


def test_one_of_eight_files_is_the_whole_machine():
    """Its accelerators draw what eight A40 may draw, six times what one may: adding all would be wrong."""
    row = RUNS.set_index("run").loc["eight processes on one machine"]
    watts, rated = 1000 * row["accelerator_kwh"] / row["hours"], cohort.accelerator(row["device"]).tdp_w
    assert 6 * rated < watts < row["devices"] * rated


def test_the_sample_log_agrees_with_the_counter_of_the_board():
    from cohort.registry import facts

    run = from_log(Path(facts.data_folder()) / "sample_log.csv", boundary="accelerator", grid="SE")
    counter = RUNS.set_index("run").loc["sample log of this book", "published_kwh"]
    assert run.groups[0].device.name == "H200"
    assert 1 < run.measured_kwh / counter < 1.015  # the log is four seconds longer than the phases
