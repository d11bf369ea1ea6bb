"""A Cohort of Models: exact models, memory and costs of open-weight language models.

Submodules load when they are first used: ``cohort.configs.model`` works after a bare ``import cohort``,
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
        allocations,
        attention,
        book,
        chinchilla,
        claims,
        configs,
        context,
        errors,
        experts,
        facts,
        fitting,
        footprint,
        hardware,
        kernels,
        models,
        plotting,
        published,
        roots,
        scaling,
        serving,
        tables,
        throughput,
        uncertainty,
    )
    from cohort.configs import model
    from cohort.errors import CohortError
    from cohort.footprint.factors import grid, grids
    from cohort.hardware import accelerator, accelerators
    from cohort.scaling import law, laws
    from cohort.tables import table

__version__ = "0.1.0"

__all__ = [
    "CohortError",
    "accelerator",
    "accelerators",
    "allocations",
    "attention",
    "book",
    "chinchilla",
    "claims",
    "configs",
    "context",
    "errors",
    "expert_parallel",
    "experts",
    "facts",
    "fitting",
    "footprint",
    "grid",
    "grids",
    "hardware",
    "kernels",
    "law",
    "laws",
    "mixtures",
    "model",
    "models",
    "plotting",
    "published",
    "roots",
    "routed",
    "routing",
    "scaling",
    "serving",
    "table",
    "tables",
    "throughput",
    "uncertainty",
]

_LOOKUPS = {
    "CohortError": "errors",
    "accelerator": "hardware",
    "accelerators": "hardware",
    "grid": "footprint",
    "grids": "footprint",
    "law": "scaling",
    "laws": "scaling",
    "model": "configs",
    "table": "tables",
}
_SUBMODULES = frozenset(__all__) - _LOOKUPS.keys()


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f"cohort.{name}")
    if name in _LOOKUPS:
        value = getattr(import_module(f"cohort.{_LOOKUPS[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'cohort' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
