"""What holds of an executed chapter under any parameters: of its sentences, its tables and its figures."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

Notebook = dict[str, Any]

_HIDDEN = re.compile(r"`[^`]*`|\]\([^)]*\)|https?://\S+|<[^>]+>|\$\$.+?\$\$|\$[^$\n]+\$|```.*?```", re.DOTALL)
_ROW = re.compile(r"<tr.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)

_UNITS = (
    r"(?:[KMGT]i?B|T?FLOPs?|k?Wh|k?g|m?L|t|ms|s|h|USD|nats|billion|trillion|million|days?|years?|hours?|%)"
)
# Nouns that chapters count. Any other noun that follows a wrong number is found by its last letter.
_COUNTED = (
    "accelerator answer bit byte change choice claim copy card day device dollar expert figure gram group head hour"
    " kind layer line log machine maker measurement model month node number pair parameter place point promise rack"
    " range report request resample row rule run sequence server set step study table time token value way week"
    " weight word year"
)
_SINGULAR = "|".join(_COUNTED.split())
# Words that end in s and may follow a one.
_ONE = "is was has does lies as its this less plus always across us times-? bus gas class loss basis axis"

FAULTS = {
    "no number": r"\b(?:nan|NaN|inf|NaT|infinity)\b|\bNone\b(?! (?:of|is|are|has|was|were|lies|fits|names))|∞|<NA>",
    "nothing in brackets": r"\(\s*\)|\[\s*\](?!\()",
    "zero of zero": r"\b0 of (?:the )?0\b|\b0 out of 0\b|\bof (?:the )?0 [a-z]+s\b",
    "one of one": r"\b1 of (?:the )?1\b(?![,.]\d)|\ball 1\b(?![,.]\d)|\beach of the 1\b|\bthe 1 [a-z]+\b",
    "plural of one": rf"(?<![\d.,/-])(?<!\^)(?<!per )\b1 (?!(?:{'|'.join(_ONE.split())})\b)[a-z]{{3,}}s\b(?!-)",
    "singular of many": rf"(?<![\d.,/-])(?:[2-9]|[1-9][\d,]*\d|0) (?:{_SINGULAR})\b(?!-)",
    "zero with a unit": rf"(?<![\d.,])[-+−]?0(?:\.0+)? {_UNITS}(?![\w/])(?! per)",
    "negative zero": r"(?<![\w.])[-−]0(?:\.0*)?(?![\d.])\b",
    "exponent": r"\d[eE][-+]?\d",
    "digits run together": r"(?<![\d.,#/^_-])\d{5,}(?![\d-])",
    "too many digits": r"\d,\d{3}\.\d|\b\d{4,}\.\d",
    "number on number": r"\b\d{1,3}(?:,\d{3})+ (?:thousand|million|billion|trillion)\b",
    "from a to a": r"\b(\d[\d,.]*)(?: ?%| \w+)?(?: to |–| and then )\1(?![\d.,]*\d)\b",
    "a machine's name": r"\b[a-z]+[a-z0-9]*_[a-z0-9_]+\b",
    "less by a negative": r"\b(?:less|more|lower|higher|smaller|larger|worse|better|short|long|slower|faster)\w* by (?:about )?[-−]\d",
    "twice the same word": r"\b([a-z]{2,}) \1\b(?<!that that)(?<!had had)",
    "spaces or stops": r"[^\s|.]  +\S|(?<!\.) [,.;](?!\d)|,,|(?<!\.)\.\.(?!\.)|, *\.|;\.|:\.",
    "an object": r"<[a-z_.]+ object|\bSeries\b|\bdtype:|np\.float|\bTrue\b|\bFalse\b|\{\}",
}
_FAULTS = {kind: re.compile(pattern) for kind, pattern in FAULTS.items()}
# What tables may hold and sentences not.
_IN_TABLES = {
    "zero with a unit",
    "too many digits",
    "spaces or stops",
    "twice the same word",
    "exponent",
    "from a to a",
    "singular of many",
    "plural of one",
}


def said(notebook: Notebook) -> dict[str, str]:
    """Return what each cell of a notebook says, by the cell."""
    found: dict[str, str] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            text = output.get("data", {}).get("text/markdown")
            if text:
                found[cell["id"]] = found.get(cell["id"], "") + "\n" + "".join(text)
    return found


def tables(notebook: Notebook) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the tables of a notebook, each with its cell: rows of cells, the head among them."""
    for cell in notebook["cells"]:
        if "remove-cell" in cell["metadata"].get("tags", ()):
            continue
        for output in cell.get("outputs", ()):
            text = "".join(output.get("data", {}).get("text/html", ""))
            for table in re.findall(r"<table.*?</table>", text, re.DOTALL):
                yield cell["id"], [[plain(one) for one in _CELL.findall(row)] for row in _ROW.findall(table)]


def plain(text: str) -> str:
    """Return the words of HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def prose(markdown: str) -> str:
    """Return what a reader reads of Markdown, with a mark for each address, code, tag and formula."""
    return html.unescape(_HIDDEN.sub("§", markdown).replace("[", "").replace("\\", ""))


def html_words(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Yield what a notebook says in HTML outside of tables."""
    for cell in notebook["cells"]:
        if "remove-cell" in cell["metadata"].get("tags", ()):
            continue
        for output in cell.get("outputs", ()):
            text = "".join(output.get("data", {}).get("text/html", ""))
            rest = re.sub(r"<(style|script|svg|table|math|code|pre)\b.*?</\1>", " ", text, flags=re.DOTALL)
            for part in re.split(
                r"</?(?:p|li|div|dt|dd|summary|details|h\d|td|th|tr|br|dl|ul|ol)\b[^>]*>", rest
            ):
                if plain(part):
                    yield cell["id"], plain(part)


def faults(notebook: Notebook, figures: list[dict[str, Any]] = ()) -> list[tuple[str, str, str]]:
    """Return what is wrong with an executed chapter: where, of what kind, and the words around it."""
    found = []
    for cell, text in [*said(notebook).items()]:
        found += [(cell, kind, around) for kind, around in _wrong(prose(text))]
    for cell, text in html_words(notebook):
        found += [(cell, kind, around) for kind, around in _wrong(text)]
    for cell, rows in tables(notebook):
        if len(rows) < 2:
            found.append((cell, "a table with a head alone", str(rows)))
        for row in rows:
            for one in row:
                found += [
                    (cell, f"table: {kind}", around) for kind, around in _wrong(one) if kind not in _IN_TABLES
                ]
    for number, figure in enumerate(figures):
        for text in figure["texts"]:
            found += [
                (f"figure {number}", f"figure: {kind}", around)
                for kind, around in _wrong(text.replace("$", ""))
                if kind not in {"spaces or stops"}
            ]
        found += [
            (f"figure {number}", "labels over each other", " / ".join(pair)) for pair in figure["overlaps"]
        ]
        found += [(f"figure {number}", "one tick label", one) for one in figure["unscaled"]]
    return found


def _wrong(text: str) -> Iterator[tuple[str, str]]:
    for kind, pattern in _FAULTS.items():
        for match in pattern.finditer(text):
            yield kind, text[max(0, match.start() - 70) : match.end() + 50].replace("\n", " ")
