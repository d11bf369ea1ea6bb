"""What `cohort plan` prints, writes and draws."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from drawing import theme  # noqa: F401
from matplotlib.text import Text

from cohort.cli import main
from cohort.planning import Demand, Limits, plan
from cohort.reports.plan_figures import draw_frontier
from cohort.reports.plans import BEST, plan_lines, plan_sheet

ASK = ["plan", "llama-3-8b", "-a", "L40S", "--users", "20", "--most", "4"]


def run(*more: str):
    return CliRunner().invoke(main, [*ASK, *more])


def test_the_screen_names_the_best_of_each_kind_and_why_others_fail():
    found = plan("llama-3-8b", "L40S", Demand(1024, 256, users=20), Limits(5.0, accelerators=4))
    lines = plan_lines(found)
    assert (
        lines[0]
        == "20 answers at once, 1,024 tokens in, 256 out; at the most the first in 5 s, 4 accelerators"
    )
    text = "\n".join(lines)
    for what in BEST.values():
        assert what in text.lower().replace("co2e", "CO2e")
    assert run().output == text + "\n"


def test_a_range_that_crosses_a_limit_is_said():
    loose = plan("llama-3-8b", "L40S", Demand(1024, 256, users=1), Limits(accelerators=1))
    token = loose.options[0].serving.tpot_s
    tight = plan(
        "llama-3-8b", "L40S", Demand(1024, 256, users=1), Limits(token_s=1.01 * token, accelerators=1)
    )
    assert "  At the upper end of its range a token takes" in "\n".join(plan_lines(tight))
    assert "At the upper end" not in "\n".join(plan_lines(loose))


def test_nothing_that_fits_leaves_the_reasons():
    result = run("--token-ms", "0.5")
    assert result.exit_code == 0
    assert "0 keep the limits" in result.output and "even a single answer is late" in result.output


def test_json_holds_what_the_plan_holds():
    found = plan("llama-3-8b", "L40S", Demand(1024, 256, users=20), Limits(5.0, accelerators=4))
    sheet = json.loads(run("--json").output)
    assert sheet == json.loads(json.dumps(plan_sheet(found)))
    assert sheet["tried"] == sheet["kept"] + len(sheet["rejected"])
    cheapest = sheet["options"][sheet["best"]["cheapest"]]
    assert cheapest["usd_per_hour"] == min(each["usd_per_hour"] for each in sheet["options"])


@pytest.mark.slow
def test_the_chart_is_written_and_its_labels_stay_apart(tmp_path):
    target = tmp_path / "frontier.svg"
    assert run("--chart", str(target)).exit_code == 0
    assert target.read_text().startswith("<?xml")
    found = plan("llama-3-8b", ["L40S", "H200"], Demand(1024, 256, users=20), Limits(5.0, accelerators=4))
    drawing = draw_frontier(found)
    drawing.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in drawing.axes[0].texts if text.get_text()]
    assert boxes
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--chart", "/nowhere/at/all.svg"], "cannot be written"),
        (["--requests", "2"], "both were given"),
        (["-a", "L40X"], "unknown accelerator"),
        (["-w", "fp3"], "unknown weight format"),
        (["--token-ms", "-4"], "token_s"),
        (["--price", "L40S", "0"], "price of L40S"),
        (["--input-tokens", "9000"], ""),
    ],
)
def test_what_cannot_be_is_one_line(more, said):
    result = run(*more)
    if not said:
        assert "it is offered for 8,192 tokens" in result.output
        return
    assert result.exit_code == 1
    assert said in result.output and result.output.count("\n") == 1
