"""What others print of caches and of attention's memory, beside what is derived here."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cohort.architecture.attention import naive_score_bytes, naive_training_bytes, tiled_training_bytes
from cohort.architecture.registered import model as read_model
from cohort.architecture.registered import title
from cohort.chapters.judging import quoted
from cohort.registry import facts
from cohort.registry.measured import FIRST, DeviceRun, device_rows
from cohort.units import GB, GIB, KIB, MIB, SECONDS

_UNITS = {"KiB": KIB, "GiB": GIB, "kB": 10**3, "GB": GB}


def published_caches() -> pd.DataFrame:
    """Return the cache sizes that others print beside the derived ones.

    Returns
    -------
    DataFrame
        Per model: ``context`` in tokens, ``printed`` and ``derived`` in the ``unit`` of the print, their
        ``gap`` in per cent, whether the derived one ``rounds`` to the printed digits, and ``source``.
    """
    records = []
    for row in facts.rows("published_caches"):
        spec = read_model(row["model"])
        width = float(row["bytes_per_element"])
        derived = spec.kv_cache_bytes(int(row["context"]), bytes_per_element=width) / _UNITS[row["unit"]]
        digits = len(row["value"].partition(".")[2])
        records.append(
            {
                "model": title(spec),
                "context": int(row["context"]),
                "printed": float(row["value"]),
                "derived": derived,
                "unit": row["unit"],
                "gap": 100 * (derived / float(row["value"]) - 1),
                "rounds": round(derived, digits) == float(row["value"]),
                "source": row["source"],
            }
        )
    return pd.DataFrame(records).set_index("model")


def published_memory() -> pd.DataFrame:
    """Return the memory that FlashAttention's authors print beside that of the formulas.

    Returns
    -------
    DataFrame
        ``method``, ``context`` in tokens, ``printed`` and ``derived`` in MiB.
    """
    formulas = {"naive": naive_training_bytes, "flash": tiled_training_bytes}
    records = []
    for row in facts.rows("flash_attention_memory"):
        sizes = [int(row[name]) for name in ("context", "heads", "head_dim", "batch", "bytes_per_element")]
        records.append(
            {
                "method": row["method"],
                "context": sizes[0],
                "printed": float(row["value"]),
                "derived": formulas[row["method"]](*sizes) / MIB,
            }
        )
    return pd.DataFrame(records)


# The layer whose attention `benchmarks/device/attention.py` measures, in two bytes a number.
DEVICE_HEADS, DEVICE_HEAD_DIM, DEVICE_BYTES = 32, 128, 2


def device_attention(run: str = FIRST) -> tuple[DeviceRun, pd.DataFrame]:
    """Return attention as measured on an accelerator, naive and fused, beside the memory of the formulas.

    Parameters
    ----------
    run : str
        A run of the table ``device_runs``.

    Returns
    -------
    DeviceRun, DataFrame
        Of the run; and by context in tokens: ``naive`` and ``flash``, the measured peak memory in MiB beside
        the inputs; ``naive derived`` (two squares and the result) and ``flash derived`` (the result alone) in
        MiB; ``naive time`` and ``flash time`` in seconds. NaN where a way was not measured.

    Raises
    ------
    UnknownNameError
        If there is no such run.
    """
    about, rows = device_rows("attention", run)
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        if row["case"] not in ("naive", "flash"):
            continue
        line = found.setdefault(int(row["context"]), {})
        if row["quantity"] == "time":
            line[f"{row['case']} time"] = float(row["value"]) * SECONDS[row["unit"]]
        elif row["quantity"] == "peak memory":
            line[row["case"]] = float(row["value"]) / MIB
    for context, line in found.items():
        result = DEVICE_BYTES * DEVICE_HEADS * DEVICE_HEAD_DIM * context
        scores = naive_score_bytes(context, DEVICE_HEADS, bytes_per_element=DEVICE_BYTES)
        line["naive derived"], line["flash derived"] = (scores + result) / MIB, result / MIB
    table = pd.DataFrame.from_dict(found, orient="index").sort_index().rename_axis("tokens")
    return about, table


def saving(model: str, other: str, bits: float = 16, other_bits: float = 16) -> float:
    """Return by which share the cache of a token is smaller in one model than in another.

    Parameters
    ----------
    model, other : str
        Names or paths; the first is the one that saves.
    bits, other_bits : float
        Bits of one cached number of each.

    Returns
    -------
    float
        Below 1; negative where the first takes more.

    Raises
    ------
    CohortError
        If there is no such model.
    """
    small = read_model(model).kv_cache_bytes(1, bytes_per_element=bits / 8)
    return 1 - small / read_model(other).kv_cache_bytes(1, bytes_per_element=other_bits / 8)


def inexact(memory: pd.DataFrame) -> pd.DataFrame:
    """Return the printed figures that the formulas do not give to the last digit.

    Parameters
    ----------
    memory : DataFrame
        As `published_memory` returns it.

    Returns
    -------
    DataFrame
        Its rows that differ.
    """
    return memory[(memory["derived"] - memory["printed"]).abs() > 1e-9]


@dataclass(frozen=True, slots=True)
class Savings:
    """Savings that two reports state, beside our counts.

    Attributes
    ----------
    window : float
        Times that the window of Mistral 7B makes the cache smaller at the length that its report names.
    latent, same_precision : float
        Share of the cache of DeepSeek 67B that DeepSeek-V2 saves: with its numbers as short as it stores
        them when it serves, and with 16 bits for both.
    printed : float
        That share as DeepSeek-V2's report prints it, in per cent.
    """

    window: float
    latent: float
    same_precision: float
    printed: float


def reported_savings() -> Savings:
    """Return the savings that the reports of Mistral 7B and DeepSeek-V2 state, and what we count.

    Returns
    -------
    Savings
        Mixtral 8x7B, which has the attention of Mistral 7B without a window, is the other side of the first
        :cite:p:`jiang2023mistral`, DeepSeek 67B that of the second :cite:p:`deepseek2024v2`.
    """
    context = round(quoted("Mistral 7B", "context at which its window makes the cache eight times smaller"))
    unbounded, windowed = (
        read_model(name).kv_cache_bytes(context) for name in ("mixtral-8x7b-v0.1", "mistral-7b-v0.1")
    )
    bits = quoted("DeepSeek-V2", "bits of a cached number when it serves")
    latent, same = (saving("deepseek-v2", "deepseek-67b", each) for each in (bits, 16))
    printed = quoted("DeepSeek-V2", "share of the cache that it saves over DeepSeek 67B")
    return Savings(unbounded / windowed, latent, same, printed)
