"""Let a docstring describe several attributes at once, as NumPy style allows and napoleon does not."""

import re
from typing import Any

from sphinx.application import Sphinx

SEVERAL = re.compile(r"(\w+(?:, \w+)+) : (.+)")


def expanded(lines: list[str]) -> list[str]:
    """Give each attribute its own entry.

    Parameters
    ----------
    lines : list of str
        A docstring.

    Returns
    -------
    list of str
        The same, with ``a, b : int`` under *Attributes* replaced by one entry for each name.
    """
    if "Attributes" not in lines:
        return lines
    start = lines.index("Attributes")
    result, position = lines[:start], start
    while position < len(lines):
        match, end = SEVERAL.fullmatch(lines[position]), position + 1
        if match is None:
            result.append(lines[position])
        else:
            while end < len(lines) and lines[end].startswith(" "):
                end += 1
            for name in match[1].split(", "):
                result += [f"{name} : {match[2]}", *lines[position + 1 : end]]
        position = end
    return result


def expand_attributes(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Expand the docstring of a class in place, before napoleon reads it."""
    if what == "class":
        lines[:] = expanded(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the expansion."""
    app.connect("autodoc-process-docstring", expand_attributes, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
