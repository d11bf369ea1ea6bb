"""Names as texts, tables and figures write them: a reader's own without markup, several in a row."""

from __future__ import annotations

from collections.abc import Sequence

from cohort.errors.arguments import explain

LONGEST = 32  # characters; a longer name leaves a figure no room
PLAIN = " .,+-_():@="  # what a name holds besides letters and digits of any script


def plain_name(given: str) -> str:
    """Return a name that a page, a spreadsheet or a figure shows as it is, whatever the file was called.

    Parameters
    ----------
    given : str
        A name, such as that of a file.

    Returns
    -------
    str
        With a hyphen for each character that means something in Markdown, HTML or TeX or is not to be seen,
        with the middle left out of what has more than `LONGEST` characters. It is "unnamed" where nothing
        is left.

    Examples
    --------
    >>> plain_name("my_model-7B (v2)"), plain_name("<img src=x>")
    ('my_model-7B (v2)', '-img src=x-')
    """
    kept = "".join(each if each.isalnum() or each in PLAIN else "-" for each in given).strip()
    kept = kept.lstrip("=+@") or "unnamed"
    half = LONGEST // 2
    return kept if len(kept) <= LONGEST else f"{kept[:half]}…{kept[1 - half :]}"


def listed(names: Sequence[object], word: str = "and") -> str:
    """Return names one after the other, the last one after a word.

    Parameters
    ----------
    names : sequence
        At least one name or number.
    word : str
        What stands before the last.

    Returns
    -------
    str

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"]), listed([0, 5], "or")
    ('a', 'a, b and c', '0 or 5')
    """
    *first, last = map(str, names)
    return f"{', '.join(first)} {word} {last}" if first else last


explain(__name__)
