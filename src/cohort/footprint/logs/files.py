"""A file of a log as a table of text: regular, of a size, of an encoding and with heads, or refused."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cohort.errors import ParameterError, shown

MOST_BYTES = 512 * 2**20  # a week of one-second samples of eight devices
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_SEPARATORS = ",;\t"


def text_of(path: str | Path) -> str:
    """Return the text of a log.

    Parameters
    ----------
    path : str or Path
        A regular file in UTF-8, or in UTF-16 with its mark, as PowerShell writes it.

    Returns
    -------
    str
        All of it.

    Raises
    ------
    ParameterError
        If it is no regular file, is larger than `MOST_BYTES`, is empty, or is no such text.

    Examples
    --------
    >>> text_of("/dev/null")
    Traceback (most recent call last):
    cohort.errors.ParameterError: /dev/null is no regular file, but a log must be one
    """
    try:
        about = Path(path).stat()
        if not stat.S_ISREG(about.st_mode):  # a FIFO would wait for ever
            raise ParameterError(f"{path} is no regular file, but a log must be one")
        if about.st_size > MOST_BYTES:
            size = about.st_size / 2**20
            raise ParameterError(
                f"{path} has {size:,.0f} MiB, but a log must have at most {MOST_BYTES // 2**20}: thin it"
            )
        raw = Path(path).read_bytes()
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # a path with a null character; a refusal is one too
        raise (
            error if isinstance(error, ParameterError) else ParameterError(f"{shown(path)} is no path")
        ) from None
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        raise ParameterError(f"{path} is not text in UTF-8 or UTF-16") from None
    if "\0" in text[:4096]:
        raise ParameterError(f"{path} is not text in UTF-8 or UTF-16")
    if not text.strip():
        raise ParameterError(f"{path} is empty")
    return text


def line_of_heads(text: str) -> str:
    """Return the first line that is not blank.

    Parameters
    ----------
    text : str
        A file; its first 64 KiB are looked at.

    Returns
    -------
    str
        Empty where there is none.
    """
    return next((line for line in text[:65536].splitlines() if line.strip()), "")


def separator(line: str) -> str:
    """Return what separates the cells of a line of heads: a comma unless there are more of another.

    Parameters
    ----------
    line : str
        The heads.

    Returns
    -------
    str
        One character.

    Examples
    --------
    >>> separator("time;power [W]"), separator("time")
    (';', ',')
    """
    return max(_SEPARATORS, key=lambda mark: (line.count(mark), mark == ","))


def heads_of(line: str) -> list[str]:
    """Return the cells of a line, without the spaces around them.

    Parameters
    ----------
    line : str
        The heads.

    Returns
    -------
    list of str
        One a column.
    """
    return [cell.strip().strip('"') for cell in next(csv.reader([line], delimiter=separator(line)), [])]


def table_of(path: str | Path, text: str, wanted: Sequence[str], heads: Sequence[str] = ()) -> pd.DataFrame:
    """Return some columns of a log as text, with the number of the line of each row as its index.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    text : str
        What it holds.
    wanted : sequence of str
        Heads of the columns; those that are not there are left out.
    heads : sequence of str
        The heads, where the file has none.

    Returns
    -------
    DataFrame
        Of str, without spaces around the cells.

    Raises
    ------
    ParameterError
        If the lines have no common shape.
    """
    line = line_of_heads(text)
    names = list(heads) or heads_of(line)
    if len(set(names)) < len(names):
        raise ParameterError(f"{path} has two columns of the same name")
    mark = separator(line)
    try:
        frame = pd.read_csv(
            io.StringIO(text), sep=mark, header=None if heads else 0, names=names, dtype=object,
            usecols=[name for name in names if name in set(wanted)], keep_default_na=False,
            skipinitialspace=True, skip_blank_lines=True, index_col=False, na_filter=False,
            decimal=".", engine="c",
        )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        told = " ".join(str(error).split())[:120]
        raise ParameterError(f"{path} is no table: {told}") from None
    frame.index = frame.index + (1 if heads else 2)
    return frame.fillna("")
