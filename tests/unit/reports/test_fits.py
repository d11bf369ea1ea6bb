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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_page_shows_names_as_text(tmp_path):
    path, page = write(tmp_path / "<b>x.csv"), tmp_path / "law.html"
    CliRunner().invoke(main, ["fit", str(path), "--resamples", "10", "--html", str(page)])
    assert "<b>" not in page.read_text(encoding="utf-8")


def spelled(path, heads, row, divider=","):
    """Write runs of a known law in a spelling of their own."""
    rng = np.random.default_rng(0)
    n, d = np.exp(rng.uniform(18, 23, 40)), np.exp(rng.uniform(21, 26, 40))
    rows = [divider.join(row(*each)) for each in zip(n, d, LAW.loss(n, d), strict=True)]
    path.write_text("\n".join([divider.join(heads), *rows]) + "\n", encoding="utf-8-sig")
    return read_runs(path).frame.sort_values("parameters")[["parameters", "tokens", "loss"]]


COMMA = lambda value: f"{value:.9f}".replace(".", ",")  # noqa: E731
PLAIN = ["params", "tokens", "loss"]
SPELLINGS = {
    "semicolons and decimal commas": (
        ["Params (M)", "Tokens (B)", "Loss (nats)"],
        lambda n, d, y: [COMMA(n / 1e6), COMMA(d / 1e9), COMMA(y)],
        ";",
    ),
    "tabs": (PLAIN, lambda n, d, y: [f"{n:.9e}", f"{d:.9e}", f"{y:.9f}"], "\t"),
    "units in cells": (PLAIN, lambda n, d, y: [f"{n / 1e9:.9f}B", f"{d / 1e12:.12f} T", f"{y:.9f}"], ","),
    "units in heads": (
        ["params_b", "tokens [billions]", "val_loss"],
        lambda n, d, y: [f"{n / 1e9:.9f}", f"{d / 1e9:.9f}", f"{y:.9f}"],
        ",",
    ),
    "thousands": (PLAIN, lambda n, d, y: [f'"{n:,.3f}"', f'"{d:,.3f}"', f"{y:.9f}"], ","),
    "perplexity": (
        ["non_embedding_params", "tokens", "perplexity"],
        lambda n, d, y: [f"{n:.9e}", f"{d:.9e}", f"{np.exp(y):.9f}"],
        ",",
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_file_is_read_in_any_usual_spelling(name, tmp_path):
    plain = spelled(tmp_path / "plain.csv", PLAIN, lambda *each: [f"{value:.12g}" for value in each])
    found = spelled(tmp_path / "runs.csv", *SPELLINGS[name])
    np.testing.assert_allclose(found, plain, rtol=1e-7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "params,tokens,loss\n7,140,3.1\n13,260,3\n",
            "parameters are at most 13; where they are in millions",
        ),
        (
            "params,tokens (words),loss\n1e9,2e10,3\n",
            "tokens has the unit 'words', but may have K, M, B or T",
        ),
        ("params,tokens,loss (bits)\n1e9,2e10,3\n", "loss has the unit 'bits', but may have nats per token"),
        ("params,tokens,ppl\n1e9,2e10,0.9\n", "line 2: perplexity is 0.9, but must be above 1"),
        ("params,tokens,loss\n1e9,2e10,0\n", "line 2: loss is '0', but must be a number above 0"),
        ("params,tokens,loss\n1e9,2e10,-1\n", "line 2: loss is '-1'"),
        ('params,tokens,loss\n1e9,2e10,"3,1"\n', "line 2: loss is '3,1'"),
        ("flops,loss\n1e20,3\n", "has no column of parameters"),
    ],
)
def test_what_cannot_be_meant_is_named(text, message, tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=re.escape(message)):
        read_runs(path)


@pytest.mark.slow
def test_a_report_names_what_is_flat_and_which_rows_repeat(tmp_path):
    rng = np.random.default_rng(0)
    d = np.exp(rng.uniform(21, 26, 30))
    losses = LAW.loss(np.full(30, 1e9), d) * np.exp(0.003 * rng.standard_normal(30))
    rows = [f"1e9,{tokens:.6g},{loss:.6g}" for tokens, loss in zip(d, losses, strict=True)]
    path, out, page = tmp_path / "one.csv", tmp_path / "one.json", tmp_path / "one.html"
    path.write_text("\n".join(["params,tokens,loss", *rows, rows[0]]) + "\n", encoding="utf-8")
    arguments = ["fit", str(path), "--resamples", "50", "--json", str(out), "--html", str(page)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text(encoding="utf-8"))
    assert set(report["flat"]["coefficients"]) == {"E", "A", "alpha"} and report["repeated"] == 1
    assert report["profiles"]["alpha"]["words"] == "any value"
    assert report["profiles"]["alpha"]["high"] is None  # JSON has no infinity
    for text in (done.output, page.read_text(encoding="utf-8")):
        assert "all runs have one size" in text and "alpha: the runs allow any value" in text
        assert "1 row repeats another" in text
    assert cohort.law(str(out)).beta == pytest.approx(LAW.beta, abs=0.1)
