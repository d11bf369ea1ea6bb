"""The errors that the package raises, one clear sentence each, and the checks of ranges that raise them.

NumPy's scalars are numbers here; a bool is none, and NaN is in no range.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import inf, nan
from numbers import Integral, Real

LONGEST = 160  # characters of a refusal that names what is near
MOST = 400  # characters of any message


class CohortError(ValueError):
    """A request that cannot be answered; its message is one line for the reader.

    Parameters
    ----------
    message : str
        The line. What cannot be printed, such as a control character in a name, is escaped; of what is too
        long for a reader, such as a path that is none, the middle is left out.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_sentence(message) if len(message) > MOST or not message.isprintable() else message)


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


class InfeasibleError(CohortError):
    """A target that no size and no amount of data reaches; the message states the bound."""


class NotebookError(CohortError):
    """A notebook that failed to run, or whose results differ from those committed."""


class MissingExtraError(CohortError, ImportError):
    """A library that is not installed; the message names the extra of this package that brings it."""


# The extra that brings a library, as pyproject.toml lists them; the smallest where several do.
LIBRARIES = {
    "numpy": "tables",
    "pandas": "tables",
    "fastparquet": "notebooks",
    "ipykernel": "notebooks",
    "jinja2": "notebooks",
    "matplotlib": "notebooks",
    "nbformat": "notebooks",
    "papermill": "notebooks",
    "ruamel": "notebooks",
    "seaborn": "notebooks",
    "tqdm": "notebooks",
    # What those bring in turn.
    "IPython": "notebooks",
    "jupyter_client": "notebooks",
    "markupsafe": "notebooks",
    "matplotlib_inline": "notebooks",
    "zmq": "notebooks",
    "distributed": "cluster",
}


class extras:  # noqa: N801 - a statement's name, as those of contextlib
    """Have imports in a ``with`` statement name the extra of a library that is missing.

    Raises
    ------
    MissingExtraError
        In place of a ModuleNotFoundError for one of `LIBRARIES`.

    Examples
    --------
    >>> with extras():
    ...     raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
    Traceback (most recent call last):
    cohort.errors.MissingExtraError: this needs pandas: pip install 'cohort-of-models[tables]'
    """

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Say which extra is missing, if that is what went wrong."""
        if isinstance(error, ModuleNotFoundError):
            library = (error.name or "").partition(".")[0]
            if library in LIBRARIES:
                extra = LIBRARIES[library]
                message = f"this needs {library}: pip install 'cohort-of-models[{extra}]'"
                raise MissingExtraError(message) from None


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
        Those that begin with its words, or that it begins with. Where there is none: close matches by
        `difflib`, letters and digits alone compared, then those that have all its words. May be empty.

    Examples
    --------
    >>> nearest("H100", ["H200", "H100 SXM 80GB", "H100 PCIe"]), nearest("H400", ["H200", "A10"])
    (['H100 SXM 80GB', 'H100 PCIe'], ['H200'])
    """
    import difflib  # needed only on the way to an error

    words = {candidate: _words(candidate) for candidate in allowed}
    given = _words(name[:LONGEST])  # of a longer name the beginning has to do
    if not given:
        return []
    begin = [
        each
        for each, own in words.items()
        if own and (own[: len(given)] == given or given[: len(own)] == own)
    ]
    if begin:
        return begin[:n]
    flat = {"".join(own): each for each, own in reversed(words.items())}
    close = [flat[match] for match in difflib.get_close_matches("".join(given), flat, n=n, cutoff=0.6)]
    within = [each for each, own in words.items() if set(given) <= set(own) and max(map(len, given)) > 1]
    return list(dict.fromkeys([*close, *within]))[:n]


def _words(name: str) -> list[str]:
    """Return the words and numbers of a name; the point of 3.1 and v0.1 separates nothing."""
    import re

    return re.findall(r"[^\W\d_]+|\d+(?:\.\d+)*", name.casefold())


def _sentence(message: str) -> str:
    """Return a message on one line of at most `MOST` characters, with what cannot be printed escaped."""
    line = " ".join(message.splitlines())
    for _ in range(2):  # an escape is longer than what it stands for
        line = line if len(line) <= MOST else f"{line[: MOST - 161]}…{line[-160:]}"
        line = "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
    return line if len(line) <= MOST else line[: MOST - 1] + "…"


def shown(value: object, limit: int = 80) -> str:
    """Return `repr(value)` on one line, cut to `limit` characters.

    Parameters
    ----------
    value : object
        What was given.
    limit : int
        Characters.

    Returns
    -------
    str
        One line.
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an integer of over 4,300 digits has no repr, and other objects may lack one too
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def unknown(
    kind: str, name: object, allowed: Iterable[str], likely: Sequence[str] = (), remedy: str = ""
) -> UnknownNameError:
    """Return the error for an unknown name, with the nearest names, or all where there are few.

    Parameters
    ----------
    kind : str
        What the name should have named, such as ``"model"``.
    name : object
        What was given.
    allowed : iterable of str
        The known names.
    likely : sequence of str
        The names that it may mean, the usual one first; by default the `nearest`.
    remedy : str
        What to do where none is near.

    Returns
    -------
    UnknownNameError
        To be raised by the caller. Its message keeps within `LONGEST` characters, as far as `kind` lets it.
    """
    names = list(dict.fromkeys(allowed))
    matches = list(likely[:12]) or (nearest(name, names) if isinstance(name, str) else [])
    hints = [
        f"did you mean {' or '.join(map(repr, matches[:count]))}?" for count in range(len(matches), 0, -1)
    ]
    if remedy:
        hints.append(remedy)
    if len(names) <= 12:
        hints.append(f"known: {', '.join(names)}.")
    hints += [f"known: {len(names)} names, such as {', '.join(names[:count])}." for count in range(5, 0, -1)]
    start = f"unknown {kind} {shown(name, 48)}; "
    fitting = (hint for hint in hints if len(start) + len(hint) <= LONGEST)
    return UnknownNameError(start + next(fitting, hints[-1]))


def one_of(kind: str, name: object, allowed: Collection[str]) -> str:
    """Return `name` if it is one of the allowed names, else raise.

    Parameters
    ----------
    kind : str
        What the name should name, such as ``"weight_dtype"``.
    name : object
        What was given.
    allowed : collection of str
        The known names.

    Returns
    -------
    str
        The name itself.

    Raises
    ------
    UnknownNameError
        If it is none of them; the message names the nearest.

    Examples
    --------
    >>> one_of("boundary", "facility", ("node", "facility"))
    'facility'
    """
    if not isinstance(name, str) or name not in allowed:
        raise unknown(kind, name, allowed)
    return name


def integer(
    name: str,
    value: object,
    low: int,
    high: int | None = None,
    error: type[CohortError] = ParameterError,
    unit: str = "",
) -> int:
    """Return `value` as an int if it is an integer from `low` to `high`, else raise.

    Parameters
    ----------
    name : str
        What the value is called where it was given.
    value : object
        What was given.
    low : int
        The smallest allowed value.
    high : int, optional
        The largest; without it there is none.
    error : type of CohortError
        The kind of error to raise.
    unit : str
        The unit, for the message.

    Returns
    -------
    int
        The value.

    Raises
    ------
    CohortError
        Of the kind `error`, if the value is no integer or is out of range.

    See Also
    --------
    bounded, positive : The same for numbers that need not be whole.

    Examples
    --------
    >>> integer("context", 8192, 1, 2**20, unit="tokens")
    8192
    """
    whole = type(value) is int or (isinstance(value, Integral) and not isinstance(value, bool))
    if whole and low <= value and (high is None or value <= high):  # type: ignore[operator]
        return int(value)  # type: ignore[call-overload, no-any-return]
    allowed = f"at least {low:,}" if high is None else f"from {low:,} to {high:,}"
    kind = "" if whole else "an integer of " if high is None else "an integer "
    raise error(f"{name} is {shown(value)}, but must be {kind}{allowed}{' ' + unit if unit else ''}")


def exact_integer(
    name: str, value: object, low: int, high: int, error: type[CohortError] = ParameterError
) -> int:
    """Return a size that a frozen description keeps as it is: a Python int, since NumPy's wrap around.

    Parameters
    ----------
    name : str
        What the value is called where it was given.
    value : object
        What was given.
    low, high : int
        The smallest and the largest allowed value.
    error : type of CohortError
        The kind of error to raise.

    Returns
    -------
    int
        The value.

    Raises
    ------
    CohortError
        Of the kind `error`, if the value is not of type int or is out of range.
    """
    if type(value) is not int:
        raise error(f"{name} is {shown(value)}, but must be an integer from {low:,} to {high:,}")
    return integer(name, value, low, high, error)


def bounded(
    name: str,
    value: object,
    low: float,
    high: float = inf,
    unit: str = "",
    above: bool = False,
    below: bool = False,
    error: type[CohortError] = ParameterError,
) -> float:
    """Return `value` as a float if it is a finite number from `low` to `high`, else raise.

    Parameters
    ----------
    name : str
        What the value is called where it was given.
    value : object
        What was given.
    low, high : float
        The smallest and the largest allowed value; without `high` there is no largest.
    unit : str
        The unit, for the message.
    above, below : bool
        Whether the value must be above `low`, and below `high`, not at it.
    error : type of CohortError
        The kind of error to raise.

    Returns
    -------
    float
        The value.

    Raises
    ------
    CohortError
        Of the kind `error`, if the value is no finite number or out of range.

    See Also
    --------
    positive : The same for all finite numbers above 0.

    Examples
    --------
    >>> bounded("level", 0.95, 0, 1, above=True, below=True)
    0.95
    """
    number = _as_float(value)
    after_low = low < number if above else low <= number
    if after_low and (number < high if below or high == inf else number <= high):
        return number
    if high == inf:
        ends = f"a finite number {'above' if above else 'of at least'} {low:,.12g}"
        unit = f", in {unit}" if unit else ""
    else:
        join = " and " if above else " to "
        last = "below" if below else "at most" if above else ""
        ends = f"{'above' if above else 'from'} {low:,.12g}{join}{last}{' ' if last else ''}{high:,.12g}"
        unit = f" {unit}" if unit else ""
    raise error(f"{name} is {shown(value)}, but must be {ends}{unit}")


def positive(name: str, value: object, unit: str = "", error: type[CohortError] = ParameterError) -> float:
    """Return `value` as a float if it is a finite number above 0, else raise.

    Parameters
    ----------
    name : str
        What the value is called where it was given.
    value : object
        What was given.
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

    Examples
    --------
    >>> positive("flop", 10**24)
    1e+24
    """
    return bounded(name, value, 0, unit=unit, above=True, error=error)


def _as_float(value: object) -> float:
    """Return a number as a float, and NaN, which is in no range, for everything else."""
    if type(value) is float:  # by far the most; asking an abstract class takes longer than the rest
        return value
    try:
        return float(value) if isinstance(value, Real) and not isinstance(value, bool) else nan
    except OverflowError:  # an integer beyond the largest float
        return nan
