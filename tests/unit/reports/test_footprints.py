"""Reports of a run by its log: every cell with its status, and no name that runs or becomes a formula."""

import csv
import io
import json
import re

import pytest
from click.testing import CliRunner

from cohort.cli import main
from cohort.errors import CohortError
from cohort.footprint import from_log
from cohort.reports.footprints import WRITERS, footprint_lines, json_text, markdown_text
from cohort.reports.report_rows import STATUSES, About, as_records, disclosures

HEADS = "timestamp, index, name, power.draw [W]"


def log(path, name="NVIDIA H100 80GB HBM3", minutes=120):
    rows = [
        f"2026/11/26 {10 + k // 60}:{k % 60:02d}:00.000, {d}, {name}, 600.00 W"
        for k in range(minutes)
        for d in range(2)
    ]
    path.write_text("\n".join([HEADS, *rows]) + "\n", encoding="utf-8")
    return path


def cells(run, about=None):
    return {(record["report"], record["row"]): record for record in as_records(disclosures(run, about))}


@pytest.fixture
def run(tmp_path):
    return from_log(log(tmp_path / "a.csv"), grid="SE", boundary="facility")


def test_each_cell_has_a_status_and_what_is_known_has_method_and_source(run):
    for record in cells(run, About(model="llama-3-8b", unit="1,000 tokens", units=10)).values():
        assert record["status"] in STATUSES
        assert (record["value"] is None) == (record["status"] == "not assessed")
        if isinstance(record["value"], float):
            assert record["method"] and (record["sources"] or record["status"] == "given")
        if record["low"] is not None:
            assert record["low"] <= record["value"] <= record["high"]


def test_annex_xi_has_compute_time_and_energy(run):
    found = cells(run, About(model="llama-3-8b"))
    flop = found["annex_xi", "(d) computational resources: floating point operations"]
    assert flop["value"] == pytest.approx(6 * 8030261248 * 15e12, rel=0.1) and flop["status"] == "derived"
    energy = found["annex_xi", "(e) energy consumption, known or estimated"]
    assert energy["value"] == pytest.approx(run.footprint.energy_kwh / 1000) and energy["unit"] == "MWh"
    assert "facility" in energy["method"]
    assert found["annex_xi", "(d) training time"]["value"] == pytest.approx(119 / 60)
    assert cells(run)["annex_xi", "(d) computational resources: floating point operations"]["value"] is None


def test_both_methods_of_scope_2_and_who_rents_has_scope_3(tmp_path):
    path = log(tmp_path / "a.csv")
    run = from_log(path, grid="SE", contracts=["wind:0:share=0.5"], residual_g_per_kwh=100)
    own, cloud = cells(run), cells(run, About(operator="cloud"))
    place, market = (own["ghg_protocol", f"Scope 2, {method}-based"] for method in ("location", "market"))
    assert place["value"] == pytest.approx(run.footprint.operational_kg / 1000)
    assert market["value"] == pytest.approx(run.footprint.energy_kwh * 50 / 1e6)
    assert (
        "wind" in market["method"] and own["ghg_protocol", "Scope 3, category 2: capital goods"]["value"] > 0
    )
    assert cloud["ghg_protocol", "Scope 2, location-based"]["value"] is None
    rented = cloud["ghg_protocol", "Scope 3, category 1: purchased services, electricity, location-based"]
    assert rented["value"] == pytest.approx(place["value"])
    assert own["ghg_protocol", "Scope 3, category 11: use of sold products"]["status"] == "not assessed"


def test_the_carbon_intensity_of_software_is_per_functional_unit(run):
    found = cells(run, About(unit="1,000 tokens", units=50))
    by_row = {row: record for (report, row), record in found.items() if report == "sci"}
    energy, grid, made = (
        by_row[row]["value"]
        for row in ("E: energy", "I: carbon intensity, location-based", "M: embodied emissions")
    )
    score = by_row["SCI for AI, provider: training"]
    assert score["value"] == pytest.approx((energy * grid + made) / 50)
    assert (
        score["unit"] == "g per 1,000 tokens" and by_row["SCI for AI, consumer: inference"]["value"] is None
    )
    assert cells(run)["sci", "SCI for AI, provider: training"]["value"] is None


def test_a_functional_unit_is_counted_in_any_words(run):
    reports = disclosures(run, About(unit="answer", units=2660))
    assert "| 2,660 × answer |" in markdown_text(run, reports)
    assert '"unit": "answer"' in json_text(run, reports)


def test_a_served_run_has_no_training_to_report(tmp_path):
    run = from_log(log(tmp_path / "a.csv"), grid="SE", use="serving")
    found = cells(run, About(unit="answers", units=100))
    assert found["annex_xi", "(d) training time"]["value"] is None
    assert found["model_documentation", "Amount of energy used for training"]["value"] is None
    assert found["sci", "SCI for AI, consumer: inference"]["value"] > 0


@pytest.mark.parametrize("suffix", WRITERS)
def test_the_command_writes_every_kind_of_report(tmp_path, suffix):
    out = tmp_path / f"report{suffix}"
    done = CliRunner().invoke(
        main, ["footprint", str(log(tmp_path / "a.csv")), "--place", "SE", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert "metered" in done.output and "added: Host" in done.output
    text = out.read_text(encoding="utf-8")
    assert "Scope 2, market-based" in text and "not assessed" in text
    assert not re.search(r"\bnan\b|\binf\b|None", text)


def test_json_of_the_command_holds_log_parts_and_reports(tmp_path):
    done = CliRunner().invoke(main, ["footprint", str(log(tmp_path / "a.csv")), "--place", "SE", "--json"])
    found = json.loads(done.output)
    assert {"log", "devices", "parts", "footprint", "reports"} == found.keys()
    assert found["devices"] == [
        {
            "name": "H100 SXM 80GB",
            "number": 2,
            "hours": pytest.approx(238 / 60),
            "energy_kwh": pytest.approx(2.38),
        }
    ]
    assert (
        found["footprint"]["amounts"]["energy_kwh"]["low"]
        < found["footprint"]["amounts"]["energy_kwh"]["high"]
    )


EVIL = "<img src=x onerror=alert(7)>|`=1`\"'"


def test_names_are_escaped_and_no_cell_is_a_live_formula(tmp_path):
    path = log(tmp_path / "=HYPERLINK(1)<b>.csv", name="=cmd|' /C calc'!A0<script>alert(1)</script>")
    run = from_log(path, grid="SE")
    reports = disclosures(run, About(model=EVIL, unit="=unit<i>", units=2))
    page = WRITERS[".html"](run, reports)
    for live in ("<img", "<b>", "<script>", "<i>"):
        assert live not in page
    marked = WRITERS[".md"](run, reports)
    assert "<img" not in marked and "<script>" not in marked
    tables = [line for line in marked.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in tables} == {7}
    for row in csv.reader(io.StringIO(WRITERS[".csv"](run, reports))):
        for cell in row:
            assert not cell.startswith(("=", "+", "@", "\t")) and (cell[:1] != "-" or float(cell) < 0)


def test_the_lines_say_what_was_found(tmp_path):
    path = log(tmp_path / "a.csv")
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(lines[:40] + lines[80:]), encoding="utf-8")
    said = "\n".join(footprint_lines(from_log(path, grid="SE")))
    assert "found: 0: 1 gap" in said and "measured" in said and "estimated" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["--out", "a.xlsx"],
        ["--place", "Atlantis"],
        ["--boundary", "x"],
        ["--contract", "x"],
        ["--units", "-1"],
        ["--operator", "x"],
        ["--format", "excel"],
        ["--accelerator", "H999"],
        ["--out", "/none/a.html"],
    ],
)
def test_the_command_refuses_in_one_line(tmp_path, arguments):
    done = CliRunner().invoke(main, ["footprint", str(log(tmp_path / "a.csv")), *arguments])
    if arguments[0] == "--accelerator":
        assert done.exit_code == 0 and "H999 is not in the data" in done.output
        return
    assert done.exit_code == 1 and done.output.splitlines()[-1].startswith("error: ")


def test_an_unknown_operator_is_refused(run):
    with pytest.raises(CohortError):
        disclosures(run, About(operator="lease"))
