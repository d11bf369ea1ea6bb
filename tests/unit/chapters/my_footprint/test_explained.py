"""What the notebook on a reader's own log says and draws: of one device, a fleet, counters, a machine."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawing import theme  # noqa: F401
from meter_logs import codecarbon, run_row, smi

import cohort
from cohort.chapters.my_footprint import diagrams, figures, published, tables, words
from cohort.footprint import BOUNDARIES, from_log
from cohort.registry import facts

SAMPLE = Path(facts.data_folder()) / "sample_log.csv"


def many(path):
    watts = np.full((400, 8), 600.0)
    watts[:150] = 60
    return smi(path / "a.csv", watts, 60)


def of(kind, path):
    if kind == "sample":
        return from_log(SAMPLE, boundary="with_embodied", grid="France", contracts=["wind power:0:share 0.4"])
    if kind == "fleet":
        other = smi(path / "b.csv", np.full((400, 2), 250.0), 60, name="NVIDIA L40S")
        return from_log([many(path), other], grid="USA", boundary="with_development")
    if kind == "counters":
        rows = [run_row("aaaaaaaa1", 1, 2.0), run_row("bbbbbbbb2", 900, 2000.0)]
        return from_log(codecarbon(path / "e.csv", rows), contracts=["sun:0:share 0"], use="serving")
    wall = path / "wall.csv"
    wall.write_text("time,wall [W]\n" + "".join(f"{k},5000\n" for k in range(300)), encoding="utf-8")
    return from_log(wall, grid="SE", boundary="with_embodied")


KINDS = ("sample", "fleet", "counters", "wall")


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_are_whole(kind, tmp_path):
    run = of(kind, tmp_path)
    parts, factors = tables.parts(run), tables.sensitivities(run)
    said = [each(run) for each in (words.seen, words.meter_advice, words.emitted, words.sampling)]
    said += [words.found_in_log(run), words.assumed(run), words.added(run, parts), words.widest(factors)]
    said.append(words.takeaways(run, factors))
    for sentence in said:
        assert sentence.strip() and not re.search(r"\bnan\b|\binf\b|\bNone\b|\(\)|  ", sentence), sentence
        assert sentence.rstrip().endswith((".", "!"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_drawn(kind, tmp_path):
    run = of(kind, tmp_path)
    drawn = [
        figures.draw_power(run),
        figures.draw_parts(tables.parts(run)),
        figures.draw_widening(tables.by_boundary(run)),
        figures.draw_factors(tables.sensitivities(run)),
        figures.draw_grids(tables.places(run), run.footprint.provenance.grid.place),
        diagrams.draw_meters(run),
    ]
    for figure in drawn:
        figure.canvas.draw()
        assert [text for axes in figure.axes for text in axes.texts] or figure.axes[0].get_xlabel()
        plt.close(figure)


def test_the_sample_says_what_it_is(tmp_path):
    run = of("sample", tmp_path)
    assert "1 H200" in words.seen(run) and "with wind power" in words.emitted(run)
    assert "2 idle stretches" in words.found_in_log(run)
    assert words.emitted(of("counters", tmp_path)).count("no contract delivered") == 1
    assert tables.parts(run)["status"].tolist()[0] == "measured"


def test_the_boundary_is_told_in_words(tmp_path):
    run = of("sample", tmp_path)
    said = words.added(run, tables.parts(run))
    assert said.startswith("With the data centre and the making of the hardware, the run took 26.4 Wh (22.")
    assert "and making the hardware" in tables.by_boundary(run).index
    assert set(words.BOUNDARY_STARTS) == set(BOUNDARIES)


def test_other_places_emit_more_or_less():
    assert words.other_places({"Norway": 22.0, "France": 44.0, "USA": 384.0}, "France") == (
        "The same electricity would emit 0.5 times as much in Norway and 8.7 times as much in the USA."
    )
    assert words.other_places({"here": 0.0, "USA": 384.0}, "here") == ""


def test_what_is_known_least(tmp_path):
    said = words.widest(tables.sensitivities(of("sample", tmp_path)))
    assert said.startswith("The factor that is known least is *making one accelerator*: alone it moves")
    assert said.endswith("moves the CO2e by −11% to +47%.")


def test_a_known_factor_has_no_bar(tmp_path):
    free = tables.sensitivities(of("sample", tmp_path))
    held = tables.sensitivities(from_log(SAMPLE, boundary="with_embodied", grid="France", embodied_kg=400))
    assert "making one accelerator" in free.index and "making one accelerator" not in held.index


def test_tables_of_boundaries_grow_and_places_hold_the_own_one(tmp_path):
    run = of("sample", tmp_path)
    table = tables.by_boundary(run)
    assert table["location"].is_monotonic_increasing and (table["market"] < table["location"]).all()
    assert ((table["low"] <= table["location"]) & (table["location"] <= table["high"])).all()
    assert tables.places(run)["France"] == cohort.grid("France").g_per_kwh


def test_a_small_share_of_a_short_run_is_in_milligrams(tmp_path):
    whole = tables.by_boundary(of("sample", tmp_path))
    part = tables.by_boundary(from_log(SAMPLE, boundary="with_embodied", grid="France", share=1e-5))
    assert (whole.attrs["unit"], part.attrs["unit"]) == ("g", "mg")
    assert part["location"].iloc[0] == pytest.approx(1e-2 * whole["location"].iloc[0], rel=1e-6)


@pytest.mark.slow
def test_public_logs_are_told_with_those_that_differ():
    runs = published.public_logs()
    near = published.near(runs)
    said = words.matched(runs, near)
    assert f"Of {len(runs)} runs" in said and f"{near.sum()} come out" in said and "ViTucano 2.8B" in said
    assert "6 runs" in words.nodes_matter(cohort.table("logged_runs"))
    assert "The others" not in words.matched(runs[near], near[near])
