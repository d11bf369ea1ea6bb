"""The notebooks of the book: their parameters, what they say and record, and how they are run and checked."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

# Functions named like their modules have to be bound here, or the module would take their place. Both modules
# need the standard library alone.
from cohort.book.record import read_record, record
from cohort.book.say import binary, counted, ranged, say, scaled, significant

if TYPE_CHECKING:
    from cohort.book.kernel import execute
    from cohort.book.parameters import as_list

__all__ = [
    "as_list",
    "binary",
    "counted",
    "execute",
    "ranged",
    "read_record",
    "record",
    "say",
    "scaled",
    "significant",
]

# What reads and runs notebooks is loaded at first use (PEP 562), so that a notebook's imports stay cheap.
_HOMES = {"as_list": "cohort.book.parameters", "execute": "cohort.book.kernel"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
