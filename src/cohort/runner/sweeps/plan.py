"""What a sweep is to run: the sets of parameters that grids, zips and samples describe."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cohort.errors import ParameterError, shown, unknown
from cohort.runner.parameter_cells import TYPES, Parameter, Text, Value, convert, validate

MOST_RUNS = 100_000


Values = dict[str, Value]


# The values of an axis are separated by commas; a list in brackets is one value.
_VALUES = re.compile(r"\s*(?:\[([^\[\]]*)\]|([^,\[\]]*))\s*(?:,|$)")


@dataclass(frozen=True)
class Plan:
    """A sweep as it was asked for.

    Parameters
    ----------
    notebook : str
        The notebook, as `cohort.runner.project.Project.find` takes it.
    key : str
        The digest of its sources and of all that its results depend on.
    sets : tuple of dict
        The parameters of each run, validated.
    figures : bool
        Whether the runs draw their figures.
    defaults : dict
        The parameters that no run is given, with the values that the notebook gives them.
    """

    notebook: str
    key: str
    sets: tuple[Values, ...]
    figures: bool = False
    defaults: Values = field(default_factory=dict)

    @property
    def parameters(self) -> list[str]:
        """The names of all parameters that a run is given, in the order they were given."""
        return list(dict.fromkeys(name for values in self.sets for name in values))

    @property
    def every(self) -> list[str]:
        """The names of all parameters of the notebook, those that runs are given first."""
        return list(dict.fromkeys([*self.parameters, *self.defaults]))

    @property
    def varied(self) -> list[str]:
        """Those whose values differ between runs."""
        first = self.sets[0]
        return [name for name in self.parameters if any(values[name] != first[name] for values in self.sets)]

    def label(self, number: int) -> str:
        """Say in one line which run a number stands for.

        Parameters
        ----------
        number : int
            Its number, from 1.

        Returns
        -------
        str
            The parameters that vary.
        """
        values = self.sets[number - 1]
        return ", ".join(f"{name}={value_text(values[name])}" for name in self.varied or self.parameters)


def value_text(value: Value) -> str:
    """Return a value as the command line takes it.

    Parameters
    ----------
    value : bool, int, float, str or list
        The value.

    Returns
    -------
    str
    """
    if isinstance(value, list):
        return f"[{','.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def make_plan(
    notebook: str,
    key: str,
    known: Sequence[Parameter],
    *,
    fixed: Mapping[str, object],
    grid: Iterable[str] = (),
    zipped: Iterable[str] = (),
    sample: int | None = None,
    seed: int = 0,
    figures: bool = False,
) -> Plan:
    """Return the plan of a sweep.

    Parameters
    ----------
    notebook, key : str
        As in `Plan`.
    known : sequence of Parameter
        What the notebook takes.
    fixed : mapping
        Values that all runs share.
    grid : iterable of str
        Axes such as ``context=4096,32768``: every value meets every value of the others, and the last axis
        varies fastest. A list is written in brackets: ``models=[llama-3-8b,dbrx],[gemma-2b]``.
    zipped : iterable of str
        Axes that are taken in step with each other, the first values together, then the second.
    sample : int, optional
        Run so many of the sets, chosen at random without repetition.
    seed : int
        Seed of that choice.
    figures : bool
        As in `Plan`.

    Returns
    -------
    Plan

    Raises
    ------
    CohortError
        If a parameter is unknown, given twice or of another type, or the axes make no set.
    """
    by_name = {parameter.name: parameter for parameter in known}
    shared = validate(notebook, known, fixed)
    axes: list[list[Values]] = [
        [{name: value} for value in values]
        for name, values in (_axis(notebook, by_name, one) for one in grid)
    ]
    together = [_axis(notebook, by_name, one) for one in zipped]
    if together:
        axes.append(_in_step(together))
    names = [*shared, *(name for axis in axes for name in axis[0])]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"parameter {name} is given twice; name it in one place.")
    if not axes:
        raise ParameterError("a sweep needs --grid or --zip, such as --grid context=4096,32768.")
    chosen = _chosen(math.prod(len(axis) for axis in axes), sample, seed)
    sets = _distinct([shared | _at(axes, index) for index in chosen])
    return Plan(
        notebook, key, sets, figures, {one.name: one.default for one in known if one.name not in names}
    )


def _axis(notebook: str, known: Mapping[str, Parameter], given: str) -> tuple[str, list[Value]]:
    """Return the name and the values of an axis such as ``context=4096,32768``."""
    name, equals, listed = given.partition("=")
    name = name.strip()
    if not equals:
        raise ParameterError(f"an axis is written name=value,value, not {shown(given)}.")
    if name not in known:
        raise unknown(f"parameter of {notebook}:", name, known)
    parameter = known[name]
    return name, [_value(parameter, *item) for item in _items(given, listed)]


def _items(given: str, listed: str) -> list[tuple[str, bool]]:
    """Return the values of an axis as texts, each with whether it stood in brackets."""
    items, at = [], 0
    while True:
        match = _VALUES.match(listed, at)
        if match is None:
            raise ParameterError(f"the brackets of {shown(given)} do not match; write name=[a,b],[c].")
        bracketed, plain = match.groups()
        if bracketed is None and not plain.strip():
            raise ParameterError(f"a value of {shown(given)} is empty.")
        items.append((plain.strip(), False) if bracketed is None else (bracketed.strip(), True))
        at = match.end()
        if at == len(listed) and not match[0].endswith(","):
            return items


def _value(parameter: Parameter, word: str, in_brackets: bool) -> Value:
    if in_brackets and not TYPES[parameter.type][1]:
        raise ParameterError(
            f"parameter {parameter.name} takes one {parameter.type} and not a list: [{word}]."
        )
    return convert(parameter, Text(word))


def _in_step(together: Sequence[tuple[str, list[Value]]]) -> list[Values]:
    """Return the values of axes that are taken in step."""
    lengths = {name: len(values) for name, values in together}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ParameterError(f"--zip takes equally many values of each parameter, but {said}.")
    if len(lengths) < len(together):
        raise ParameterError("a parameter is given twice in --zip; name it once.")
    columns = zip(*(values for _, values in together), strict=True)
    return [dict(zip(lengths, row, strict=True)) for row in columns]


def _chosen(count: int, sample: int | None, seed: int) -> Iterable[int]:
    """Return which of the sets to run, by their number from 0."""
    if sample is None:
        sample = count
    elif sample > count:
        raise ParameterError(f"--sample is {sample}, but there are only {count} sets of parameters.")
    if sample > MOST_RUNS:
        raise ParameterError(f"that makes {sample:,} runs, more than {MOST_RUNS:,}; take some with --sample.")
    return range(count) if sample == count else sorted(random.Random(seed).sample(range(count), sample))


def _at(axes: Sequence[Sequence[Values]], index: int) -> Values:
    """Return one set of the product of some axes, of which the last varies fastest."""
    values: Values = {}
    for axis in reversed(axes):
        index, at = divmod(index, len(axis))
        values = axis[at] | values
    return values


def _distinct(sets: Iterable[Values]) -> tuple[Values, ...]:
    """Leave out sets that come again."""
    return tuple({repr(values): values for values in sets}.values())
