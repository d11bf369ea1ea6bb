"""What holds of an executed chapter under any parameters: of its sentences, its tables and its figures.

Each kind of fault was seen in a chapter under some reader's parameters, and is looked for in all of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

from directions import DIRECTIONS, misdirected

Notebook = dict[str, Any]
Fault = tuple[str, str, str]  # the cell or figure, the kind, and the words around it

_HIDDEN = re.compile(r"`[^`]*`|\]\([^)]*\)|https?://\S+|<[^>]+>|\$\$.+?\$\$|\$[^$\n]+\$|```.*?```", re.DOTALL)
_BLOCKS = re.compile(r"</?(?:p|li|div|dt|dd|summary|details|h\d|td|th|tr|br|dl|ul|ol)\b[^>]*>")
_APART = re.compile(r"<(style|script|svg|table|math|code|pre)\b.*?</\1>", re.DOTALL)
_TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
_ROW = re.compile(r"<tr.*?</tr>", re.DOTALL)
_TEXT = re.compile(r"<text[^>]*>([^<]*)</text>")
_CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)

_UNITS = (
    r"(?:[KMGT]i?B|T?FLOPs?|k?Wh|k?g|m?L|t|ms|s|h|USD|nats|billion|trillion|million|days?|years?|hours?|%)"
)
_COUNTED = (
    "accelerator answer bit byte change choice claim copy card day device dollar expert figure gram group "
    "head hour kind layer line log machine maker measurement model month node number pair parameter place "
    "point promise rack range report request resample row rule run sequence server set step study table time "
    "token value way week weight word year"
)
_NOUN = "|".join(_COUNTED.split())
_VERBS = (
    "is|was|has|does|lies|reads|writes|as|its|this|less|plus|always|across|us|times-?|bus|gas|class|loss|"
    "basis|axis"
)
_COMPARED = "less|more|lower|higher|smaller|larger|worse|better|shorter|longer|slower|faster"

FAULTS = {
    "no number": r"\b(?:nan|NaN|inf|NaT|infinity)\b|∞|<NA>"
    r"|\bNone\b(?! (?:of|is|are|has|was|were|lies|fits|names))",
    "nothing in brackets": r"\(\s*\)|\[\s*\](?!\()",
    "zero of zero": r"\b0 (?:out )?of (?:the )?0\b|\b[oO]f (?:the )?0 [a-z]+s\b",
    "one of one": r"\b1 of (?:the )?1\b(?![,.]\d)|\ball 1\b(?![,.]\d)|\bthe 1 [a-z]{3,}\b",
    "plural of one": rf"(?<![\d.,/^-])(?<!per )\b1 (?!(?:{_VERBS})\b)[a-z]{{3,}}s\b(?!-)",
    "singular of many": rf"(?<![\d.,/-])(?:[2-9]|[1-9][\d,]*\d|0) (?:{_NOUN})\b(?!-)",
    "zero with a unit": rf"(?<![\d.,])[-+−]?0(?:\.0+)? ?{_UNITS}(?![\w/])(?! per)",
    "negative zero": r"(?<![\w.])[-−]0(?:\.0*)?(?![\d.])\b",
    "a hyphen for a minus": r"(?<![\w.,/^{}-])-\d",
    "exponent": r"\d[eE][-+]?\d",
    "digits run together": r"(?<![\d.,#/^_-])\d{5,}(?![\d-])",
    "too many digits": r"\d,\d{3}\.\d|\b\d{4,}\.\d",
    "a size written out": r"\b\d{1,3}(?:,\d{3}){4,}",
    "number on number": r"\b\d{1,3}(?:,\d{3})+ (?:thousand|million|billion|trillion)\b",
    "from a value to itself": r"(?<![\d.,])\b(\d[\d,.]*)(?: ?%| \w+)?(?: to |–| and then )\1(?![\d.,]*\d)\b",
    "a machine's name": r"\b[a-z]+[a-z0-9]*_[a-z0-9_]+\b",
    "less by a negative": rf"\b(?:{_COMPARED}) by (?:about )?[-−]\d",
    "twice the same word": r"\b(?!that |had )([a-z]{2,}) \1\b",
    "spaces or stops": r"[^\s|.]  +\S|(?<!\.) [,.;](?!\d)|,,|(?<!\.)\.\.(?!\.)|, *\.|;\.|:\.",
    "an object": r"<[a-z_.]+ object|\bSeries\b|\bdtype:|np\.float|\bTrue\b|\bFalse\b|\{\}",
}
_FAULTS = {kind: re.compile(pattern) for kind, pattern in FAULTS.items()}
KINDS = {*FAULTS, *DIRECTIONS}

# In a table numbers stand by themselves, and names of other people's metrics as they wrote them; a worked
# problem calculates as one types it; a figure has its labels beside each other.
_IN_TABLES = {
    "no number",
    "nothing in brackets",
    "zero of zero",
    "negative zero",
    "digits run together",
    "exponent",
}
_IN_PROBLEMS = KINDS - {"exponent", "zero with a unit"}
_IN_FIGURES = KINDS - {"spaces or stops", "zero with a unit"}  # axes begin at 0%

# What this book says of its defaults and of other people's numbers to their last digit, of no parameter.
KNOWN = (
    re.compile(r"equal to within 1e-12"),
    re.compile(r"2,085\.4\d|2,979\.5|2,980 million"),  # as the papers print them, beside ours
)


def said(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Yield what each cell of a notebook says in Markdown."""
    for cell, data in _shown(notebook):
        if data.get("text/markdown"):
            yield cell, "".join(data["text/markdown"])


def _shown(notebook: Notebook) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what readers see of each cell: not the records at the end."""
    for cell in notebook["cells"]:
        if "remove-cell" not in cell["metadata"].get("tags", ()):
            for output in cell.get("outputs", ()):
                yield cell["id"], output.get("data", {})


def tables(notebook: Notebook) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the tables of a notebook, each with its cell: rows of cells, the head among them."""
    for cell, data in _shown(notebook):
        for table in _TABLE.findall("".join(data.get("text/html", ""))):
            yield cell, [[_plain(one) for one in _CELL.findall(row)] for row in _ROW.findall(table)]


def labels(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Yield what the figures of a notebook write, each text with its cell."""
    for cell, data in _shown(notebook):
        for text in _TEXT.findall("".join(data.get("image/svg+xml", ""))):
            yield cell, _plain(text)


def html_words(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Yield what a notebook says in HTML outside of its tables, a block at a time."""
    for cell, data in _shown(notebook):
        for part in _BLOCKS.split(_APART.sub(" ", "".join(data.get("text/html", "")))):
            if part and _plain(part):
                yield cell, _plain(part)


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def prose(markdown: str) -> str:
    """Return what a reader reads of Markdown, with a mark for each address, code, tag and formula."""
    return html.unescape(_HIDDEN.sub("§", markdown).replace("[", "").replace("\\", ""))


def faults(notebook: Notebook, figures: Sequence[dict[str, Any]] = ()) -> list[Fault]:
    """Return what is wrong with an executed chapter.

    `figures` is what `watched` noted of its figures, where these were drawn.
    """
    found = [(cell, *one) for cell, text in said(notebook) for one in _wrong(prose(text))]
    for cell, text in html_words(notebook):
        found += [(cell, *one) for one in _wrong(text, _IN_PROBLEMS if cell == "problems" else KINDS)]
    for cell, rows in tables(notebook):
        if len(rows) < 2:
            found.append((cell, "a table with a head alone", str(rows)))
        found += [(cell, *one) for row in rows for text in row for one in _wrong(text, _IN_TABLES)]
    for cell, text in labels(notebook):
        found += [(cell, *one) for one in _wrong(text, _IN_FIGURES)]
    for number, figure in enumerate(figures):
        place = f"figure {number}"
        words = [text.replace("$", "") for text in figure["texts"]]
        found += [(place, *one) for text in words for one in _wrong(text, _IN_FIGURES)]
        found += [(place, "labels over each other", " / ".join(pair)) for pair in figure["overlaps"]]
        found += [(place, "an axis without a scale", one) for one in figure["unscaled"]]
    return found


def _wrong(text: str, kinds: set[str] = KINDS) -> Iterator[tuple[str, str]]:
    found = [(kind, match) for kind in FAULTS if kind in kinds for match in _FAULTS[kind].finditer(text)]
    for kind, match in found + [one for one in misdirected(text) if one[0] in kinds]:
        around = text[max(0, match.start() - 70) : match.end() + 50].replace("\n", " ")
        if not any(known.search(around) for known in KNOWN):
            yield kind, around
