"""The kernels and steps measured on one device without an engine, as times that constants predict."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import model as read_model
from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.registry.devices import Accelerator, accelerator, sixteen_bit_type
from cohort.registry.measured import FIRST, device_run
from cohort.serving.attainment import Attained
from cohort.serving.groups import device_group
from cohort.serving.layouts import Layout
from cohort.serving.step import DeviceGroup

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


def device_cells(run: str = FIRST) -> list[Cell]:
    """Return the measured times of a run that the constants of kernels predict.

    Parameters
    ----------
    run : str
        A run of the table ``device_runs``; the first is the one that calibrates.

    Returns
    -------
    list of Cell

    Raises
    ------
    UnknownNameError
        If there is no such run.

    Examples
    --------
    >>> from cohort.serving import attained
    >>> step = next(cell for cell in device_cells() if cell.step)
    >>> abs(step.predicted(attained("kernels")) / step.seconds - 1) < 0.05
    True
    """
    device = device_run(run).accelerator
    rows = [row for row in facts.rows("device_measurements") if row["run"] == run]
    read = {
        (row["case"], row["tokens"]): float(row["value"]) for row in rows if row["quantity"] == "experts read"
    }
    return [cell for row in rows if (cell := _cell(row, read, device)) is not None]


def _cell(row: dict[str, str], read: dict[tuple[str, str], float], name: str) -> Cell | None:
    group, quantity, case = row["group"], row["quantity"], row["case"]
    if quantity in ("time of a step", "time of a prompt") and "no graph" not in case:
        return _whole(row, name)
    if quantity != "time" or case == "naive":
        return None
    seconds, device = float(row["value"]) * 1e-6, accelerator(name)
    if group == "product":
        found = re.search(r"(\d+)x(\d+)", case)
        assert found is not None
        weights, tokens, dtype = int(found[1]) * int(found[2]), int(row["tokens"]), row["dtype"]
        return Cell(group, seconds, lambda a: _product(a, device, dtype, weights, tokens))
    if group == "experts":
        (_, active, each), tokens = EXPERTS[case], int(row["tokens"])
        covered = read[case, row["tokens"]]
        return Cell(group, seconds, lambda a: _grouped(a, device, covered * each, active * each, tokens))
    batch, context = int(row["batch"] or 0), int(row["context"] or 0)
    if group == "decode attention":
        return Cell(group, seconds, lambda a: _decode(a, device, batch * context))
    if group == "attention":
        return Cell(group, seconds, lambda a: _prompt(a, device, context))
    return None


def _longer(attained: Attained, read: float, multiplied: float) -> float:
    power = attained.corner
    return float((read**power + multiplied**power) ** (1 / power))


def _product(attained: Attained, device: Accelerator, dtype: str, weights: int, tokens: int) -> float:
    read = weights * (1 if dtype == "fp8" else 2) / (attained.read_share(device, dtype) * device.bandwidth)
    return attained.launches["product"] + _longer(
        attained, read, 2 * weights * tokens / attained.product_rate(device, dtype)
    )


def _grouped(attained: Attained, device: Accelerator, read: float, active: int, tokens: int) -> float:
    experts, seconds = attained.experts, attained.launches
    byte = 2 * read / (attained.read_share(device, "bf16") * experts["read"] * device.bandwidth)
    rate = attained.product_rate(device, "bf16") * experts["matrices"]
    launched = seconds["routing"] + 2 * seconds["product"]
    return launched + _longer(attained, byte, 2 * active * tokens / rate)


def _decode(attained: Attained, device: Accelerator, tokens: int) -> float:
    byte = 2 * 2 * KV_HEADS * SIZE * tokens / (attained.cache * device.bandwidth)
    peak = device.peak(sixteen_bit_type(device))
    scored = 4 * HEADS * SIZE * tokens / (attained.scores["grouped"] * peak)
    return attained.launches["grouped"] + max(byte, scored)


def _prompt(attained: Attained, device: Accelerator, tokens: int) -> float:
    rate = device.peak("bf16") * attained.fastest(device.name, "16-bit") * attained.scores["prompts"]
    return attained.launches["grouped"] + 4 * HEADS * SIZE * tokens * (tokens + 1) / 2 / rate


def _whole(row: dict[str, str], device: str) -> Cell:
    found = re.match(r"(\S+), (\d+) layers", row["case"])
    assert found is not None
    whole = read_model(found[1])
    spec = replace(whole, layers=whole.layers[: int(found[2])])
    batch, context, dtype = int(row["batch"]), int(row["context"]), row["dtype"]
    seconds = float(row["value"]) * 1e-3
    if row["group"] == "prefill":
        return Cell(
            "prefill", seconds, lambda a: _group(spec, device, dtype, a).prompts(context, chunk=context)
        )
    return Cell(
        "decode",
        seconds,
        lambda a: sum(_group(spec, device, dtype, a).step(batch, context).values()),
        step=True,
    )


def _group(spec: ModelSpec, device: str, dtype: str, attained: Attained) -> DeviceGroup:
    return device_group(spec, device, Layout(), dtype, "bf16", attained)


explain(__name__)
