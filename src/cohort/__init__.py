"""A Cohort of Models: exact models, memory and costs of open-weight language models.

Submodules load when they are first used: ``cohort.serving.serve`` works after a bare ``import cohort``,
and importing the package loads none of NumPy, pandas and Matplotlib.

Examples
--------
>>> import cohort
>>> cohort.model("llama-3-8b").parameters
8030261248
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cohort import (
        architecture,
        chapters,
        display,
        errors,
        experts,
        fitting,
        footprint,
        numeric,
        planning,
        registry,
        reports,
        runner,
        scaling,
        serving,
        units,
    )
    from cohort.architecture.registered import model, models
    from cohort.errors import CohortError
    from cohort.footprint.places import grid, grids
    from cohort.registry.devices import accelerator, accelerators
    from cohort.registry.facts import tables
    from cohort.registry.frames import table
    from cohort.scaling import law, laws

__version__ = "0.2.0"

__all__ = [
    "CohortError",
    "accelerator",
    "accelerators",
    "architecture",
    "chapters",
    "display",
    "errors",
    "experts",
    "fitting",
    "footprint",
    "grid",
    "grids",
    "law",
    "laws",
    "model",
    "models",
    "numeric",
    "planning",
    "registry",
    "reports",
    "runner",
    "scaling",
    "serving",
    "table",
    "tables",
    "units",
]

_LOOKUPS = {
    "CohortError": "errors",
    "accelerator": "registry.devices",
    "accelerators": "registry.devices",
    "grid": "footprint.places",
    "grids": "footprint.places",
    "law": "scaling",
    "laws": "scaling",
    "model": "architecture.registered",
    "models": "architecture.registered",
    "table": "registry.frames",
    "tables": "registry.facts",
}
_SUBMODULES = frozenset(__all__) - _LOOKUPS.keys()


def __getattr__(name: str) -> Any:
    from importlib import import_module

    from cohort.errors import extras

    with extras():
        if name in _SUBMODULES:
            return import_module(f"cohort.{name}")
        if name in _LOOKUPS:
            value = getattr(import_module(f"cohort.{_LOOKUPS[name]}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'cohort' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
