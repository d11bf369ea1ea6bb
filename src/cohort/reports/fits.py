"""A law fitted to a reader's own runs on one screen, as JSON, and as a page."""

from __future__ import annotations

import html
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from cohort.display.words import counted, scaled
from cohort.errors import ParameterError, integer
from cohort.errors.arguments import explain
from cohort.errors.names import listed
from cohort.fitting import FORMS, Fit, fit, predicted
from cohort.fitting.bootstrap import MOST_DRAWN
from cohort.fitting.run_tables import RunTable, read_runs
from cohort.scaling.saved_laws import saved

LEVEL = 0.95
STYLE = (
    "body{max-width:44em;margin:auto;padding:0 1em;font-family:sans-serif}figure{margin:1em 0}"
    "figure svg{width:100%;height:auto}pre{white-space:pre-wrap}"
)
AHEAD = (1.0, 10.0)  # times the largest compute of the runs at which advice is given


def show_fit(path: str, as_json: str | None, as_html: str | None, **asked: Any) -> None:
    """Fit a law to the runs of a file, print it, and write it where that is asked for.

    Parameters
    ----------
    path : str
        A CSV file of runs.
    as_json, as_html : str or None
        Where the law and its report are written.
    **asked
        As `fit_report` takes them.

    Raises
    ------
    CohortError
        If the file holds no runs that determine a law, or a file cannot be written.
    """
    report, drawn = _reported(path, **asked)
    click.echo("\n".join(report_lines(report)))
    for target, text in (
        (as_json, json.dumps(report, indent=1) + "\n" if as_json else ""),
        (as_html, report_page(report, pictures(*drawn)) if as_html else ""),
    ):
        if target:
            try:
                Path(target).write_text(text, encoding="utf-8")
            except OSError as error:
                raise ParameterError(f"{target} cannot be written: {error.strerror}") from None


def fit_report(
    path: str,
    form: str = "chinchilla",
    loss: str = "huber",
    drop: int = 0,
    hold_out: float = 0.0,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the law of the runs of a file with its certificate, intervals, errors and advice.

    Parameters
    ----------
    path : str
        A CSV file of runs, as `cohort.fitting.run_tables.read_runs` takes it.
    form, loss : str
        As `cohort.fitting.fit` takes them.
    drop : int
        Runs of the highest losses that are left out.
    hold_out : float
        Share of the runs, those of the most compute, that are predicted from the rest.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        ``law`` as `cohort.law` reads it; ``columns`` and ``units``; ``certificate``; ``intervals`` of each
        coefficient, conditional on what is held; ``lost`` resamples; ``flat`` coefficients, those of them
        that are held, and why; ``profiles`` of what is flat or open on a side, with ends of None where the
        runs set none; ``range``; ``repeated`` rows; ``worst`` residuals;
        ``advice`` at one and ten times the largest compute; ``held_out`` errors.

    Raises
    ------
    CohortError
        If the runs do not determine a law.
    """
    return _reported(path, form, loss, drop, hold_out, resamples, seed)[0]


def _reported(
    path: str,
    form: str = "chinchilla",
    loss: str = "huber",
    drop: int = 0,
    hold_out: float = 0.0,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[dict[str, Any], tuple[Fit, pd.DataFrame]]:
    """Return a report, and the fit and the runs that its figures draw."""
    table = read_runs(path, integer("drop", drop, 0))
    found = _fit(table, form, loss)
    most = max(2, MOST_DRAWN // len(found.runs.losses))  # a large file has fewer resamples, not none
    boot = found.bootstrap(min(integer("resamples", resamples, 2), most), seed)
    report = {
        "law": saved(found.law),
        "formula": FORMS[form].title,
        "file": Path(path).name,
        "columns": table.columns,
        "repeated": int(table.frame.duplicated(["parameters", "tokens", "loss"]).sum()),
        "dropped": int(table.frame["dropped"].sum()),
        "certificate": found.certificate(),
        "intervals": {name: boot.interval(name, LEVEL) for name in found.law.coefficients()},
        "lost": [boot.lost, boot.lost + len(boot.laws)],
        "flat": {"coefficients": list(found.flat), "held": list(found.held), "why": found.why_flat},
        "profiles": _profiles(found),
        "range": found.range(),
        "worst": _worst(found),
        "advice": _advice(found, boot),
        "held_out": _held_out(table, form, loss, hold_out),
    }
    return report, (found, table.frame)


def _fit(table: RunTable, form: str, loss: str) -> Fit:
    kept = table.frame[~table.frame["dropped"]]
    further: dict[str, Any] = {name: kept[name] for name in ("unique_tokens", "bits") if name in kept}
    weights = kept.get("weight")
    return fit(kept["parameters"], kept["tokens"], kept["loss"], loss, form=form, weights=weights, **further)


def _profiles(found: Fit) -> dict[str, dict[str, Any]]:
    """Return the profile of each coefficient that the runs leave open; JSON has no infinity."""
    return {
        name: {
            "low": each.low if math.isfinite(each.low) else None,
            "high": each.high if math.isfinite(each.high) else None,
            "level": each.level,
            "words": each.words,
        }
        for name, each in found.open_ends(LEVEL).items()
    }


def _worst(found: Fit, count: int = 3) -> list[dict[str, float]]:
    """Return the runs that lie furthest from the law."""
    order = np.argsort(-np.abs(found.residuals), kind="stable")[:count]
    runs = found.runs
    return [
        {
            "parameters": float(runs.parameters[k]),
            "tokens": float(runs.tokens[k]),
            "loss": float(runs.losses[k]),
            "error": float(np.expm1(found.residuals[k])),
        }
        for k in order
    ]


def _advice(found: Fit, boot: Any) -> list[dict[str, Any]]:
    if found.form in ("compute", "repeated", "overfitting", "precision"):
        return []
    advice = []
    for times in AHEAD:
        flop = times * found.range()["flop"][1]
        best = found.law.compute_optimal(flop)
        some = type(boot)(boot.laws[:200] if found.form != "chinchilla" else boot.laws)
        advice.append(
            {
                "flop": flop,
                "parameters": best.parameters,
                "tokens": best.tokens,
                "tokens_per_parameter": best.tokens_per_parameter,
                "interval": some.interval("tokens_per_parameter", LEVEL, flop=flop),
                "outside": found.outside(best.parameters, best.tokens),
            }
        )
    return advice


def _held_out(table: RunTable, form: str, loss: str, share: float) -> dict[str, float] | None:
    """Return how the runs of the most compute are predicted by a law of the others."""
    if not share:
        return None
    if not 0 < share < 1:
        raise ParameterError(f"hold-out is {share:g}, but must be above 0 and below 1")
    frame = table.frame[~table.frame["dropped"]]
    cut = frame["flop"].quantile(1 - share)
    rest, last = frame[frame["flop"] <= cut], frame[frame["flop"] > cut]
    if not len(last):
        raise ParameterError("hold-out leaves no run to predict: the largest computes are all the same")
    law = _fit(RunTable(rest, table.columns), form, loss).law
    errors = last["loss"].to_numpy() / predicted(law, last) - 1
    return {
        "runs": len(last),
        "median_absolute_error": float(np.median(np.abs(errors))),
        "median_error": float(np.median(errors)),
    }


def report_lines(report: dict[str, Any]) -> list[str]:
    """Return a report as lines of text.

    Parameters
    ----------
    report : dict
        As `fit_report` returns it.

    Returns
    -------
    list of str
        Lines.
    """
    found, coefficients = report["certificate"], report["law"]["coefficients"]
    lines = [
        f"{report['file']}: {counted(found['runs'], 'run')}, {report['dropped']} dropped",
        "columns    " + ", ".join(f"{name} = {head}" for name, head in report["columns"].items()),
        "units      parameters, tokens, FLOP, nats per token",
        f"law        L = {report['formula']}",
    ]
    if report["repeated"]:
        rows = counted(report["repeated"], "row repeats", "rows repeat")
        lines.insert(1, f"repeated   {rows} another; each counts, and makes the intervals too narrow")
    for name, value in coefficients.items():
        low, high = report["intervals"].get(name, (value, value))
        sure = "open, see below" if name in report["flat"]["coefficients"] else f"95% {low:.4g} to {high:.4g}"
        lines.append(f"{name:>10} = {value:.6g}   {sure}")
    lines += _flat_lines(report)
    lost, tried = report["lost"]
    lines += [
        f"minimum    {found['estimator']} {found['objective']:.10g}, gradient {found['gradient_norm']:.1e}, "
        f"curvature {found['smallest_eigenvalue']:.1e}",
        f"searches   {found['starts_agreeing']} of {found['starts']} agree; {lost} of {tried} resamples lost",
        f"error      {100 * found['median_error']:.2f}% at the median",
    ]
    lines += [
        f"far off    {scaled(run['parameters'])} parameters, {scaled(run['tokens'])} tokens: "
        f"{100 * run['error']:+z.1f}%"
        for run in report["worst"]
    ]
    lines += map(_advice_line, report["advice"])
    if report["held_out"]:
        ahead = report["held_out"]
        lines.append(
            f"held out   {counted(ahead['runs'], 'run')} of the most compute: "
            f"{100 * ahead['median_absolute_error']:.2f}% off at the median "
            f"({100 * ahead['median_error']:+z.2f}%)"
        )
    return lines


def _flat_lines(report: dict[str, Any]) -> list[str]:
    """Return what the runs leave open: why, and the values that they allow."""
    flat, profiles = report["flat"], report["profiles"]
    lines = []
    if flat["coefficients"]:
        lines.append(f"flat       {listed(flat['coefficients'])}: {flat['why']}")
    if flat["held"]:
        held = f"held at the value shown: {listed(flat['held'])}; other values fit as well"
        lines.append(f"           {held}, and advice that rests on them says nothing")
    lines += [
        f"{'flat' if name in flat['coefficients'] else 'open':11}{name}: the runs allow {each['words']} "
        f"({100 * each['level']:.0f}% profile)"
        for name, each in profiles.items()
    ]
    return lines


def _advice_line(best: dict[str, Any]) -> str:
    low, high = best["interval"]
    beyond = ", outside the runs" if best["outside"] else ""
    return (
        f"advice     at {best['flop']:.3g} FLOP: {scaled(best['parameters'])} parameters, "
        f"{scaled(best['tokens'])} tokens, {best['tokens_per_parameter']:.3g} each "
        f"({low:.3g} to {high:.3g}){beyond}"
    )


def pictures(found: Fit, frame: pd.DataFrame) -> dict[str, str]:
    """Return the figures of a fit as SVG, each by what it shows.

    Parameters
    ----------
    found : Fit
        The fit.
    frame : DataFrame
        Its runs, as `cohort.fitting.run_tables.read_runs` returns them.

    Returns
    -------
    dict of str to str
        Caption to SVG element.
    """
    from cohort.display.theme import use_theme
    from cohort.reports.fit_figures import draw_residuals, draw_runs

    use_theme()
    left_out = "; crosses were left out" if frame["dropped"].any() else ""
    drawings = {
        f"How far the loss of each run is from the law, by its tokens per parameter{left_out}.": (
            draw_residuals(found, frame)
        ),
        f"The runs by size and tokens; grey lines join equal compute in FLOP{left_out}.": draw_runs(frame),
    }
    found_pictures = {}
    for caption, drawing in drawings.items():
        text = io.StringIO()
        drawing.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None})
        svg = text.getvalue()
        found_pictures[caption] = svg[svg.index("<svg") :].rstrip()
    return found_pictures


def report_page(report: dict[str, Any], drawn: Mapping[str, str] | None = None) -> str:
    """Return a report as a page of HTML that needs nothing else.

    Parameters
    ----------
    report : dict
        As `fit_report` returns it.
    drawn : mapping of str to str, optional
        Figures, as `pictures` returns them.

    Returns
    -------
    str
        The page.
    """
    text = html.escape("\n".join(report_lines(report)))
    title = html.escape(f"A law for {report['file']}")
    figures = "".join(
        f'<figure role="img" aria-label="{html.escape(caption)}">{svg}'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>\n"
        for caption, svg in (drawn or {}).items()
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n"
        f"{figures}<pre>{text}</pre>\n</body>\n</html>\n"
    )


explain(__name__)
