"""Cells of a log as numbers and as seconds: each distinct text is read once, and a bad one names its line."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from cohort.errors import ParameterError, shown

# What meters print where they have no value.
MISSING = frozenset(
    {
        "", "-", "n/a", "[n/a]", "na", "nan", "none", "null", "err!", "[not supported]", "not supported",
        "[unknown error]", "[gpu requires reset]", "[insufficient permissions]", "[not found]",
    }
)  # fmt: skip
WATTS = {"w": 1.0, "watt": 1.0, "watts": 1.0, "kw": 1e3, "kilowatts": 1e3, "mw": 1e-3, "milliwatts": 1e-3}
JOULES = {
    "j": 1.0, "joule": 1.0, "joules": 1.0, "kj": 1e3, "mj": 1e-3, "wh": 3600.0, "kwh": 3.6e6, "mwh": 3.6,
}  # fmt: skip
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%/]*)")
_FORMATS = ("%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S", "%Y%m%d %H:%M:%S", "%Y%m%d-%H:%M:%S")
_ZONE = r":\d\d.*(?:Z|[+-]\d\d:?\d\d| UTC)$"
EPOCH = ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (1e8, 1.0))  # from so much on, in so many seconds


def numbers(
    path: Any, what: str, column: pd.Series, units: dict[str, float], unit: float = 1.0, comma: bool = False
) -> np.ndarray:
    """Return the cells of a column as numbers; what a meter could not read is NaN.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    what : str
        What the column holds, for messages.
    column : Series
        Of text; the index is the number of the line.
    units : dict of str to float
        Units that a cell may end with, in small letters, and what they are worth.
    unit : float
        What a number without a unit is worth.
    comma : bool
        Whether the decimal point may be a comma.

    Returns
    -------
    array of float
        As long as the column.

    Raises
    ------
    ParameterError
        If a cell is no finite number, or has another unit; the message names the line.

    Examples
    --------
    >>> numbers("a.csv", "power", pd.Series(["68.5 W", "[N/A]"]), WATTS).tolist()
    [68.5, nan]
    """
    codes, texts = pd.factorize(column.to_numpy(dtype=object))
    values = np.empty(len(texts))
    for place, text in enumerate(texts):
        values[place] = _number(str(text), units, unit, comma)
    bad = np.flatnonzero(np.isinf(values))
    if len(bad):
        row = int(np.flatnonzero(codes == bad[0])[0])
        raise ParameterError(
            f"{path}, line {column.index[row]}: {what} is {shown(str(texts[bad[0]]), 40)}, "
            f"but must be a number{', in ' + ' or '.join(list(units)[:1]).upper() if units else ''}"
        )
    return values[codes]


def every_number(path: Any, what: str, column: pd.Series) -> np.ndarray:
    """Return the cells of a column as numbers, none of which may be missing.

    Parameters
    ----------
    path, what, column
        As `numbers` takes them.

    Returns
    -------
    array of float
        As long as the column.

    Raises
    ------
    ParameterError
        If a cell is no number of 0 or more; the message names the line.
    """
    values = numbers(path, what, column, {"s": 1.0})
    bad = np.flatnonzero(~(values >= 0))
    if len(bad):
        cell = shown(str(column.iloc[bad[0]]), 40)
        raise ParameterError(f"{path}, line {column.index[bad[0]]}: {what} is {cell}, but must be 0 or more")
    return values


def _number(text: str, units: dict[str, float], unit: float, comma: bool) -> float:
    """Return a number; NaN where there is none, infinity where the text is none."""
    cell = text.strip()
    if cell.casefold() in MISSING:
        return np.nan
    found = _NUMBER.fullmatch(cell.replace(",", ".") if comma else cell)
    if found is None or (found[2] and found[2].casefold() not in units):
        return np.inf
    value = float(found[1]) * (units[found[2].casefold()] if found[2] else unit)
    return value if np.isfinite(value) else np.inf


def seconds(path: Any, column: pd.Series) -> tuple[np.ndarray, str]:
    """Return the times of a column in seconds, and which clock they are of.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    column : Series
        Of text; the index is the number of the line.

    Returns
    -------
    pair of array of float and str
        Seconds since 1970 by that clock, and ``utc``, ``local`` or ``none``: with ``none``, seconds since a
        start that is not told.

    Raises
    ------
    ParameterError
        If a cell is no time that can be read in one way only; the message names the line.

    Examples
    --------
    >>> seconds("a.csv", pd.Series(["2026/11/26 10:00:00.500", "2026/11/26 10:00:01.500"]))[1]
    'local'
    """
    texts = column.to_numpy(dtype=object)
    first = str(texts[0]).strip()
    if _NUMBER.fullmatch(first):
        values = numbers(path, "time", column, {"s": 1.0})
        _refuse_missing(path, column, np.isnan(values))
        for least, worth in EPOCH:
            if np.nanmin(np.abs(values)) >= least:
                return values * worth, "utc"
        return values, "none"
    codes, unique = pd.factorize(texts)
    stripped = pd.Series(unique, dtype=object).str.strip()
    zones = stripped.str.contains(_ZONE)
    if zones.any() and not zones.all():
        raise ParameterError(f"{path}: some times have a zone and some have none")
    zoned = bool(zones.all())
    return _parsed(path, column, codes, stripped, zoned), "utc" if zoned else "local"


def _parsed(path: Any, column: pd.Series, codes: np.ndarray, texts: pd.Series, zoned: bool) -> np.ndarray:
    """Return times by the first format that reads the first of them."""
    first = texts.iloc[0]
    form = next((form for form in _FORMATS if _reads(first, form)), "ISO8601")
    if zoned:
        texts = texts.str.removesuffix(" UTC")
    try:
        times = pd.to_datetime(texts, format=form, errors="coerce", utc=zoned)
    except ValueError:  # a zone in a place where none is looked for
        raise ParameterError(f"{path}: some times have a zone and some have none") from None
    bad = times.isna().to_numpy()
    if bad.any() and form == _FORMATS[0]:  # a meter that leaves the fraction out on the second
        times = times.fillna(pd.to_datetime(texts, format=_FORMATS[1], errors="coerce"))
        bad = times.isna().to_numpy()
    _refuse_missing(path, column, bad[codes])
    values = times.dt.tz_localize(None) if zoned else times
    return values.to_numpy().astype("datetime64[ns]").astype("int64")[codes] / 1e9  # type: ignore[no-any-return]


def _reads(text: str, form: str) -> bool:
    return bool(pd.notna(pd.to_datetime(text, format=form, errors="coerce")))


def _refuse_missing(path: Any, column: pd.Series, bad: np.ndarray) -> None:
    """Refuse a column some of whose times could not be read."""
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise ParameterError(
            f"{path}, line {column.index[row]}: time is {shown(str(column.iloc[row]), 40)}, "
            "but must be as 2026-11-26T10:00:00, 2026/11/26 10:00:00.000, or in seconds"
        )
