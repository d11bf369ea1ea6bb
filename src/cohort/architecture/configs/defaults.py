"""What the config classes of the reference library declare, by ``model_type`` :cite:p:`wolf2020transformers`.

``defaults.json`` holds it; ``tests/oracles/families/check_defaults.py`` compares that file with the classes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple


class Declared(NamedTuple):
    """What one class declares: the defaults of its fields, and the names of all that matter."""

    defaults: Mapping[str, Any]
    names: str


@cache
def _classes() -> Mapping[str, tuple[Mapping[str, Any], str]]:
    file = resources.files("cohort.architecture.configs").joinpath("defaults.json")
    found: Mapping[str, tuple[Mapping[str, Any], str]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def declared(family: str) -> Declared:
    """Return what the config class of a family declares.

    Parameters
    ----------
    family : str
        A ``model_type``.

    Returns
    -------
    Declared
        Nothing for a family that the reference library does not have.
    """
    return Declared(*_classes().get(family, ({}, "")))
