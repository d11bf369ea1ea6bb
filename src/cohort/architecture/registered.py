"""Models by name, path or config, and what the registry knows of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.reading import read
from cohort.errors import CohortError, ConfigError, ParameterError, shown
from cohort.errors.arguments import explain
from cohort.errors.files import file_text
from cohort.registry import facts
from cohort.registry.facts import Fact, config_path
from cohort.registry.model_names import find_model, is_address


def _load(path: str) -> Mapping[str, Any]:
    """Return the JSON object in a file; any failure to do so is one sentence."""
    import json

    place = _tail(os.fspath(path))
    try:
        config = json.loads(file_text(path))
    except FileNotFoundError:
        raise ConfigError(f"there is no file {place}{_namesake(path)}") from None
    except OSError as error:
        raise ConfigError(f"cannot read {place}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        reason = reason if len(reason) <= 80 else f"{reason[:79]}…"
        raise ConfigError(f"{place} is not JSON: {reason}") from None
    if not isinstance(config, dict):
        raise ConfigError(f"{place} holds {shown(config, 32)}, but a config is an object of fields")
    return config


def _tail(path: str, limit: int = 60) -> str:
    """Return a path as it stands in an error: the end of a long one, which tells it apart."""
    text = shown(path, len(path) * 10 + 2)
    return text if len(text) <= limit else f"{text[0]}…{text[2 - limit :]}"


def _namesake(path: str) -> str:
    """Return a hint where the path that leads nowhere ends in the name of a registered model."""
    try:
        name = find_model(_stem(path)).name
    except CohortError:
        return ""
    return f"; the model {name!r} is known by its name alone"


@lru_cache(maxsize=1024)
def _registered(name: str, path: str, modified: int, notice: str) -> ModelSpec:
    if notice:
        return replace(_registered(name, path, modified, ""), notice=notice)
    return replace(read(_load(path), name), registered=True)


def model(
    source: str | os.PathLike[str] | Mapping[str, Any] | ModelSpec, name: str | None = None
) -> ModelSpec:
    """Return a model by name, from a ``config.json``, or from a config already read.

    Parameters
    ----------
    source : str, path, mapping or ModelSpec
        A registered name (``cohort.models()`` lists them) in any usual spelling, as
        `cohort.registry.model_names.find_model` takes it; the path of a config file or of the folder that
        holds it; or a dictionary in that form. Text is a path where it begins with ``./``, ``../``, ``/`` or
        ``~``, ends in ``.json`` or a separator, or has a separator and exists. A `ModelSpec` is returned as
        it is.
    name : str, optional
        What to call a model that is not registered.

    Returns
    -------
    ModelSpec
        The text decoder, exact to the parameter. What the name says of tuning or storage is left out, and its
        `notice` names it; bytes are counted in the type that is asked for, not in the one that the name has.

    Raises
    ------
    UnknownNameError
        If there is no model of that name; the message names the nearest.
    ConfigError
        If the file is missing or not JSON, or the config describes no model of a supported family.

    Examples
    --------
    >>> model("mixtral-8x7b-v0.1").active_parameters
    12879925248
    >>> model("google/gemma-2-27b-it").notice
    'left out of the name: it'

    See Also
    --------
    known : What is known of it besides its shape.
    cohort.serving.serve : How fast it answers.
    cohort.serving.memory_budget : Whether it fits on a device.
    """
    if isinstance(source, ModelSpec):
        return source
    if isinstance(source, Mapping):
        return read(source, name)
    if not isinstance(source, (str, os.PathLike)):
        raise CohortError(f"a model is a name, a path or a config, but {shown(source)} was given")
    if isinstance(source, str) and not _is_path(source):
        found = find_model(source)
        registered = config_path(found.name)
        return _registered(found.name, registered, os.stat(registered).st_mtime_ns, found.notice)
    path = os.path.expanduser(source)
    if os.path.isdir(path):
        path = os.path.join(path, "config.json")
    return read(_load(path), name or _stem(path))


_PATH = ("./", "../", "/", "~", f".{os.sep}", f"..{os.sep}")


def _is_path(source: str) -> bool:
    """Return whether a text means a file or a folder; ``organisation/name`` does where it exists."""
    if is_address(source):
        return False
    if source.startswith(_PATH) or source.endswith((".json", "/", os.sep)) or source in (".", ".."):
        return True
    separators = source.count("/") + (source.count(os.sep) if os.sep != "/" else 0)
    return separators > 1 or (separators == 1 and os.path.exists(source)) or os.path.isabs(source)


def _stem(path: str) -> str:
    """Return a name for the model in a file: its folder's if it is a config.json, else its own."""
    folder, file = os.path.split(os.path.abspath(path))
    return os.path.basename(folder) if file == "config.json" else file.removesuffix(".json")


ABSENT = Fact("", "text", "", "")  # of which the data say nothing, not even that it is undisclosed


def models() -> list[str]:
    """Return the names of the registered models, the cohort first."""
    return facts.config_names()


def known(model: ModelSpec) -> dict[str, Fact]:
    """Return what is known of a registered model besides its config: its date, licence, training and others.

    Parameters
    ----------
    model : ModelSpec
        The model.

    Returns
    -------
    dict of str to Fact
        Field -> value with unit, status and source; empty for a model that is not registered.

    Examples
    --------
    >>> known(model("llama-3-8b"))["training_tokens"].number
    15000000000000

    See Also
    --------
    cohort.registry.facts.of_model : The same by name.
    """
    return facts.of_model(model.name) if model.registered else {}


def title(model: ModelSpec) -> str:
    """Return what a model is called in tables and figures.

    Parameters
    ----------
    model : ModelSpec
        The model.

    Returns
    -------
    str
        The title of a registered model; the name of any other.

    Examples
    --------
    >>> title(model("llama-3-8b"))
    'Llama 3 8B'
    """
    return title_of(model.name) if model.registered else model.name


def title_of(name: str) -> str:
    """Return what the model of a name is called in tables and figures.

    Parameters
    ----------
    name : str
        As in the registry, or any other.

    Returns
    -------
    str
        The title of a registered model; any other name as it is.

    Examples
    --------
    >>> title_of("llama-3-8b"), title_of("mine")
    ('Llama 3 8B', 'mine')
    """
    return _titles(facts.modified("models")).get(name, name)


@lru_cache(maxsize=1)
def _titles(stamp: int) -> dict[str, str]:
    """Return the titles of registered models, read once for each state of the table."""
    return {row["model"]: row["title"] for row in facts.rows("models")}


def specs(models: Iterable[str]) -> list[ModelSpec]:
    """Return several models, each once, in the order given.

    Parameters
    ----------
    models : iterable of str
        Names or paths, as `model` takes them.

    Returns
    -------
    list of ModelSpec

    Raises
    ------
    ParameterError
        If none is named, or two of them have one title.
    UnknownNameError
        If there is no model of a name; the message names the nearest.
    ConfigError
        If a path leads to no config of a supported family.

    Examples
    --------
    >>> [each.name for each in specs(["llama-3-8b", "mixtral-8x7b-v0.1", "llama-3-8b"])]
    ['llama-3-8b', 'mixtral-8x7b-v0.1']
    """
    names = list(dict.fromkeys(models))
    if not names:
        raise ParameterError("no model was named; cohort.models() lists those that are registered")
    found = [model(name) for name in names]
    twice = [name for name, times in Counter(map(title, found)).items() if times > 1]
    if twice:
        raise ParameterError(f"two models are called {shown(twice[0])}; rename the file or folder of one")
    return found


def group(name: str) -> list[str]:
    """Return the names of the registered models of a group.

    Parameters
    ----------
    name : str
        ``cohort``, ``reference`` or ``modern``.

    Returns
    -------
    list of str
        In the order of the table; empty if there is no such group.

    Examples
    --------
    >>> "llama-3-8b" in group("cohort")
    True
    """
    return [row["model"] for row in facts.rows("models") if row["group"] == name]


explain(__name__)
