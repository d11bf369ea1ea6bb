"""Errors of the energy of a token on metered configurations, each model predicted from the others alone.

Run it as ``.venv/bin/python benchmarks/score_metered_energy.py PATH``, where PATH is a table of one metered
configuration a line: ``model``, ``task``, ``accelerator``, ``devices``, ``data_parallel``, ``mean_batch``,
``mean_output_tokens``, ``weight_dtype`` and ``joules_per_output_token``, as the data of the ML.ENERGY
leaderboard give them. Those state no licence, so that the book ships what follows from them and not the rows.

The coefficients are fitted without any row of the model's own, as `calibration.leave_one_out` does. Prompts
are not published. Those of chats and of questions are taken as short as the fit takes them. That of code
completion is the length at which the smaller coder has no median error; its rows are then no test. ``--chat``
takes all prompts as short and counts all rows.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, stdev

import cohort
from cohort.footprint import calibration, energy
from cohort.footprint.carried import coefficients_on
from cohort.footprint.energy import Coefficients
from cohort.footprint.factors import DRAWN, factor
from cohort.registry.devices import accelerator

# What a name of the source holds, the model of the book, and how the rows of the fit call it.
MODELS = {
    "Qwen3-235B": ("qwen3-235b-a22b", "Qwen3 235B-A22B"),
    "30B-A3B": ("qwen3-30b-a3b", "Qwen3 30B-A3B"),
    "Coder-480B": ("qwen3-coder-480b-a35b", ""),
    "Qwen3-32B": ("qwen3-32b", "Qwen3 32B"),
    "Qwen3-14B": ("qwen3-14b", "Qwen3 14B"),
    "Qwen3-8B": ("qwen3-8b", "Qwen3 8B"),
    "-70B-": ("llama-3-70b", "Llama 3.1 70B"),
    "Llama-3.1-8B": ("llama-3-8b", "Llama 3.1 8B"),
    "Llama-3.1-405B": ("llama-3.1-405b", "Llama 3.1 405B"),
    "Scout": ("llama-4-scout", "Llama 4 Scout"),
    "Maverick": ("llama-4-maverick", "Llama 4 Maverick"),
    "gemma-3-27b": ("gemma-3-27b", "Gemma 3 27B"),
}
COMPLETION = "sourcegraph-fim"
CHAT = calibration.PROMPT


@dataclass(frozen=True)
class Row:
    """A metered configuration."""

    spec: cohort.architecture.ModelSpec
    fitted_as: str
    task: str
    device: cohort.registry.devices.Accelerator
    devices: int
    copies: int
    requests: int
    written: int
    dtype: str
    joules: float

    def ratio(self, found: Coefficients, prompt: int) -> float:
        """Return predicted over measured energy of a token."""
        on = coefficients_on(self.device)
        share = on.multiply / energy.coefficients().multiply
        kept = Coefficients(
            found.step, found.read, found.multiply * share, found.token, found.prompt, found.context,
            found.answer, found.expert,
        )  # fmt: skip
        drawn = factor("training", DRAWN).central
        lengths = prompt, self.written
        chat = energy.joules_per_token(self.spec, self.devices, self.requests, self.dtype, kept)
        beyond = energy.prompt_joules(self.spec, self.device, *lengths, drawn, self.dtype, kept)
        beyond += energy.cache_joules(self.spec, *lengths, found=kept)
        return (chat + beyond / self.written) / self.joules


def read(path: Path) -> list[Row]:
    """Return the rows of a table."""
    found = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            model, fitted_as = next(own for part, own in MODELS.items() if part in row["model"])
            dtype = "fp8" if row["weight_dtype"] == "fp8" else "bf16"
            counts = int(row["devices"]), int(row["data_parallel"]), max(1, round(float(row["mean_batch"])))
            own = accelerator(row["accelerator"]), *counts, round(float(row["mean_output_tokens"]))
            energy_j = float(row["joules_per_output_token"])
            found.append(Row(cohort.model(model), fitted_as, row["task"], *own, dtype, energy_j))
    return found


def without(rows: Sequence[Row]) -> dict[str, Coefficients]:
    """Return the coefficients fitted without each model."""
    points = calibration.measured_energies("calibrate")
    return {
        name: calibration.fit_coefficients([each for each in points if each.model != name])
        for name in {row.fitted_as for row in rows}
    }


def inferred_prompt(rows: Sequence[Row], found: Coefficients) -> int:
    """Return the prompt, in steps of 50 tokens, at which the median ratio is nearest to 1."""
    steps = range(CHAT, 8192, 50)
    return min(steps, key=lambda prompt: abs(math.log(median(row.ratio(found, prompt) for row in rows))))


CLASSES: dict[str, Callable[[Row], bool]] = {
    "all": lambda row: True,
    "dense": lambda row: not row.spec.experts,
    "mixture": lambda row: bool(row.spec.experts),
    "fp8": lambda row: row.dtype == "fp8",
    "reasoning": lambda row: row.task == "gpqa",
    "B200": lambda row: row.device.name == "B200",
}


def print_classes(title: str, ratios: Sequence[tuple[Row, float]]) -> None:
    """Print the errors by class: how many, the median, the spread, and how many lie inside the range."""
    usual = factor("serving", "measured energy over that of the terms")
    print(f"\n{title:44}{'rows':>6}{'median':>8}{'spread':>8}{'inside':>8}")
    for name, belongs in CLASSES.items():
        own = [ratio for row, ratio in ratios if belongs(row)]
        if len(own) > 1:
            inside = sum(usual.low <= 1 / ratio <= usual.high for ratio in own) / len(own)
            spread = math.exp(stdev(math.log(ratio) for ratio in own))
            print(f"{name:44}{len(own):6}{median(own):8.2f}{spread:8.2f}{inside:8.2f}")


def main() -> None:
    """Print all of it."""
    rows = read(Path(next(each for each in sys.argv[1:] if not each.startswith("-"))))
    fits = without(rows)
    small = [row for row in rows if row.task == COMPLETION and row.fitted_as]
    longer = inferred_prompt(small, fits[small[0].fitted_as]) if small and "--chat" not in sys.argv else CHAT
    print(f"prompts of code completion: {longer} tokens, by {len(small)} rows of the smaller coder")
    tested = rows if longer == CHAT else [row for row in rows if row not in small]
    prompts = {COMPLETION: longer}
    ratios = [(row, row.ratio(fits[row.fitted_as], prompts.get(row.task, CHAT))) for row in tested]
    print_classes("every row", ratios)
    print_classes("one copy of the attention", [pair for pair in ratios if pair[0].copies == 1])
    print_classes("several copies of the attention", [pair for pair in ratios if pair[0].copies > 1])
    print("\nby model, one copy of the attention")
    for name in dict.fromkeys(row.spec.name for row in tested):
        own = [ratio for row, ratio in ratios if row.spec.name == name and row.copies == 1]
        print(f"{name:44}{len(own):6}{median(own):8.2f}")


if __name__ == "__main__":
    main()
