"""An answer as HTML: what the built page shows of the defaults, and what the live panel puts in its place."""

from __future__ import annotations

from html import escape

from cohort.errors.arguments import explain
from cohort.panels.answers import Answer, Drawing, Number


def answer_html(found: Answer) -> str:
    """Return an answer as HTML.

    Parameters
    ----------
    found : Answer
        Of `cohort.panels.asking.ask`.

    Returns
    -------
    str
        All text in it is escaped, a pasted name too.
    """
    said = [escape(sentence) for sentence in found.sentences]
    numbers = "".join(map(_number, found.numbers))
    drawings = "".join(map(_drawing, found.drawings))
    further = "".join(f"<p>{sentence}</p>" for sentence in said[1:])
    return (
        f'<p class="panel-said">{said[0]}</p><dl class="panel-numbers">{numbers}</dl>'
        f"{drawings}{further}{_table(found)}"
    )


def _number(one: Number) -> str:
    note = f"<small>{escape(one.note)}</small>" if one.note else ""
    return f"<div><dt>{escape(one.label)}</dt><dd>{escape(one.text)}{note}</dd></div>"


def _drawing(one: Drawing) -> str:
    caption = f"<figcaption>{escape(one.caption)}</figcaption>"
    return f'<figure class="panel-figure" data-name="{escape(one.name)}">{one.svg}{caption}</figure>'


def _table(found: Answer) -> str:
    """Return the table behind a line that opens it; nothing where there is none."""
    if not found.table:
        return ""
    heads, *rows = found.table
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td class="number">{escape(each)}</td>' for each in row[1:])
        + "</tr>"
        for row in rows
    )
    summary = f"<summary>{escape(found.table_caption)}</summary>"
    table = f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<details class="panel-table" open>{summary}{table}</details>'


explain(__name__)
