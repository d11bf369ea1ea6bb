"""Random inputs for the panels, the same on every machine: what their fields may hold, at all sizes."""

import json
import math
import random
from pathlib import Path
from typing import Any

import cohort
from cohort.panels import panel, panels
from cohort.panels.inputs import Input

CONFIGS = Path(__file__).parents[2] / "data" / "configs"
NAMES = {
    "models": cohort.models(),
    "mixtures": [name for name in cohort.models() if cohort.model(name).experts],
    "accelerators": cohort.accelerators(),
    "grids": cohort.grids(),
}


def value(own: Input, draw: random.Random) -> str:
    """Return what a field may hold, as text."""
    if own.empty and draw.random() < 0.5:
        return ""
    if own.kind == "choice":
        return draw.choice(own.allowed)
    if own.kind == "bool":
        return draw.choice(("yes", "no"))
    if own.kind == "name":
        return draw.choice(NAMES[own.names])
    if own.kind == "names":
        return ", ".join(draw.sample(NAMES[own.names], draw.randint(1, 2)))
    if own.kind == "text":
        few = draw.random() < 0.1
        return (CONFIGS / f"{draw.choice(NAMES['models'])}.json").read_text(encoding="utf-8") if few else ""
    low, high = own.slider if any(own.slider) else (own.low, own.high)
    low = max(low, 1e-3)
    found = math.exp(draw.uniform(math.log(low), math.log(high)))
    return str(round(found)) if own.kind == "int" else f"{found:.6g}"


def turns() -> list[str]:
    """Return the panels in turn; one that searches, which takes long, every fourth time."""
    rounds = [[name for name in panels() if place == 0 or not panel(name).searches] for place in range(4)]
    return [name for each in rounds for name in each]


def asked(number: int, seed: int = 0) -> list[tuple[str, dict[str, Any]]]:
    """Return as many panels, in turn, each with a few of its inputs drawn."""
    draw = random.Random(seed)
    found, order = [], turns()
    for place in range(number):
        name = order[place % len(order)]
        inputs = panel(name).inputs
        chosen = [own for own in inputs if draw.random() < 0.6]
        found.append((name, {own.name: value(own, draw) for own in chosen}))
    return found


def texts(number: int, seed: int = 0) -> list[str]:
    """Return the same as a page sends it."""
    return [json.dumps({"panel": name, "inputs": given}) for name, given in asked(number, seed)]
