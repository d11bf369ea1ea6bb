"""The inputs of a panel: what may be asked, how a field reads it, and which field a refusal belongs to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from cohort.errors import CohortError, ParameterError, bounded, integer, one_of, shown, unknown
from cohort.errors.arguments import explain

LONGEST_TEXT = 200_000  # characters of a pasted config


class RefusedError(CohortError):
    """Input that a panel cannot answer.

    Attributes
    ----------
    fields : dict of str to str
        By the name of the field, a sentence; the name is empty where no single field is to blame.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(self.fields.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a panel: a field of its form.

    Attributes
    ----------
    name : str
        Its key in a link and in `cohort.panels.asking.ask`.
    kind : str
        ``name`` (looked up by the package, in any usual spelling), ``names`` (several, as a tuple; text has
        commas between them), ``choice``, ``int``, ``float``, ``bool`` or ``text``.
    default : object
        That of the parameter in the chapter, where it is one.
    label, unit, help : str
        What readers see: a name, a unit, a sentence.
    low, high : float
        The ends of a number, or of how many names there may be.
    step : float
        What a slider multiplies by (above 1, a logarithmic one) or adds; 0 for a field without a slider.
    slider : tuple of two floats
        The ends of the slider, where it does not reach as far as the field.
    allowed : tuple of str
        What a choice can be.
    wording : tuple of str
        How the choices are called, in the same order; by default as they are.
    looked_up : callable, optional
        What finds a name, and raises with the nearest where there is none.
    names : str
        Which list of names a field proposes: ``models``, ``mixtures``, ``accelerators`` or ``grids``.
    empty : bool
        Whether the field may be empty, which gives None.
    only : tuple of (str, tuple of str)
        Another input, and for which of its values this one matters; empty where it always does.
    parameter : str
        The chapter's parameter of the same meaning; empty where there is none. Of a panel with several
        chapters, those that have it and its name there: ``data_optimal:law``, with a space between two.
    """

    name: str
    kind: str
    default: Any
    label: str
    unit: str = ""
    help: str = ""
    low: float = 0
    high: float = math.inf
    step: float = 0
    slider: tuple[float, float] = (0, 0)
    allowed: tuple[str, ...] = ()
    wording: tuple[str, ...] = ()
    looked_up: Callable[[str], Any] | None = field(default=None, repr=False)
    names: str = ""
    empty: bool = False
    only: tuple[str, tuple[str, ...]] = ("", ())
    parameter: str = ""

    def matters(self, values: Mapping[str, Any]) -> bool:
        """Return whether the input changes the answer, given the others.

        Parameters
        ----------
        values : mapping
            The values of all inputs.

        Returns
        -------
        bool
        """
        other, among = self.only
        return not other or values[other] in among

    def parameter_of(self, chapter: str) -> str:
        """Return the parameter of a chapter that has the same meaning.

        Parameters
        ----------
        chapter : str
            The name of a notebook.

        Returns
        -------
        str
            Empty where there is none.
        """
        for one in self.parameter.split():
            owner, _, name = one.rpartition(":")
            if owner in ("", chapter):
                return name
        return ""

    def read(self, given: object) -> Any:
        """Return the value of what a reader typed, or of what a program passed.

        Parameters
        ----------
        given : object
            Text, or a value of the right type.

        Returns
        -------
        object
            An int, a float, a bool, text, a tuple of text, or None for an empty field that may be.

        Raises
        ------
        CohortError
            If it is of the wrong type, out of range or the name of nothing.
        """
        if isinstance(given, str):
            given = given.strip()
        if self.empty and given in ("", None):
            return None
        return _READERS[self.kind](self, given)

    def written(self, value: bool | float | str | Sequence[str] | None) -> str:
        """Return a value as a field or a link holds it; `read` turns it back.

        Parameters
        ----------
        value : object
            As `read` returns it.

        Returns
        -------
        str
            Text.

        Raises
        ------
        ParameterError
            If it is not such a value.
        """
        if value is None:
            return ""
        if self.kind == "bool":
            return "yes" if value else "no"
        if self.kind == "names":
            return ", ".join(cast("Sequence[str]", value))
        return format(value, ".12g").replace("e+", "e") if isinstance(value, float) else str(value)


def _number(own: Input, given: object) -> Any:
    """Return a number as it was meant: 8,192 with separators, 3e23 with an exponent."""
    if not isinstance(given, str):
        return given
    plain = given.replace(",", "").replace("_", "").replace(" ", "")
    try:
        return int(plain) if plain.lstrip("+-").isdigit() else float(plain)
    except ValueError:
        raise ParameterError(f"{own.name} is {shown(given, 40)}, but must be a number") from None


def _int(own: Input, given: object) -> int:
    number = _number(own, given)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return integer(own.name, number, int(own.low), int(own.high), unit=own.unit)


def _float(own: Input, given: object) -> float:
    return bounded(own.name, _number(own, given), own.low, own.high, own.unit)


def _choice(own: Input, given: object) -> str:
    return one_of(own.name, given, own.allowed)


def _name(own: Input, given: object) -> str:
    if not isinstance(given, str) or not given:
        raise ParameterError(f"{own.name} is {shown(given, 40)}, but must be a name")
    if "/" in given[:1] or given.endswith((".json", "/")) or given[:1] in ".~":
        raise ParameterError(f"{own.name} is {shown(given, 40)}, but a panel reads no files: name one")
    if own.looked_up is not None:
        own.looked_up(given)
    return given


def _names(own: Input, given: object) -> tuple[str, ...]:
    """Return each of several names once."""
    several = given.split(",") if isinstance(given, str) else given
    if not isinstance(several, list | tuple):
        raise ParameterError(f"{own.name} is {shown(given, 40)}, but must be names")
    found = tuple(
        dict.fromkeys(_name(own, each.strip() if isinstance(each, str) else each) for each in several)
    )
    if not own.low <= len(found) <= own.high:
        raise ParameterError(
            f"{own.name} has {len(found):,} names, but must have from {own.low:,} to {own.high:,}"
        )
    return found


def _bool(own: Input, given: object) -> bool:
    words = {True: True, False: False, "yes": True, "no": False}
    if isinstance(given, bool | str) and given in words:
        return words[given]
    raise ParameterError(f"{own.name} is {shown(given, 40)}, but must be yes or no")


def _text(own: Input, given: object) -> str:
    if not isinstance(given, str) or len(given) > LONGEST_TEXT:
        raise ParameterError(f"{own.name} must be text of at most {LONGEST_TEXT:,} characters")
    return given


_READERS: dict[str, Callable[[Input, Any], Any]] = {
    "int": _int,
    "float": _float,
    "choice": _choice,
    "name": _name,
    "names": _names,
    "bool": _bool,
    "text": _text,
}


def read_all(inputs: Sequence[Input], given: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of all inputs; those that are not given have their defaults.

    An input that does not matter for the others falls back to its default where it cannot be read, since its
    field is hidden.

    Parameters
    ----------
    inputs : sequence of Input
        Those of a panel.
    given : mapping
        By name, what a reader typed or a program passed.

    Returns
    -------
    dict
        By name.

    Raises
    ------
    UnknownNameError
        If there is no such input; the message names the nearest.
    RefusedError
        If some cannot be read: a sentence for each.
    """
    known = {each.name: each for each in inputs}
    for name in given:
        if name not in known:
            raise unknown("input", name, known)
    values: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name, own in known.items():
        try:
            values[name] = own.read(given.get(name, own.default))
        except CohortError as error:
            values[name] = own.default
            refused[name] = str(error)
    seen = {name: said for name, said in refused.items() if known[name].matters(values)}
    if seen:
        raise RefusedError(seen)
    return values


def blamed(error: CohortError, inputs: Sequence[Input]) -> RefusedError:
    """Return the refusal of a formula with the field that it speaks of.

    Parameters
    ----------
    error : CohortError
        Of a formula that was asked.
    inputs : sequence of Input
        Those of the panel.

    Returns
    -------
    RefusedError
        Bound to the input that the sentence begins with, as the package's own sentences do; else to none.
    """
    if isinstance(error, RefusedError):
        return error
    start = str(error).removeprefix("unknown ")
    named = [each.name for each in inputs if start.startswith((f"{each.name} ", f"{each.name}:"))]
    return RefusedError({max(named, key=len, default=""): str(error)})


explain(__name__)
