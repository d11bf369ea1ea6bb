"""A page that shows the runs of a sweep: results in a table and against what varied, and each figure of all.

The page is one file that needs no other: drawings are inlined as images, so that ids in them cannot clash.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cohort.display import markup
from cohort.runner.notebook.document import Notebook
from cohort.runner.sweeps.plan import Plan, value_text
from cohort.runner.sweeps.result_charts import charts, unvaried
from cohort.runner.sweeps.store import FAILED, Row

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Drawing:
    """A figure of one run.

    Parameters
    ----------
    kind : str
        Its MIME type.
    data : str
        The drawing, in base64.
    alt : str
        What it shows, in words.
    label : str
        The run it is of.
    """

    kind: str
    data: str
    alt: str
    label: str


def page(plan: Plan, rows: Sequence[Row], notebooks: Sequence[Notebook | None]) -> str:
    """Return the page of a sweep, in HTML.

    Parameters
    ----------
    plan : Plan
        What was to run.
    rows : sequence of Row
        What has run.
    notebooks : sequence of dict or None
        The executed notebook of each row, if it has one.

    Returns
    -------
    str
    """
    figures: dict[tuple[str, str], list[Drawing]] = {}
    for row, notebook in zip(rows, notebooks, strict=True):
        for key, drawing in dict(_drawings(notebook, plan.label(row.run)) if notebook else ()).items():
            figures.setdefault(key, []).append(drawing)
    return (
        markup.template_environment(_TEMPLATES)
        .get_template("sweep.html")
        .render(
            title=f"Sweep of {plan.notebook}",
            finished=sum(row.status != FAILED for row in rows),
            planned=len(plan.sets),
            charts=charts(plan, rows),
            table=_table(plan, rows),
            same=[(name, _said(value)) for name, value in unvaried(plan, rows)],
            figures=figures,
        )
    )


def _table(plan: Plan, rows: Sequence[Row]) -> Markup:
    """Return the table of what varied and of the single recorded values that differ between runs."""
    names = plan.varied or plan.parameters
    same = {*plan.every, *(name for name, _ in unvaried(plan, rows))}
    found = dict.fromkeys((name, row.record[name]["unit"]) for row in rows for name in row.record)
    recorded = [
        (name, unit)
        for name, unit in found
        if name not in same and not any(isinstance(_recorded(row, name), list) for row in rows)
    ]
    heads = ["run", *names, "status", *(f"{name} [{unit}]" if unit else name for name, unit in recorded)]

    def cells(row: Row) -> Iterator[markup.Cell]:
        yield _link(row), {}
        for name in names:
            yield value_text(row.parameters[name]), {}
        yield f"{row.status}: {row.error}" if row.error else row.status, {"class": "words"}
        for name, _ in recorded:
            yield _shown(_recorded(row, name)), {}

    return markup.table_html([(head, {}) for head in heads], [(cells(row), {}) for row in rows], {})


def _recorded(row: Row, name: str) -> Any:
    return row.record[name]["value"] if name in row.record else None


def _said(value: Any) -> str:
    """Return what is the same in all runs: a parameter as text, a recorded value with its unit."""
    if isinstance(value, str):
        return value
    held = value["value"]
    text = value_text(held) if isinstance(held, list) else _shown(held)
    return f"{text} {value['unit']}" if value["unit"] else text


def _link(row: Row) -> object:
    return Markup('<a href="{}">{}</a>').format(row.notebook, row.run) if row.notebook else row.run


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else value or ""


def _drawings(notebook: Notebook, label: str) -> Iterator[tuple[tuple[str, str], Drawing]]:
    """Yield the figures of a notebook: by name and caption the first drawing of a cell that has both."""
    for cell in notebook["cells"]:
        described = cell["metadata"].get("mystnb", {})
        figure = described.get("figure", {})
        data = [output.get("data", {}) for output in cell.get("outputs", ())]
        found = next(filter(None, map(_drawing, data)), None)
        if figure.get("name") and found:
            alt = str(described.get("image", {}).get("alt", ""))
            yield (str(figure["name"]), str(figure.get("caption", ""))), Drawing(*found, alt, label)


def _drawing(data: dict[str, Any]) -> tuple[str, str] | None:
    if "image/svg+xml" in data:
        return "image/svg+xml", base64.b64encode(data["image/svg+xml"].encode()).decode()
    if "image/png" in data:
        return "image/png", "".join(data["image/png"].split())
    return None
