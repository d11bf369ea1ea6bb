"""A footprint from a log on one screen, and as a page, JSON, CSV or Markdown."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cohort.display.words import counted, mass, significant
from cohort.errors import ParameterError, one_of
from cohort.errors.arguments import explain
from cohort.errors.cells import inert
from cohort.footprint.logged_runs import LoggedRun, from_log
from cohort.reports.report_rows import NOT_ASSESSED, About, Cell, Report, as_records, disclosures
from cohort.units import WH_PER_KWH

CSV_HEADS = ("report", "row", "value", "unit", "low", "high", "status", "method", "sources")


def show_footprint(paths: Sequence[str], out: str | None, as_json: bool, about: About, **asked: Any) -> None:
    """Print the footprint of a log, and write its reports where that is asked for.

    Parameters
    ----------
    paths : sequence of str
        The logs of one run.
    out : str or None
        Where the reports go: a file in HTML, JSON, CSV or Markdown, by its suffix.
    as_json : bool
        Print JSON instead of text.
    about : About
        What the log does not hold.
    **asked
        As `cohort.footprint.from_log` takes them.

    Raises
    ------
    CohortError
        If the log cannot be read, or the file cannot be written.
    """
    if out is not None:
        one_of("suffix of the report", Path(out).suffix, WRITERS)
    run = from_log(list(paths), **asked)
    reports = disclosures(run, about)
    click.echo(json_text(run, reports) if as_json else "\n".join(footprint_lines(run)))
    if out is not None:
        try:
            Path(out).write_text(WRITERS[Path(out).suffix](run, reports), encoding="utf-8", newline="")
        except OSError as error:
            raise ParameterError(f"{out} cannot be written: {error.strerror}") from None


def energy_text(kwh: float) -> str:
    """Return an energy in Wh, kWh or MWh.

    Parameters
    ----------
    kwh : float
        In kWh.

    Returns
    -------
    str

    Examples
    --------
    >>> energy_text(0.0146), energy_text(95.06), energy_text(11749)
    ('14.6 Wh', '95.1 kWh', '11.7 MWh')
    """
    if kwh < 1:
        return f"{significant(kwh * WH_PER_KWH)} Wh"
    return f"{significant(kwh)} kWh" if kwh < WH_PER_KWH else f"{significant(kwh / WH_PER_KWH)} MWh"


def footprint_lines(run: LoggedRun) -> list[str]:
    """Return a run and its footprint as lines of text.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    list of str
        What was metered, what was added, the sums with their ranges, and what is missing or odd.
    """
    whole, about = run.footprint, run.footprint.provenance
    assert about is not None
    devices = ", ".join(
        f"{each.number} x {each.device.name} {significant(each.hours)} h" for each in run.groups
    )
    lines = [
        f"{', '.join(run.log.files)}: {', '.join(run.log.layouts)}, "
        f"{counted(len(run.log.channels), 'channel')}, {significant(run.log.duration_hours)} h",
        f"devices    {devices or 'no accelerator'}",
        f"metered    {energy_text(run.measured_kwh)}",
        f"boundary   {whole.boundary}",
    ]
    lines += [
        f"  {part.status:<11}{part.name:<24}{energy_text(part.energy_kwh):>10}{mass(part.co2e_kg):>10}"
        for part in run.parts()
    ]
    for head, name, told, unit in (
        ("energy", "energy_kwh", energy_text, ""),
        ("co2e", "co2e_kg", mass, ", by location"),
        ("", "co2e_market_kg", mass, ", by market"),
        ("water", "water_l", _litres, ""),
    ):
        low, high = about.interval(name)
        central = told(float(getattr(whole, name)))
        lines.append(f"{head:<11}{central}{unit} ({told(low)} to {told(high)})")
    factor = about.factors["grid_g_per_kwh"].central
    lines.append(
        f"place      {about.grid.place}, {about.grid.year}: {significant(factor)} g/kWh ({about.grid.source})"
    )
    for name, value in run.log.reported:
        unit = "kWh" if name == "energy_kwh" else "kg CO2e"
        lines.append(f"the log's program itself computed {significant(value)} {unit}")
    lines += [f"added: {sentence}" for sentence in about.assumed]
    lines += [f"found: {sentence}" for sentence in run.log.findings]
    return lines


def _litres(volume: float) -> str:
    return f"{significant(volume)} L"


def record_of(run: LoggedRun, reports: tuple[Report, ...]) -> Mapping[str, Any]:
    """Return a run and its reports as plain values.

    Parameters
    ----------
    run : LoggedRun
        The run.
    reports : tuple of Report
        As `disclosures` returns them.

    Returns
    -------
    dict
        ``log``, ``devices``, ``parts``, ``footprint`` and ``reports``, which ``json.dumps`` takes.
    """
    return {
        "log": {
            "files": list(run.log.files),
            "layouts": list(run.log.layouts),
            "clock": run.log.clock,
            "hours": run.log.duration_hours,
            "measured_kwh": run.measured_kwh,
            "reported": dict(run.log.reported),
            "findings": list(run.log.findings),
        },
        "devices": [
            {
                "name": each.device.name, "number": each.number, "hours": each.hours,
                "energy_kwh": each.energy_kwh,
            }
            for each in run.groups
        ],
        "parts": [
            {
                "name": each.name, "energy_kwh": each.energy_kwh, "co2e_kg": each.co2e_kg,
                "status": each.status, "factor": each.factor,
            }
            for each in run.parts()
        ],
        "footprint": run.footprint.as_dict(),
        "reports": as_records(reports),
    }  # fmt: skip


def json_text(run: LoggedRun, reports: tuple[Report, ...]) -> str:
    """Return a run and its reports as JSON.

    Parameters
    ----------
    run : LoggedRun
        The run.
    reports : tuple of Report
        As `disclosures` returns them.

    Returns
    -------
    str
    """
    return json.dumps(record_of(run, reports), indent=1, ensure_ascii=False)


def csv_text(run: LoggedRun, reports: tuple[Report, ...]) -> str:
    """Return the reports as CSV, a cell a row; no cell is a live formula.

    Parameters
    ----------
    run : LoggedRun
        The run.
    reports : tuple of Report
        As `disclosures` returns them.

    Returns
    -------
    str
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEADS)
    for record in as_records(reports):
        cells = {**record, "sources": ", ".join(record["sources"])}
        writer.writerow([inert(cells[head]) for head in CSV_HEADS])
    return text.getvalue()


def _shown(cell: Cell) -> tuple[str, str]:
    """Return the value and the range of a cell in words."""
    if cell.value is None:
        return NOT_ASSESSED, ""
    if isinstance(cell.value, str):
        return cell.value, ""
    value = cell.with_unit(significant(cell.value))
    if cell.low is None or cell.high is None:
        return value, ""
    return value, f"{significant(cell.low)} to {significant(cell.high)}"


KEYS = "Sources are keys of the bibliography of A Cohort of Models, and the files of the log."
HEADS = ("What is asked", "Value", "Range", "Status", "Method", "Sources")


def _rows(cells: Sequence[Cell]) -> list[tuple[str, ...]]:
    return [(cell.row, *_shown(cell), cell.status, cell.method, ", ".join(cell.sources)) for cell in cells]


def markdown_text(run: LoggedRun, reports: tuple[Report, ...]) -> str:
    """Return the reports as Markdown: a table each, after what was found in the log.

    Parameters
    ----------
    run : LoggedRun
        The run.
    reports : tuple of Report
        As `disclosures` returns them.

    Returns
    -------
    str
    """
    lines = ["# Footprint by log", ""]
    lines += [f"- {_plain(line)}" for line in _about(run)]
    for _, title, cells in reports:
        lines += ["", f"## {title}", "", f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
        lines += [f"| {' | '.join(map(_plain, row))} |" for row in _rows(cells)]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is."""
    escaped = html.escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{mark}" if mark in "\\`*_[]|#!" else mark for mark in escaped)


def _about(run: LoggedRun) -> list[str]:
    """Return what a reader of the reports should know of the run, a sentence each."""
    about = run.footprint.provenance
    assert about is not None
    low, high = about.interval("co2e_kg")
    first = (
        f"{', '.join(run.log.files)}: {energy_text(run.measured_kwh)} were metered. Within the boundary "
        f"({run.footprint.boundary.replace('_', ' ')}) the run took "
        f"{energy_text(run.footprint.energy_kwh)} and emitted {mass(run.footprint.co2e_kg)} of CO2e by "
        f"location ({mass(low)} to {mass(high)})."
    )
    return [first, *about.assumed, *run.log.findings, KEYS]


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse;width:100%;font-size:.875rem}"
    "th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;border-bottom:1px solid #8886}"
    "div{overflow-x:auto}td:nth-child(-n+4){min-width:6rem}"
    "td:last-child{overflow-wrap:anywhere;min-width:12rem}"
)


def html_text(run: LoggedRun, reports: tuple[Report, ...]) -> str:
    """Return the reports as a page that needs nothing else; every name is escaped.

    Parameters
    ----------
    run : LoggedRun
        The run.
    reports : tuple of Report
        As `disclosures` returns them.

    Returns
    -------
    str
    """
    title = html.escape(f"Footprint of {', '.join(run.log.files)}")
    parts = [f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in _about(run))}</ul>"]
    for key, name, cells in reports:
        head = "".join(f'<th scope="col">{each}</th>' for each in HEADS)
        body = "".join(
            f'<tr><th scope="row">{html.escape(row[0])}</th>'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
            + "</tr>\n"
            for row in _rows(cells)
        )
        table = f"<div><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>"
        parts.append(f'<h2 id="{key}">{html.escape(name)}</h2>\n{table}')
    inside = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n<h1>{title}</h1>\n{inside}\n</body>\n</html>\n"
    )


def _json_file(run: LoggedRun, reports: tuple[Report, ...]) -> str:
    return json_text(run, reports) + "\n"


WRITERS: dict[str, Callable[[LoggedRun, tuple[Report, ...]], str]] = {
    ".html": html_text,
    ".json": _json_file,
    ".csv": csv_text,
    ".md": markdown_text,
}


explain(__name__)
