"""The parameters of a notebook: read from its own parameters cell, and strict about what they are given.

A parameters cell holds one parameter a line, ``name: type = literal  # Help, with the unit.``, and no line
says more than papermill's line-by-line reader understands: no second equals sign, no ``#`` in a string, no
value that is computed. A long list goes over several lines: ``[`` ends the first, and ``]`` begins the last.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cohort.errors import NotebookError, ParameterError, shown, unknown
from cohort.runner.notebook.document import Notebook, has_tag, numbered, place
from cohort.runner.plain_values import (
    NUMERAL,
    UnfitError,
    finite_float,
    is_special,
    read_number,
    whole_number,
)

Scalar = bool | int | float | str


Value = Scalar | list[bool] | list[int] | list[float] | list[str]


# Each type that a parameter may have: that of its items, and whether it is a list of them.
TYPES: dict[str, tuple[type, bool]] = {
    "int": (int, False),
    "float": (float, False),
    "str": (str, False),
    "bool": (bool, False),
    "list[str]": (str, True),
    "list[int]": (int, True),
    "list[float]": (float, True),
}


_EXAMPLES = {
    "int": "8192",
    "float": "5.76e23",
    "str": "text",
    "bool": "true or false",
    "list[str]": "a,b",
    "list[int]": "1,2",
    "list[float]": "0.5,2e24",
}


_LINE = re.compile(
    r"(?P<name>\w+): (?P<type>[a-z]+(?:\[[a-z]+\])?) = (?P<literal>[^#=]*[^#=\s])\s+# (?P<help>[^=]*\S)\s*"
)


_GRAMMAR = "write `name: type = literal  # Help.`"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook.

    Parameters
    ----------
    name : str
        The variable.
    type : str
        One of ``int float str bool list[str] list[int] list[float]``.
    default : bool, int, float, str or list
        The value that the notebook is committed with.
    help : str
        What it is, with the unit.
    """

    name: str
    type: str
    default: Value
    help: str


def read_parameters(name: str, notebook: Notebook) -> list[Parameter]:
    """Read the parameters of a notebook from its cell tagged ``parameters``.

    Parameters
    ----------
    name : str
        The notebook's name, for messages.
    notebook : dict
        A notebook of nbformat 4.

    Returns
    -------
    list of Parameter
        In the order of the cell; empty where no cell is tagged.

    Raises
    ------
    NotebookError
        If a line of the cell does not follow the grammar, a name comes twice, or two cells are tagged.
    """
    tagged = [(number, cell) for number, cell in numbered(notebook) if has_tag(cell, "parameters")]
    if len(tagged) > 1:
        raise NotebookError(f"{name}: {len(tagged)} cells are tagged parameters; one is enough.")
    found: dict[str, Parameter] = {}
    for number, cell in tagged:
        for line in _definitions(cell["source"]):
            where = f"{place(name, number, cell)}: line {shown(line.strip())}"
            parameter = _parameter(where, line)
            if parameter.name in found:
                raise NotebookError(f"{where}: {parameter.name} is already a parameter.")
            found[parameter.name] = parameter
    return list(found.values())


def validate(name: str, parameters: Iterable[Parameter], given: Mapping[str, object]) -> dict[str, Value]:
    """Check values for the parameters of a notebook and bring them to their types.

    Parameters
    ----------
    name : str
        The notebook's name, for messages.
    parameters : iterable of Parameter
        What the notebook takes.
    given : mapping of str to object
        Values by name, as `from_text` and `from_yaml` return them, or plain Python ones.

    Returns
    -------
    dict of str to value
        Each value in the type of its parameter.

    Raises
    ------
    UnknownNameError
        If the notebook has no such parameter.
    ParameterError
        If a value is of another type than its parameter.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for key in given:
        if key not in known:
            raise unknown(f"parameter of {name}:", key, known)
    return {key: convert(known[key], value) for key, value in given.items()}


def convert(parameter: Parameter, value: object) -> Value:
    """Return a value in the type of its parameter.

    An integer serves where a float is wanted, and a float where an integer is wanted if it is a whole number.
    A boolean is never a number. Text for a list is read as comma-separated.

    Parameters
    ----------
    parameter : Parameter
        What is wanted.
    value : object
        A plain Python value, a Decimal (a number as written in YAML) or a `Text` (typed on the command line).

    Returns
    -------
    bool, int, float, str or list

    Raises
    ------
    ParameterError
        If the value is of another type; the message names the type wanted.
    """
    kind, is_list = TYPES[parameter.type]
    try:
        if is_list:
            return [_item(kind, item) for item in _items(value)]
        single: Scalar = _item(kind, value)
        return single
    except UnfitError as unfit:
        reason = f" ({unfit})" if str(unfit) else ""
        raise ParameterError(
            f"parameter {parameter.name} takes {_article(parameter.type)} such as "
            f"{_EXAMPLES[parameter.type]}, not {shown(as_written(value))}{reason}."
        ) from None


def as_list(value: object, item: type[Any] = str) -> list[Any]:
    """Return the value of a list parameter as a list, also where plain papermill passed it as text.

    ``papermill in.ipynb out.ipynb -p models a,b`` gives the notebook the text ``"a,b"``, and
    ``-p contexts 8192`` a single number; both become lists.

    Parameters
    ----------
    value : list, str, int or float
        What the parameter holds.
    item : type
        What the list holds: str, int or float.

    Returns
    -------
    list
        The items, each of type `item`.

    Raises
    ------
    ParameterError
        If an item is of another type.

    Examples
    --------
    >>> as_list("llama-3-8b, dbrx")
    ['llama-3-8b', 'dbrx']
    >>> as_list("8192,65536", int)
    [8192, 65536]
    """
    is_lone = isinstance(value, str | int | float) and not isinstance(value, bool)
    try:
        return [_item(item, part) for part in _items(str(value) if is_lone else value)]
    except UnfitError:
        wanted = f"list[{item.__name__}]"
        raise ParameterError(
            f"a {wanted} such as {_EXAMPLES[wanted]} is wanted, not {shown(value)}."
        ) from None


def parameter_table(name: str, listed: Iterable[Parameter]) -> str:
    """Return the parameters of a notebook as lines of text.

    Parameters
    ----------
    name : str
        The notebook's name.
    listed : iterable of Parameter
        What it takes.

    Returns
    -------
    str
        Name, type, default and help in columns; defaults are cut where they are long.
    """
    rows = [(item.name, item.type, _short(item.default), item.help) for item in listed]
    if not rows:
        return f"{name}: no parameters"
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    return "\n".join([name, *(f"  {line}" for line in lines)])


def _short(default: Value, limit: int = 40) -> str:
    """Return a default as -p takes it."""
    text = ",".join(map(str, default)) if isinstance(default, list) else str(default)
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(default)})" if isinstance(default, list) else f"{text[:limit]}…"


class Text(str):
    """A value typed on the command line: its parameter's type decides what it means."""


def _definitions(source: str) -> Iterator[str]:
    """Yield a line for each parameter, long lists joined as papermill does; not comments and blank lines."""
    lines: list[str] = []
    for line in source.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        lines.append(line.strip() if lines else line)
        if not lines[0].rstrip().endswith("[") or line.startswith("]"):
            yield "".join(lines)
            lines = []
    if lines:
        yield "".join(lines)


def _parameter(where: str, line: str) -> Parameter:
    match = _LINE.fullmatch(line)
    if match is None:
        raise NotebookError(f"{where} is no parameter; {_GRAMMAR} with a single equals sign and a single #.")
    name, type_name, literal, help_text = match.group("name", "type", "literal", "help")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise NotebookError(f"{where}: {name!r} cannot be a variable.")
    if type_name not in TYPES:
        raise NotebookError(f"{where}: the type {type_name} is not one of {', '.join(TYPES)}.")
    if "#" in help_text or help_text.startswith("type:"):
        raise NotebookError(f"{where}: papermill would misread its help; leave out '#' and 'type:'.")
    return Parameter(name, type_name, _default(where, type_name, literal), help_text)


def _default(where: str, type_name: str, literal: str) -> Value:
    """Return the value of a literal, which must be of the type to the letter: 20 is not a float."""
    kind, is_list = TYPES[type_name]
    try:
        value: Value = ast.literal_eval(literal)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise NotebookError(
            f"{where}: {shown(literal)} is not a literal; values are never computed here."
        ) from None
    items = value if isinstance(value, list) else [value]
    if isinstance(value, list) != is_list or any(type(item) is not kind for item in items):
        hint = " (write 20.0 for a float)" if kind is float else ""
        raise NotebookError(f"{where}: the default {shown(value)} is not of type {type_name}{hint}.")
    if any(isinstance(item, float) and not math.isfinite(item) for item in items):
        raise NotebookError(f"{where}: the default is not finite.")
    return value


def _items(value: object) -> list[object]:
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")] if value.strip() else []
        if "" in parts:
            raise UnfitError("an item is empty")
        return [Text(part) for part in parts]
    if isinstance(value, list | tuple):
        return list(value)
    raise UnfitError


def _item(kind: type, value: object) -> Any:
    if hasattr(value, "item"):
        value = value.item()  # a NumPy scalar
    if isinstance(value, Text):
        value = _typed(kind, value)
    if kind is bool or kind is str:
        if type(value) is not kind:
            raise UnfitError
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UnfitError
    return whole_number(value) if kind is int else finite_float(value)


def _typed(kind: type, text: Text) -> object:
    """Return what was typed on the command line as a value of its own kind."""
    word = text.strip()
    if kind is str:
        return str(text)
    if kind is bool:
        return {"true": True, "false": False}.get(word.casefold(), word)
    return read_number(word) if NUMERAL.fullmatch(word) else math.nan if is_special(word) else word


def as_written(value: object) -> object:
    """Return a value as its reader wrote it: a Decimal or Text shows as number or text.

    Parameters
    ----------
    value : object
        A value, or a list of them.

    Returns
    -------
    object
    """
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    return [as_written(item) for item in value] if isinstance(value, list) else value


def _article(type_name: str) -> str:
    return f"an {type_name}" if type_name[0] in "aeiou" else f"a {type_name}"
