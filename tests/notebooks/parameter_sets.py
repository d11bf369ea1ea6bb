"""Parameters drawn for a chapter from what it declares: extremes, one model, all models, a path, each type."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cohort
from cohort.architecture import dtypes
from cohort.footprint import places
from cohort.registry.facts import config_path
from cohort.runner.parameter_cells import Parameter, read_parameters
from cohort.runner.notebook.document import read_notebook

OWN = {"mine.json": "dbrx", "small.json": "smollm2-135m"}  # configs of a reader, as of these models
KEPT = 0.4  # of the parameters of a set stay as they are


def own_configs(folder: Path) -> None:
    """Write the configs that paths among the parameters name into a folder."""
    for name, model in OWN.items():
        (folder / name).write_text(Path(config_path(model)).read_text(encoding="utf-8"), encoding="utf-8")


# What a text may be, by the name of its parameter; what a list of texts holds, likewise.
CHOICES: dict[str, Callable[[], Sequence[str]]] = {
    "model": lambda: [*cohort.models(), *OWN],
    "models": lambda: [*cohort.models(), *OWN],
    "beside": lambda: [*cohort.models(), *OWN],
    "accelerator": cohort.accelerators,
    "accelerators": cohort.accelerators,
    "grid": places.grids,
    "places": places.grids,
    "law": lambda: ["fitted", *cohort.laws()],
    "dtype": dtypes.precisions,
    "kv_dtype": dtypes.precisions,
    "weight_dtype": lambda: [*dtypes.precisions(), "awq", "mxfp4"],
    "loss": lambda: ["huber", "lad", "log_mse", "mse"],
    "placement": lambda: ["blind", "by load", "with copies"],
    "benchmark": lambda: sorted(set(cohort.table("benchmarks")["benchmark"])),
    "use": lambda: ["training", "serving"],
    "boundary": lambda: ["accelerator", "node", "facility", "with_embodied", "with_development"],
    "unit": lambda: ["", "answer"],
    "runs": lambda: ["chinchilla"],
    "logs": lambda: [],
    "layout": lambda: [""],
    "intensity": lambda: [""],
    "contracts": lambda: ["wind power:0:share 0.4", "sun:0:hours 9-17"],
}

_RANGE = re.compile(r"from (\d+(?:\.\d+)?) to (\d+(?:\.\d+)?)")


def drawn(chapter: Path, number: int) -> dict[str, Any]:
    """Return a set of parameters for a chapter; the same for the same number."""
    chance = random.Random(f"{chapter.stem} {number}")
    known = read_parameters(chapter.stem, read_notebook(chapter))
    values = {one.name: value(one, chance) for one in known if chance.random() > KEPT}
    return values or {known[0].name: value(known[0], chance)}


def value(parameter: Parameter, chance: random.Random) -> Any:
    """Return a value of a parameter, which may be an extreme one."""
    if parameter.type == "str":
        return chance.choice(CHOICES[parameter.name]())
    if parameter.type == "list[str]":
        return _some(list(CHOICES[parameter.name]()), chance)
    assert parameter.type in ("int", "float") and isinstance(parameter.default, int | float)
    kind = int if parameter.type == "int" else float
    ends = _RANGE.search(parameter.help)
    if ends or (kind is float and "share of" in f"{parameter.name} {parameter.help}".casefold()):
        low, high = map(float, ends.groups() if ends else (0, 1))
        return kind(chance.choice([low, high, low + (high - low) * chance.random()]))
    near = (parameter.default or 1) * 10 ** chance.choice([-6, -3, -1, -0.3, 0.3, 1, 3, 6])
    return (
        chance.choice([1, 2, 3, max(1, round(near))])
        if kind is int
        else chance.choice([1.0, float(f"{near:.3g}")])
    )


def _some(names: list[str], chance: random.Random) -> list[str]:
    """Return one of some names, few, many, or all of them."""
    if not names:
        return []
    count = chance.choice([1, 1, 2, 3, 12, 12, len(names) if chance.random() < 0.3 else 1])
    return chance.sample(names, min(count, len(names)))
