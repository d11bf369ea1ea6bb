"""Numerals typed by hand in Markdown: results are computed and said, never typed.

A numeral with a unit, a per cent or multiplication sign or a currency is taken for a result. A constant
quoted from a source may stand in prose if a comment after it, on its line, names the source by its key in
the bibliography; the comment vouches for the last such numeral before it::

    trained with 5.76e23 FLOP<!-- cited: hoffmann2022 -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CITED = re.compile(r"<!--\s*cited:\s*([\w:./-]+)\s*-->")


# What holds no prose: comments, code, mathematics, addresses, tags and names.
_NOT_PROSE = [
    re.compile(pattern, re.DOTALL | re.MULTILINE)
    for pattern in (
        r"<!--(?!\s*cited:).*?-->",
        # A fence is code unless it opens a directive; of the directives, these hold code or mathematics.
        r"^ *(`{3,}|~{3,})(?!\{)[^\n]*\n.*?(?:^ *\1 *$|\Z)",
        r"^ *(`{3,}|:{3,})\{(?:math|code|code-block|code-cell|bibliography)\}[^\n]*\n.*?(?:^ *\1 *$|\Z)",
        r"^ *`{3,}.*?$",
        r"(?:\{[\w:+-]+\})?(?<!`)(`+)(?!`)(?:[^\n]|\n(?!\n))+?(?<!`)\1(?!`)",
        r"\$\$.+?\$\$|\\\(.+?\\\)|\\\[.+?\\\]",
        r"(?<![\\$])\$(?![\s$])(?:[^$\n]|\n(?!\n))*?(?<![\s\\])\$(?!\d)",
        r"(?<=\])\([^()\s]*(?:\s+\"[^\"]*\")?\)|<https?:[^>]*>|https?://[^\s)>]+",
        r"</?[A-Za-z][^>]*>",
        # Names: 8x22B, 16-bit, the 1970s, and an accelerator with its memory (H100 SXM 80GB).
        r"\b\d+x\d+(?:\.\d+)?B\b|\b\d+-bit\b|\b(?:19|20)\d\ds\b",
        r"\b[A-Z]{1,3}\d{2,4}\w*(?:[ -](?:SXM\d?|PCIe|NVL))?[ -]\d+ ?GB\b",
    )
]


_DIGITS = r"(?:\d(?:[\d,]*\d)?(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"


_GAP = r"[ \u00a0\u2009\u202f-]?"


_UNITS = (
    r"%|‰|×|per ?cent\b|x(?!\w)|times\b|fold\b",
    r"[€£¥$]|(?:USD|EUR|GBP|dollars?|euros?|pounds?|cents?)\b",
    r"(?:thousand|million|billion|trillion|quadrillion)s?\b",
    r"[KMBT]?[ -]?(?:tokens?|parameters?|weights?|nats?)\b",
    r"(?:[kMGTPEZ]?(?:bits?|bytes?|FLOPs?|FLOPS|FLOP/s|Wh?|J|V|Hz)|[kKMGTPE]i?B(?:/s)?|[kKMGTPE])(?![\w-])",
    r"(?:[kmµ]?g|[kM]?t|[mk]?[lLm]|m[²³]|lit(?:re|er)s?|ton(?:ne)?s?|[kMG]?[gt]?CO2e?|°C|degrees?)(?![\w-])",
    r"(?:[mµn]?s|h|min|seconds?|minutes?|(?:\w+-)?hours?|days?|weeks?|months?|years?)(?![\w-])",
)


_TYPED = re.compile(
    rf"(?:[$€£¥×]|\b(?:USD|EUR|GBP)){_GAP}{_DIGITS}"
    rf"|(?<![\w.])(?<![A-Za-z]-){_DIGITS}{_GAP}(?:{'|'.join(_UNITS)})"
)


def typed_numbers(markdown: str) -> list[str]:
    """Return what is wrong with the numerals of a Markdown text.

    Parameters
    ----------
    markdown : str
        The text.

    Returns
    -------
    list of str
        A line for each numeral with a unit, a sign or a currency that no source vouches for, and for each
        ``<!-- cited: key -->`` without such a numeral before it on its line.
    """
    return [problem for line in _prose(markdown).splitlines() for problem in _typed_in_line(line)]


def cited_keys(markdown: str) -> list[str]:
    """Return the bibliography keys that vouch for constants in a Markdown text.

    Parameters
    ----------
    markdown : str
        The text.

    Returns
    -------
    list of str
        In order.
    """
    return _CITED.findall(markdown)


def _typed_in_line(line: str) -> Iterator[str]:
    typed = list(_TYPED.finditer(line))
    for mark in _CITED.finditer(line):
        before = [match for match in typed if match.end() <= mark.start()]
        if before:
            typed.remove(before[-1])
        else:
            yield f"{mark[0]} vouches for no numeral with a unit before it."
    for match in typed:
        yield f"{match[0]!r} is typed by hand; compute it with say(...), or cite it: <!-- cited: key -->."


def _prose(markdown: str) -> str:
    """Blank what is not prose; lines stay lines."""
    for pattern in _NOT_PROSE:
        markdown = pattern.sub(lambda match: re.sub(r"[^\n]+", " ¤ ", match[0]), markdown)
    return markdown
