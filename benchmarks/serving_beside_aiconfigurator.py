"""`cohort.serving` beside NVIDIA's `aiconfigurator`: errors on the same measured services, calls a second.

Run it as ``.venv/bin/python benchmarks/serving_beside_aiconfigurator.py [PATH]``, in an environment that has
both (``pip install aiconfigurator``; 0.12 was tried). Without a path it takes the rows of `serving_2026.csv`
that nothing of ours was fitted to; with one, the rows marked ``test`` of a table of one metric a line, as
`serving_rows.published` reads it. ``--write`` keeps the errors of the larger groups, the version of the peer
and the date in the table `serving_peers`.

The peer interpolates between times of kernels that were measured on each device, which it brings along; we
have closed forms and a few constants. Printed are the errors on the rows that both answer, the bare roofline
beside, and how many rows the peer refuses, by why. It gets the sizes of a model from its own copy of the
config, the newest measured version of the engine, and the mode in which missing kernels are estimated. Times
of a call are CPU seconds, after a first pass that fills what either keeps.

Part of the rows are the peer's own: `silicon_sample.csv`, which its repository holds its answers against.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import io
import logging
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from calibration import DATA, as_csv
from score_serving import class_of
from serving_rows import Measured, measured, published, table

import cohort
from cohort.serving import ROOFLINE

SYSTEMS = {"H100 SXM 80GB": "h100_sxm", "H200": "h200_sxm", "B200": "b200_sxm", "B300": "b300_sxm"}
BACKENDS = {"vLLM": "vllm", "SGLang": "sglang", "TensorRT-LLM": "trtllm"}
# The peer's copy of a config, by model and by how its weights are stored.
CONFIGS = {
    ("deepseek-r1", "fp8"): "deepseek-ai/DeepSeek-R1",
    ("deepseek-r1", "nvfp4_mlp"): "nvidia/DeepSeek-V3.1-NVFP4",
    ("glm-5", "fp8"): "zai-org/GLM-5-FP8",
    ("glm-5", "nvfp4_mlp"): "nvidia/GLM-5-NVFP4",
    ("gpt-oss-120b", "mxfp4"): "openai/gpt-oss-120b",
    ("kimi-k2.5", "nvfp4_mlp"): "nvidia/Kimi-K2.5-NVFP4",
    ("kimi-k2.5", "released"): "moonshotai/Kimi-K2.5",
    ("llama-3.1-8b", "bf16"): "meta-llama/Meta-Llama-3.1-8B",
    ("minimax-m2.5", "fp8"): "MiniMaxAI/MiniMax-M2.5",
    ("minimax-m2.5", "nvfp4_mlp"): "nvidia/MiniMax-M2.5-NVFP4",
    ("qwen3-235b-a22b", "fp8"): "Qwen/Qwen3-235B-A22B-FP8",
    ("qwen3-32b", "bf16"): "Qwen/Qwen3-32B",
    ("qwen3-32b", "fp8"): "Qwen/Qwen3-32B-FP8",
    ("qwen3.5-397b-a17b", "bf16"): "Qwen/Qwen3.5-397B-A17B",
    ("qwen3.5-397b-a17b", "nvfp4_mlp"): "nvidia/Qwen3.5-397B-A17B-NVFP4",
}
LEAST = 20  # rows of a group that is printed
KEPT = ("all", "kind", "class", "engine", "accelerator")  # in the table, in this order
TABLE = DATA / "serving_peers.csv"
FIELDS = (
    "time_of", "by", "group", "rows", "cohort", "cohort_ninth_decile", "aiconfigurator",
    "aiconfigurator_ninth_decile", "roofline", "version", "date",
)  # fmt: skip
TIMED = 60  # rows whose calls are timed


@dataclass(frozen=True, slots=True)
class Answers:
    """What is predicted for a measured service: times per token and to the first, in seconds."""

    row: Measured
    ours: tuple[float, float]
    bare: tuple[float, float]
    theirs: tuple[float, float]


def asked(row: Measured) -> dict[str, Any] | str:
    """Return what the peer is to be asked for a service, or why it cannot be."""
    own, request = row.row, row.request
    if own["accelerator"] not in SYSTEMS:
        return "an accelerator that it has no times of"
    if own["engine"] not in BACKENDS:
        return "an engine that it does not know"
    if (own["model"], own["weight_format"]) not in CONFIGS:
        return "a model or format without a config of its own"
    tensor, data = request["tensor_parallel"], request["attention_data_parallel"]
    devices = tensor * data
    experts = {}
    if row.kind == "mixture":
        dealt = devices if request["expert_parallel"] else 1
        experts = {"moe_ep_size": dealt, "moe_tp_size": devices // dealt}
    return {
        "model_path": CONFIGS[own["model"], own["weight_format"]],
        "system_name": SYSTEMS[own["accelerator"]],
        "backend_name": BACKENDS[own["engine"]],
        "database_mode": "HYBRID",
        "isl": request["input_tokens"],
        "osl": max(request["output_tokens"], 2),
        "batch_size": max(request["concurrency"] // data, 1),
        "tp_size": tensor,
        "attention_dp_size": data,
        "kvcache_quant_mode": "fp8" if request["kv_dtype"] == "fp8" else None,
        **experts,
    }


@lru_cache
def newest(system: str, backend: str) -> str | None:
    """Return the newest version of an engine that the peer has times of; it reads many files to tell."""
    from aiconfigurator.sdk.perf_database import get_latest_database_version

    found: str | None = get_latest_database_version(system=system, backend=backend)
    return found


def answer(given: dict[str, Any]) -> tuple[float, float]:
    """Return the peer's times per token and to the first, in seconds."""
    from aiconfigurator.cli.api import cli_estimate

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        version = newest(given["system_name"], given["backend_name"])
        found = cli_estimate(**given, backend_version=version)
    return found.tpot / 1000, found.ttft / 1000


def compared(rows: Sequence[Measured]) -> tuple[list[Answers], Counter[str]]:
    """Return the answers of all where the peer has one, and why it has none elsewhere."""
    answers, refused = [], Counter[str]()
    for row in rows:
        given = asked(row)
        if isinstance(given, str):
            refused[given] += 1
            continue
        try:
            theirs = answer(given)
        except Exception as error:  # whatever the peer says of a question that it cannot answer
            refused[f"it fails: {type(error).__name__}"] += 1
            continue
        bare = cohort.serving.serve(**row.request, attained=ROOFLINE)
        answers.append(Answers(row, row.predicted(), (bare.tpot_s, bare.ttft_s), theirs))
    return answers, refused


def errors_of(found: Sequence[Answers], place: int) -> dict[str, list[float]]:
    """Return the errors of ours, of the peer and of the bare roofline on the rows that time a place."""
    seen = [(each, (each.row.token_s, each.row.first_s)[place]) for each in found]
    return {
        kind: [getattr(each, kind)[place] / value - 1 for each, value in seen if value]
        for kind in ("ours", "theirs", "bare")
    }


def sizes(errors: Sequence[float]) -> tuple[float, float]:
    """Return the median and the ninth decile of the absolute errors, in percent."""
    absolute = [100 * abs(error) for error in errors]
    return median(absolute), quantiles(absolute, n=10)[-1]


def groups(found: Sequence[Answers]) -> dict[tuple[str, str], list[Answers]]:
    """Return the answers by what they are grouped by, and by group."""
    grouped: dict[tuple[str, str], list[Answers]] = {}
    for each in found:
        row = each.row.row
        for key in (
            ("all", "all"),
            ("kind", each.row.kind),
            ("class", class_of(each.row.kind, row)),
            ("engine", row["engine"]),
            ("accelerator", row["accelerator"]),
            ("service", f"{row['model']}, {row['accelerator']}, {row['engine']}, {row['weight_format']}"),
        ):
            grouped.setdefault(key, []).append(each)
    return grouped


def report(found: Sequence[Answers]) -> None:
    """Print all groups of a few rows or more."""
    heads = "".join(f"{name:>9}{'p90':>8}{'bias':>8}" for name in ("cohort", "peer", "bare"))
    for place, what in enumerate(("time per token, %", "time to the first token, %")):
        print(f"\n{what:66}{'rows':>6}{heads}")
        for (_, name), group in sorted(groups(found).items()):
            errors = errors_of(group, place)
            if len(errors["ours"]) >= LEAST:
                columns = ((*sizes(each), 100 * median(each)) for each in errors.values())
                text = "".join(f"{one:9.1f}{ninth:8.1f}{bias:+8.1f}" for one, ninth, bias in columns)
                print(f"  {name:64}{len(errors['ours']):6}{text}")


def written(found: Sequence[Answers], version: str, day: str) -> str:
    """Return the errors of the larger groups as CSV."""
    rows = []
    for place, what in enumerate(("token", "first token")):
        kept = [(key, group) for key, group in groups(found).items() if key[0] in KEPT]
        for (by, name), group in sorted(kept, key=lambda each: (KEPT.index(each[0][0]), each[0][1])):
            errors = errors_of(group, place)
            if len(errors["ours"]) >= LEAST:
                numbers = [*sizes(errors["ours"]), *sizes(errors["theirs"]), sizes(errors["bare"])[0]]
                rows.append(
                    [what, by, name, len(errors["ours"]), *(f"{each:.1f}" for each in numbers), version, day]
                )
    return as_csv(list(FIELDS), rows)


def speeds(found: Sequence[Answers]) -> None:
    """Print how many services either answers in a second of CPU time."""
    rows = [each.row for each in found[:: max(len(found) // TIMED, 1)]]
    taken = []
    for call in (lambda row: row.predicted(), lambda row: answer(asked(row))):
        begin = time.process_time()
        for row in rows:
            call(row)
        taken.append((time.process_time() - begin) / len(rows))
    print(
        f"\ncalls/s: cohort {1 / taken[0]:,.0f}, peer {1 / taken[1]:,.1f}, ratio {taken[1] / taken[0]:,.0f}"
    )


def main() -> None:
    """Print who answers what, and the errors."""
    if not importlib.util.find_spec("aiconfigurator"):
        sys.exit("aiconfigurator is not installed: pip install aiconfigurator")
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    paths = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("--")]
    rows = published(paths[0]) if paths else table()
    found, refused = compared(measured(row for row in rows if row["use"] == "test"))
    print(f"{len(found)} services that both answer; refused by the peer:")
    for reason, count in refused.most_common():
        print(f"{count:6} {reason}")
    report(found)
    speeds(found)
    if "--write" in sys.argv:
        version = importlib.metadata.version("aiconfigurator")
        TABLE.write_text(written(found, version, date.today().isoformat()), encoding="utf-8")


if __name__ == "__main__":
    main()
