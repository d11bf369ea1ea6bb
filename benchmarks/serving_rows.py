"""Measured services of 2025 and 2026, as requests to `cohort.serving.serve`.

`serving_2026.csv` beside this script holds the rows whose repository states a licence: the cells of
`silicon_sample.csv` in NVIDIA's aiconfigurator (Apache 2.0), one a line, with the time per token and the time
to the first token. `published` reads a longer table of the same fields as
``benchmarks/serving_rows.py PATH`` takes them, one metric a line; run so, it writes the table anew.

One campaign, InferenceX, draws lengths from 0.8 to 1.0 of the stated ones, and is kept under two names: a
cell at its lengths, of a model that it alone ran, is one of its own.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration import as_csv

import cohort
from cohort.architecture.registered import model as read_model
from cohort.serving.attainment import Attained

TABLE = Path(__file__).parent / "serving_2026.csv"
FIELDS = (
    "model", "weight_format", "kv_dtype", "accelerator", "tensor_parallel", "attention_data_parallel",
    "expert_parallel", "concurrency", "input_tokens", "output_tokens", "drawn", "engine", "engine_version",
    "token_ms", "first_token_ms", "use", "campaign",
)  # fmt: skip
LICENSED = "silicon_sample.csv"
DRAWN = 0.9  # mean of lengths that are drawn from 0.8 to 1.0 of the stated ones
CAMPAIGN_LENGTHS = {("1024", "1024"), ("1024", "8192"), ("8192", "1024")}
CAMPAIGN_MODELS = ("kimi-k2.5", "qwen3.5-397b")
NAMES = {"qwen3.5-397b": "qwen3.5-397b-a17b", "qwen3-235b": "qwen3-235b-a22b"}
METRICS = {"tpot_median": "token_ms", "ttft_median": "first_token_ms"}
# Rows of MI355X that calibrate, since no other row of AMD does; its other models test.
AMD_CALIBRATES = ("deepseek-r1", "gpt-oss-120b")


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured service.

    Attributes
    ----------
    request : dict
        Arguments of `cohort.serving.serve`.
    token_s, first_s : float
        Time per token and time to the first, in seconds; 0 where it was not measured.
    row : dict
        The row.
    """

    request: dict[str, Any]
    token_s: float
    first_s: float
    row: dict[str, str]

    @property
    def kind(self) -> str:
        """``dense`` or ``mixture``."""
        return "mixture" if read_model(self.request["model"]).experts else "dense"

    def predicted(self, attained: Attained | None = None) -> tuple[float, float]:
        """Return the predicted time per token and to the first, in seconds."""
        found = cohort.serving.serve(**self.request, attained=attained)
        return found.tpot_s, found.ttft_s


def weight_format(row: dict[str, str]) -> str:
    """Return how a release in a type stores its weights; the tables of campaigns name the type alone."""
    dtype, model, amd = row["precision_weights"], row["model"], row["accelerator"].startswith("MI")
    dense = read_model(NAMES.get(model, model)).experts is None
    if model.startswith("gpt-oss"):
        return "mxfp4"
    if dtype == "fp4":
        return ("fp4" if amd else "nvfp4") if dense else ("mxfp4" if amd else "nvfp4_mlp")
    return "released" if dtype == "int4" else dtype


def published(path: Path) -> list[dict[str, str]]:
    """Return the cells of a table of one metric a line, in the fields of ours."""
    cells: dict[tuple[str, ...], dict[str, str]] = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["metric"] not in METRICS or row["use"] == "leave out":
                continue
            cell = _cell(row)
            found = cells.setdefault(tuple(cell.values()), cell | dict.fromkeys(METRICS.values(), ""))
            found[METRICS[row["metric"]]] = row["value"]
    return list(cells.values())


def _cell(row: dict[str, str]) -> dict[str, str]:
    lengths = row["input_len"], row["output_len"]
    drawn = "0.8" in row["note"] or (lengths in CAMPAIGN_LENGTHS and row["model"] in CAMPAIGN_MODELS)
    return {
        "model": NAMES.get(row["model"], row["model"]),
        "weight_format": weight_format(row),
        "kv_dtype": row["precision_kv"] or "bf16",
        "accelerator": row["accelerator"],
        "tensor_parallel": row["tp"],
        "attention_data_parallel": row["attention_dp"],
        "expert_parallel": "yes" if int(row["ep"]) > 1 else "",
        "concurrency": row["batch_or_concurrency"],
        "input_tokens": lengths[0],
        "output_tokens": lengths[1],
        "drawn": "yes" if drawn else "",
        "engine": row["engine"],
        "engine_version": row["engine_version"],
        "use": row["use"],
        "campaign": ("InferenceX" if drawn else "NVIDIA")
        + (", a demo" if "demo" in row["source_title"] else ""),
    }


def measured(rows: Iterable[dict[str, str]]) -> list[Measured]:
    """Return rows as requests."""
    return [_measured(row) for row in rows]


def _measured(row: dict[str, str]) -> Measured:
    share = DRAWN if row["drawn"] else 1.0
    request = {
        "model": cohort.model(row["model"]),
        "accelerator": cohort.accelerator(row["accelerator"]),
        "tensor_parallel": int(row["tensor_parallel"]),
        "attention_data_parallel": int(row["attention_data_parallel"]),
        "expert_parallel": bool(row["expert_parallel"]),
        "concurrency": int(row["concurrency"]),
        "input_tokens": max(int(share * int(row["input_tokens"])), 1),
        "output_tokens": max(int(share * int(row["output_tokens"])), 1),
        "weight_dtype": row["weight_format"],
        "kv_dtype": row["kv_dtype"],
        "engine": row["engine"],
        "together": not row["drawn"],
    }
    return Measured(request, _seconds(row["token_ms"]), _seconds(row["first_token_ms"]), row)


def _seconds(milliseconds: str) -> float:
    return float(milliseconds) / 1e3 if milliseconds else 0.0


def table() -> list[dict[str, str]]:
    """Return the rows of the table beside this script."""
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Write the rows of licensed sources of a longer table."""
    with Path(sys.argv[1]).open(encoding="utf-8") as file:
        licensed = {
            tuple(_cell(row).values()) for row in csv.DictReader(file) if LICENSED in row["source_url"]
        }
    names = [name for name in FIELDS if name not in METRICS.values()]
    rows = [row for row in published(Path(sys.argv[1])) if tuple(row[name] for name in names) in licensed]
    TABLE.write_text(as_csv(list(FIELDS), ([row[name] for name in FIELDS] for row in rows)), encoding="utf-8")
    print(f"{len(rows)} rows")


if __name__ == "__main__":
    main()
