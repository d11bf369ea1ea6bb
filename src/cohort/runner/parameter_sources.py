"""Where the values of parameters come from: the command line, YAML, and files of YAML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cohort.errors import ParameterError, shown
from cohort.errors.files import file_text
from cohort.runner.parameter_cells import Text, as_written
from cohort.runner.plain_values import read_yaml

Pairs = Iterable[tuple[str, str]]


def from_text(pairs: Pairs) -> dict[str, object]:
    """Return the values of ``-p name value``.

    Parameters
    ----------
    pairs : iterable of (str, str)
        Names and values.

    Returns
    -------
    dict of str to Text
        They become typed in `cohort.runner.parameter_cells.convert`.
    """
    return {name: Text(value) for name, value in pairs}


def from_yaml(text: str, where: str) -> dict[str, object]:
    """Read values from YAML 1.2.

    Parameters
    ----------
    text : str
        A mapping of names to values.
    where : str
        Where it comes from, for messages.

    Returns
    -------
    dict of str to object
        Empty for an empty text.

    Raises
    ------
    ParameterError
        If it is no YAML, or no mapping of names to values.
    """
    values = read_yaml(text, where)
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        example = "give names with values, such as 'context: 8192'"
        raise ParameterError(f"{where}: holds {shown(as_written(values))}; {example}.")
    return values


def from_yaml_file(path: Path) -> dict[str, object]:
    """Read values from a YAML file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to object

    Raises
    ------
    ParameterError
        If it cannot be read, or holds no mapping of names to values.
    """
    try:
        return from_yaml(file_text(path), str(path))
    except OSError as error:
        raise ParameterError(f"parameters file {str(path)!r} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ParameterError(f"parameters file {str(path)!r} is not text in UTF-8.") from None


def gathered(files: Iterable[str], texts: Iterable[str], *pairs: Pairs) -> dict[str, object]:
    """Return the values of all sources; of a name given twice, the later source wins.

    Parameters
    ----------
    files : iterable of str
        Paths of YAML files.
    texts : iterable of str
        YAML of the command line.
    *pairs : iterable of (str, str)
        Names and values of the command line.

    Returns
    -------
    dict of str to object

    Raises
    ------
    ParameterError
        As `from_yaml_file`.
    """
    given: dict[str, object] = {}
    for file in files:
        given |= from_yaml_file(Path(file))
    for text in texts:
        given |= from_yaml(text, "-y")
    for some in pairs:
        given |= from_text(some)
    return given
