"""What the config classes of the reference library declare, by ``model_type`` :cite:p:`wolf2020transformers`.

``defaults.json`` holds it, a line a class: the defaults, then the names that matter besides those of the
defaults, with a minus before those of the defaults that do not. ``tests/oracles/families/check_defaults.py``
compares that file with the classes.
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
    names: frozenset[str]


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
    defaults, others = _classes().get(family, ({}, ""))
    marked = others.split()
    left_out = {name[1:] for name in marked if name.startswith("-")}
    further = {name for name in marked if not name.startswith("-")}
    return Declared(defaults, frozenset((set(defaults) | further) - left_out))
