"""Parameters drawn for a chapter from what it declares: extremes, one or all models, a path, each type."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cohort
from cohort.architecture import dtypes
from cohort.display.published_values import disclosed
from cohort.footprint import places
from cohort.planning.burden import price_of
from cohort.registry.facts import config_path
from cohort.runner.notebook.document import read_notebook
from cohort.runner.parameter_cells import Parameter, read_parameters

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

# What a chapter takes of them.
OF_CHAPTER: dict[tuple[str, str], Callable[[], Sequence[str]]] = {
    ("expert_tradeoffs", "model"): lambda: [name for name in cohort.models() if cohort.model(name).experts],
    ("data_optimal", "model"): lambda: [spec.name for spec, *_ in disclosed(cohort.models())],
    ("decide", "accelerators"): lambda: [
        name for name in cohort.accelerators() if price_of(cohort.accelerator(name), None)
    ],
}
# Numbers whose range is narrower than their type's.
NUMBERS: dict[str, Sequence[float]] = {
    "tensor_parallel": (1, 2, 4, 8),
    "expert_parallel": (1, 2, 4, 8),
    "resamples": (20, 50, 200),
    "draws": (100, 500, 5000),
    "bytes_per_element": (0.5, 1.0, 2.0, 4.0, 16.0),
    "pue": (0.0, 1.0, 1.2, 3.0),
    "capacity_factor": (0.1, 1.0, 8.0),
    "training_utilisation": (0.01, 0.4, 1.0),
    "prefill_utilisation": (0.01, 0.4, 1.0),
    "decode_utilisation": (0.0001, 0.05, 1.0),
    "years": (0.01, 0.5, 2.0, 30.0),
    "lifetime_years": (0.0, 0.5, 5.0, 20.0),
}

# What a chapter refuses beyond, in one sentence: sets stay within, so that they try the chapter.
TAKEN: dict[tuple[str, str], tuple[float, float]] = {
    ("my_footprint", "share"): (0.01, 1.0),
    ("decide", "training_flop"): (1e21, 1e26),
}

_RANGE = re.compile(r"from (\d+(?:\.\d+)?) to (\d+(?:\.\d+)?)")


def drawn(chapter: Path, number: int) -> dict[str, Any]:
    """Return a set of parameters for a chapter; the same for the same number."""
    chance = random.Random(f"{chapter.stem} {number}")
    known = read_parameters(chapter.stem, read_notebook(chapter))
    changed = [one for one in known if chance.random() > KEPT] or known[:1]
    return {one.name: value(chapter.stem, one, chance) for one in changed}


def value(chapter: str, parameter: Parameter, chance: random.Random) -> Any:
    """Return a value of a parameter that a chapter takes, which may be an extreme one."""
    found = _drawn(chapter, parameter, chance)
    taken = TAKEN.get((chapter, parameter.name))
    return min(max(found, taken[0]), taken[1]) if taken else found


def _drawn(chapter: str, parameter: Parameter, chance: random.Random) -> Any:
    if parameter.type in ("str", "list[str]"):
        named = OF_CHAPTER.get((chapter, parameter.name)) or CHOICES[parameter.name]
        return chance.choice(named()) if parameter.type == "str" else _some(list(named()), chance)
    if parameter.name in NUMBERS:
        return chance.choice(NUMBERS[parameter.name])
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
