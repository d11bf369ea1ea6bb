"""The kernels and steps measured on one device without an engine, as times that constants predict."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import cohort
from cohort.architecture.decoder import ModelSpec
from cohort.registry import facts
from cohort.registry.devices import sixteen_bit_type
from cohort.serving.attainment import Attained
from cohort.serving.groups import device_group
from cohort.serving.layouts import Layout
from cohort.serving.step import DeviceGroup

RUN, DEVICE = "h100-1", "H100 SXM 80GB"  # of the tables device_measurements and device_runs
# Experts, experts of a token, and weights of one, of the grouped products that were measured.
EXPERTS = {
    "mixtral-8x7b": (8, 2, 3 * 4096 * 14336),
    "qwen3-30b-a3b": (128, 8, 3 * 2048 * 768),
    "deepseek-v3 tp8": (256, 8, 3 * 7168 * 256),
}
HEADS, KV_HEADS, SIZE = 32, 8, 128  # of the attention that was measured by itself, Llama 3 8B's


@dataclass(frozen=True, slots=True)
class Cell:
    """One measured time.

    Attributes
    ----------
    group : str
        ``product``, ``decode``, ``prefill``, ``experts``, ``decode attention`` or ``attention``.
    seconds : float
        What was measured.
    predicted : callable
        What constants say.
    step : bool
        Whether it is a whole step.
    """

    group: str
    seconds: float
    predicted: Callable[[Attained], float]
    step: bool = False


def device_cells() -> list[Cell]:
    """Return the measured times that the constants of kernels predict."""
    rows = [row for row in facts.rows("device_measurements") if row["run"] == RUN]
    read = {
        (row["case"], row["tokens"]): float(row["value"]) for row in rows if row["quantity"] == "experts read"
    }
    return [cell for row in rows if (cell := _cell(row, read)) is not None]


def _cell(row: dict[str, str], read: dict[tuple[str, str], float]) -> Cell | None:
    group, quantity, case = row["group"], row["quantity"], row["case"]
    if quantity in ("time of a step", "time of a prompt") and "no graph" not in case:
        return _whole(row)
    if quantity != "time" or case == "naive":
        return None
    seconds = float(row["value"]) * 1e-6
    if group == "product":
        found = re.search(r"(\d+)x(\d+)", case)
        assert found is not None
        weights, tokens, dtype = int(found[1]) * int(found[2]), int(row["tokens"]), row["dtype"]
        return Cell(group, seconds, lambda a: _product(a, dtype, weights, tokens))
    if group == "experts":
        (_, active, each), tokens = EXPERTS[case], int(row["tokens"])
        covered = read[case, row["tokens"]]
        return Cell(group, seconds, lambda a: _grouped(a, covered * each, active * each, tokens))
    batch, context = int(row["batch"] or 0), int(row["context"] or 0)
    if group == "decode attention":
        return Cell(group, seconds, lambda a: _decode(a, batch * context))
    if group == "attention":
        return Cell(group, seconds, lambda a: _prompt(a, context))
    return None


def _longer(attained: Attained, read: float, multiplied: float) -> float:
    power = attained.corner
    return (read**power + multiplied**power) ** (1 / power)


def _product(attained: Attained, dtype: str, weights: int, tokens: int) -> float:
    device = cohort.accelerator(DEVICE)
    read = weights * (1 if dtype == "fp8" else 2) / (attained.read_share(device, dtype) * device.bandwidth)
    return attained.launches["product"] + _longer(
        attained, read, 2 * weights * tokens / attained.product_rate(device, dtype)
    )


def _grouped(attained: Attained, read: float, active: int, tokens: int) -> float:
    device, experts, seconds = cohort.accelerator(DEVICE), attained.experts, attained.launches
    byte = 2 * read / (attained.read_share(device, "bf16") * experts["read"] * device.bandwidth)
    rate = attained.product_rate(device, "bf16") * experts["matrices"]
    launched = seconds["routing"] + 2 * seconds["product"]
    return launched + _longer(attained, byte, 2 * active * tokens / rate)


def _decode(attained: Attained, tokens: int) -> float:
    device = cohort.accelerator(DEVICE)
    byte = 2 * 2 * KV_HEADS * SIZE * tokens / (attained.cache * device.bandwidth)
    peak = device.peak(sixteen_bit_type(device))
    scored = 4 * HEADS * SIZE * tokens / (attained.scores["grouped"] * peak)
    return attained.launches["grouped"] + max(byte, scored)


def _prompt(attained: Attained, tokens: int) -> float:
    device = cohort.accelerator(DEVICE)
    rate = device.peak("bf16") * attained.fastest(DEVICE, "16-bit") * attained.scores["prompts"]
    return attained.launches["grouped"] + 4 * HEADS * SIZE * tokens * (tokens + 1) / 2 / rate


def _whole(row: dict[str, str]) -> Cell:
    found = re.match(r"(\S+), (\d+) layers", row["case"])
    assert found is not None
    whole = cohort.model(found[1])
    spec = replace(whole, layers=whole.layers[: int(found[2])])
    batch, context, dtype = int(row["batch"]), int(row["context"]), row["dtype"]
    seconds = float(row["value"]) * 1e-3
    if row["group"] == "prefill":
        return Cell("prefill", seconds, lambda a: _group(spec, dtype, a).prompts(context, chunk=context))
    return Cell(
        "decode", seconds, lambda a: sum(_group(spec, dtype, a).step(batch, context).values()), step=True
    )


def _group(spec: ModelSpec, dtype: str, attained: Attained) -> DeviceGroup:
    return device_group(spec, DEVICE, Layout(), dtype, "bf16", attained)
