"""The errors that the package raises: one clear sentence each."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Real


class CohortError(ValueError):
    """A request that cannot be answered; its message is one line for the reader."""


class UnknownNameError(CohortError):
    """A name that no table, registry or notebook holds."""


class ConfigError(CohortError):
    """A model configuration that describes no model."""


class ParameterError(CohortError):
    """A parameter of a notebook or of a function that is out of its range or of the wrong type."""


class DoesNotFitError(ParameterError):
    """A model, or what it serves, that the memory asked for does not hold; the message says by how much."""


class NotInDataError(ParameterError):
    """A value that an answer needs and the data do not hold, such as the rated power of an accelerator."""


class NotebookError(CohortError):
    """A notebook that failed to run, or whose results differ from those committed."""


def nearest(name: str, allowed: Iterable[str], n: int = 3) -> list[str]:
    """Return the `n` allowed names most like `name`, best first.

    Parameters
    ----------
    name : str
        What was given.
    allowed : iterable of str
        What could have been given.
    n : int
        At most this many names are returned.

    Returns
    -------
    list of str
        Close matches by `difflib`, or names that contain `name` (or are contained in it); may be empty.
    """
    import difflib  # needed only on the way to an error

    folded = {candidate.casefold(): candidate for candidate in reversed(list(dict.fromkeys(allowed)))}
    key = name.casefold()
    close = [folded[match] for match in difflib.get_close_matches(key, folded, n=n, cutoff=0.6)]
    partial = [folded[other] for other in folded if key and (key in other or other in key)]
    return list(dict.fromkeys([*close, *sorted(partial)]))[:n]


def shown(value: object, limit: int = 80) -> str:
    """Return `repr(value)` on one line, cut to `limit` characters."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an integer of over 4,300 digits has no repr, and other objects may lack one too
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def unknown(kind: str, name: object, allowed: Iterable[str]) -> UnknownNameError:
    """Return the error for an unknown name, with the nearest names, or all where there are few.

    Parameters
    ----------
    kind : str
        What the name should have named, such as ``"model"``.
    name : object
        What was given.
    allowed : iterable of str
        The known names.

    Returns
    -------
    UnknownNameError
        To be raised by the caller.
    """
    names = list(dict.fromkeys(allowed))
    matches = nearest(name, names) if isinstance(name, str) else []
    if matches:
        hint = f"did you mean {' or '.join(repr(match) for match in matches)}?"
    elif len(names) <= 12:
        hint = f"known: {', '.join(names)}."
    else:
        hint = f"known: {len(names)} names, such as {', '.join(names[:5])}."
    return UnknownNameError(f"unknown {kind} {shown(name)}; {hint}")


def integer(
    name: str, value: object, low: int, high: int, error: type[CohortError] = ParameterError, unit: str = ""
) -> int:
    """Return `value` if it is an int from `low` to `high`, else raise.

    Parameters
    ----------
    name : str
        What the value is called where it was given.
    value : object
        What was given; a bool is not a number here.
    low, high : int
        The smallest and the largest allowed value.
    error : type of CohortError
        The kind of error to raise.
    unit : str
        The unit, for the message.

    Returns
    -------
    int
        The value itself.

    Raises
    ------
    CohortError
        Of the kind `error`, if the value is not an int or is out of range.
    """
    if type(value) is int and low <= value <= high:
        return value
    allowed = f"{low:,} to {high:,}{' ' + unit if unit else ''}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise error(f"{name} is {shown(value)}, but must be an integer from {allowed}")
    if not low <= value <= high:
        raise error(f"{name} is {shown(value)}, but must be from {allowed}")
    return value


def positive(name: str, value: object, unit: str = "", error: type[CohortError] = ParameterError) -> float:
    """Return `value` as a float if it is a finite number above 0, else raise.

    Parameters
    ----------
    name : str
        What the value is called where it was given.
    value : object
        What was given; a bool is not a number here, NumPy's scalars are.
    unit : str
        The unit, for the message.
    error : type of CohortError
        The kind of error to raise.

    Returns
    -------
    float
        The value.

    Raises
    ------
    CohortError
        Of the kind `error`, if the value is no number, not finite, or not above 0.
    """
    allowed = f"a finite number above 0{', in ' + unit if unit else ''}"
    number = _as_float(value)
    if not 0 < number < float("inf"):
        raise error(f"{name} is {shown(value)}, but must be {allowed}")
    return number


def _as_float(value: object) -> float:
    """Return a number as a float, and what is none, which no comparison holds for, for everything else."""
    try:
        return float(value) if isinstance(value, Real) and not isinstance(value, bool) else float("nan")
    except OverflowError:  # an integer beyond the largest float
        return float("nan")


def bounded(
    name: str,
    value: object,
    low: float,
    high: float,
    unit: str = "",
    above: bool = False,
    error: type[CohortError] = ParameterError,
) -> float:
    """Return `value` as a float if it is a number from `low` to `high`, else raise.

    Parameters
    ----------
    name : str
        What the value is called where it was given.
    value : object
        What was given; a bool is not a number here, NumPy's scalars are.
    low, high : float
        The smallest and the largest allowed value.
    unit : str
        The unit, for the message.
    above : bool
        Whether the value must be above `low`, not at it.
    error : type of CohortError
        The kind of error to raise.

    Returns
    -------
    float
        The value.

    Raises
    ------
    CohortError
        Of the kind `error`, if the value is no number or out of range.
    """
    number = _as_float(value)
    if not low <= number <= high or (above and number == low):
        ends = f"above {low:,.12g} and at most {high:,.12g}" if above else f"from {low:,.12g} to {high:,.12g}"
        raise error(f"{name} is {shown(value)}, but must be {ends}{' ' + unit if unit else ''}")
    return number
