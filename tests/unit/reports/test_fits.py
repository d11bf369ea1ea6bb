"""A law of a reader's own runs: from a file to a report and back to a law."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

import cohort
from cohort.cli import main
from cohort.errors import ParameterError
from cohort.fitting.run_tables import read_runs
from cohort.reports.fit_figures import draw_residuals, draw_runs
from cohort.reports.fits import fit_report

LAW = cohort.law("besiroglu")


def write(path, heads="Params,Train FLOPs,val_loss", count=60):
    rng = np.random.default_rng(0)
    n, d = np.exp(rng.uniform(18, 23, count)), np.exp(rng.uniform(21, 26, count))
    losses = LAW.loss(n, d) * np.exp(0.003 * rng.standard_normal(count))
    rows = [f"{a:.6g},{6 * a * b:.6g},{c:.6g}" for a, b, c in zip(n, d, losses, strict=True)]
    path.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_file_gives_a_law_that_is_read_again(tmp_path):
    path, out, page = write(tmp_path / "runs.csv"), tmp_path / "law.json", tmp_path / "law.html"
    arguments = ["fit", str(path), "--hold-out", "0.2", "--resamples", "100", "--json", str(out)]
    done = CliRunner().invoke(main, [*arguments, "--html", str(page)])
    assert done.exit_code == 0, done.output
    law, report = cohort.law(str(out)), json.loads(out.read_text(encoding="utf-8"))
    assert law.beta == pytest.approx(LAW.beta, abs=0.03)
    low, high = report["intervals"]["beta"]
    assert low < law.beta < high
    assert report["held_out"]["runs"] == 12 and report["held_out"]["median_absolute_error"] < 0.01
    assert report["columns"] == {"parameters": "params", "flop": "train_flops", "loss": "val_loss"}
    assert "advice" in done.output and "12 runs of the most compute" in done.output
    shown = page.read_text(encoding="utf-8")
    assert "<pre" in shown and shown.count("<svg") == shown.count("<figcaption>") == 2
    ElementTree.fromstring(shown[shown.index("<svg") : shown.index("</svg>") + 6])
    outside = set(re.findall(r'(?:src|href)="(?!#|data:)([^"]*)"', shown))
    assert not outside  # a page needs nothing else


def test_the_figure_of_a_page_draws_the_runs_of_the_file(tmp_path):
    table = read_runs(write(tmp_path / "runs.csv", count=40), 2)
    kept = table.frame.query("not dropped")
    found = cohort.fitting.fit(kept["parameters"], kept["tokens"], kept["loss"])
    axes = draw_residuals(found, table.frame).axes[0]
    drawn = np.concatenate([np.asarray(points.get_offsets()) for points in axes.collections])
    assert len(drawn) == 40
    assert drawn[:38, 1] == pytest.approx(100 * np.expm1(found.residuals), abs=1e-9)
    (x, X), (y, Y) = (limits() for limits in (draw_runs(table.frame).axes[0].get_xlim, axes.get_xlim))
    assert x < kept["parameters"].min() / 1e9 < kept["parameters"].max() / 1e9 < X
    assert y < kept["ratio"].min() < kept["ratio"].max() < Y


def test_other_forms_and_dropped_rows(tmp_path):
    path = write(tmp_path / "runs.csv")
    report = fit_report(str(path), form="tied", drop=3, resamples=20)
    assert report["dropped"] == 3 and report["certificate"]["runs"] == 57
    numbers = report["law"]["coefficients"]
    assert numbers["alpha"] == numbers["beta"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("params,loss\n1,2\n", "has no column of tokens (or flop); it has params, loss"),
        ("n,d,loss\n1e9,2e10,3.1\n1e9,,3\n", "line 3: tokens is '', but must be a number above 0"),
        ("n,d,loss\n1e9,2e10,nan\n", "line 2: loss is 'nan'"),
        ('n,d,loss\n1e9,"2e10\n', "line 2: loss is ''"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_with_its_line(text, message, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=re.escape(message)):
        read_runs(path)


def test_a_page_shows_names_as_text(tmp_path):
    path, page = write(tmp_path / "<b>x.csv"), tmp_path / "law.html"
    CliRunner().invoke(main, ["fit", str(path), "--resamples", "10", "--html", str(page)])
    assert "<b>" not in page.read_text(encoding="utf-8")
