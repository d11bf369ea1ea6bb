"""A page that shows the runs of a sweep side by side: their results in a table, and each figure of all runs.

The page is one file that needs no other: drawings are inlined as images, so that ids in them cannot clash.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from typing import Any

from cohort.runner.notebook.document import Notebook
from cohort.runner.sweeps.plan import Plan, value_text
from cohort.runner.sweeps.store import FAILED, Row

_STYLE = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid #8888; padding: .25rem .75rem; text-align: right; vertical-align: top; }
th:first-child, td.words { text-align: left; }
td.words { min-width: 8rem; }
.runs { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
figure { margin: 0; }
img { background: #fff; box-sizing: border-box; max-width: 100%; padding: .25rem; }
figcaption { font-size: .9rem; }
"""


_Drawing = tuple[str, str, str]  # its kind, its data in base64, what it shows in words


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
    title = html.escape(f"Sweep of {plan.notebook}")
    finished = sum(row.status != FAILED for row in rows)
    sections = "\n".join(_figures(plan, rows, notebooks))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"<p>{finished} of {len(plan.sets)} runs finished.</p>\n{_table(plan, rows)}\n{sections}\n"
        "</main>\n</body>\n</html>\n"
    )


def _table(plan: Plan, rows: Sequence[Row]) -> str:
    """Return the table of the varied parameters and the single values that were recorded."""
    recorded = [
        (name, unit)
        for name, unit in dict.fromkeys(
            (name, row.record[name]["unit"]) for row in rows for name in row.record
        )
        if not any(isinstance(_recorded(row, name), list) for row in rows)
    ]
    names = plan.varied or plan.parameters
    heads = ["run", *names, "status", *(f"{name} [{unit}]" if unit else name for name, unit in recorded)]
    lines = [
        '<div class="wide" tabindex="0" role="region" aria-label="Results of the runs">',
        "<table>",
        "<thead><tr>"
        + "".join(f'<th scope="col">{html.escape(head)}</th>' for head in heads)
        + "</tr></thead>",
        "<tbody>",
    ]
    for row in rows:
        varied = "".join(f"<td>{html.escape(value_text(row.parameters[name]))}</td>" for name in names)
        said = html.escape(f"{row.status}: {row.error}" if row.error else row.status)
        values = "".join(f"<td>{html.escape(_shown(_recorded(row, name)))}</td>" for name, _ in recorded)
        lines.append(
            f'<tr><th scope="row">{_link(row)}</th>{varied}<td class="words">{said}</td>{values}</tr>'
        )
    return "\n".join([*lines, "</tbody>", "</table>", "</div>"])


def _recorded(row: Row, name: str) -> Any:
    return row.record[name]["value"] if name in row.record else None


def _link(row: Row) -> str:
    return f'<a href="{row.notebook}">{row.run}</a>' if row.notebook else str(row.run)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else value or ""


def _figures(plan: Plan, rows: Sequence[Row], notebooks: Sequence[Notebook | None]) -> Iterator[str]:
    """Yield a section for each figure, with the drawing of each run."""
    drawn = [dict(_drawings(notebook)) if notebook else {} for notebook in notebooks]
    for name, caption in dict.fromkeys(key for found in drawn for key in found):
        yield f'<h2>{html.escape(name)}</h2>\n<p>{html.escape(caption)}</p>\n<div class="runs">'
        for row, found in zip(rows, drawn, strict=True):
            if (name, caption) in found:
                kind, data, alt = found[name, caption]
                label = html.escape(plan.label(row.run))
                said = html.escape(f"{alt} ({plan.label(row.run)})")
                image = f'<img src="data:{kind};base64,{data}" alt="{said}">'
                yield f"<figure>{image}<figcaption>{label}</figcaption></figure>"
        yield "</div>"


def _drawings(notebook: Notebook) -> Iterator[tuple[tuple[str, str], _Drawing]]:
    """Yield the figures of a notebook: by name and caption the first drawing of a cell that has both."""
    for cell in notebook["cells"]:
        described = cell["metadata"].get("mystnb", {})
        figure = described.get("figure", {})
        data = [output.get("data", {}) for output in cell.get("outputs", ())]
        found = next(filter(None, map(_drawing, data)), None)
        if figure.get("name") and found:
            alt = str(described.get("image", {}).get("alt", ""))
            yield (str(figure["name"]), str(figure.get("caption", ""))), (*found, alt)


def _drawing(data: dict[str, Any]) -> tuple[str, str] | None:
    if "image/svg+xml" in data:
        return "image/svg+xml", base64.b64encode(data["image/svg+xml"].encode()).decode()
    if "image/png" in data:
        return "image/png", "".join(data["image/png"].split())
    return None
