"""The notebooks of the book: their parameters, what they record, and how they are run and checked."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

# Everything in a kernel loads this, so it is cheap: the standard library alone.
from cohort.runner.records import read_record, record

if TYPE_CHECKING:
    from cohort.runner.kernels.kernel import execute
    from cohort.runner.parameter_cells import as_list

__all__ = ["as_list", "execute", "read_record", "record"]

# What reads and runs notebooks is loaded at first use (PEP 562), so that a notebook's imports stay cheap.
_HOMES = {"as_list": "cohort.runner.parameter_cells", "execute": "cohort.runner.kernels.kernel"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
