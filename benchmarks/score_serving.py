"""Errors of `cohort.serving.serve` on measured services that nothing was fitted to, the bare roofline beside.

Run it as ``.venv/bin/python benchmarks/score_serving.py [PATH]``. Without a path it scores the rows marked
`test` of `serving_2026.csv`; with one, those of a table of one metric a line, as `serving_rows.published`
reads it, with the throughputs at maximum load and the times of whole requests that it may hold. ``--all``
scores the rows that calibrated too. Printed are the median and the ninth decile of the absolute error, the
median error, and how many of the measured times lie within the ranges. ``--write`` writes the groups of
twenty rows or more to the table `serving_errors`, whose column of the first look it keeps.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from serving_rows import AMD_CALIBRATES, Measured, measured, published, weight_format
from serving_rows import NAMES as LONGER
from serving_rows import table as own_table

import cohort
from cohort.registry import facts
from cohort.serving import ROOFLINE, Worker

ROOT = Path(__file__).parents[1]

TABLE, LEAST = ROOT / "data" / "serving_errors.csv", 20
COLUMNS = (
    "time_of",
    "by",
    "group",
    "rows",
    "median",
    "ninth_decile",
    "bias",
    "inside",
    "roofline",
    "first_look",
)
SMALL = 32  # requests at once, up to which times to the first token have a bar of their own
# Models, and devices, of each kind that calibrated.
SEEN = ("deepseek-r1", "gpt-oss-120b", "kimi-k2.5", "minimax-m2.5", "qwen3-32b", "qwen3.5-397b-a17b")
DEVICES = {"dense": ("H100 SXM 80GB",), "mixture": ("H100 SXM 80GB", "H200", "B200")}


@dataclass(frozen=True, slots=True)
class Score:
    """A measured time beside what is predicted.

    Attributes
    ----------
    measured, predicted, bare : float
        Seconds; the last by the roofline alone.
    inside : bool
        Whether the measured time lies in the range.
    row : dict
        The row.
    kind, what : str
        ``dense`` or ``mixture``; ``token``, ``first token`` or ``request``.
    """

    measured: float
    predicted: float
    bare: float
    inside: bool
    row: dict[str, str]
    kind: str
    what: str

    @property
    def error(self) -> float:
        """Of the prediction, relative to what was measured."""
        return self.predicted / self.measured - 1


def scores(rows: Sequence[Measured]) -> list[Score]:
    """Return both times of each row."""
    found = []
    for each in rows:
        answer = cohort.serving.serve(**each.request)
        bare = cohort.serving.serve(**each.request, attained=ROOFLINE)
        times = [
            ("token", each.token_s, answer.tpot_s, bare.tpot_s, answer.tpot_range_s),
            ("first token", each.first_s, answer.ttft_s, bare.ttft_s, answer.ttft_range_s),
        ]
        found += [
            Score(seen, said, alone, low <= seen <= high, each.row, each.kind, what)
            for what, seen, said, alone, (low, high) in times
            if seen
        ]
    return found


def line(name: str, found: Sequence[Score]) -> None:
    """Print the errors of a group."""
    if not found:
        return
    errors = sorted(abs(each.error) for each in found)
    ninth = quantiles(errors, n=10)[-1] if len(errors) > 1 else errors[0]
    bare = median(abs(each.bare / each.measured - 1) for each in found)
    inside = sum(each.inside for each in found) / len(found)
    print(
        f"{name:66}{len(found):6}{100 * median(errors):8.1f}{100 * ninth:8.1f}"
        f"{100 * median(each.error for each in found):+8.1f}{100 * inside:8.0f}{100 * bare:8.1f}"
    )


def by(found: Sequence[Score], *names: str) -> None:
    """Print the errors of each group."""
    groups: dict[str, list[Score]] = {}
    for each in found:
        groups.setdefault(", ".join([each.kind, *(each.row[name] for name in names)]), []).append(each)
    for name, group in sorted(groups.items()):
        line(f"  {name}", group)


def class_of(kind: str, row: dict[str, str]) -> str:
    """Return the kind of model, and whether the model and the device calibrated."""
    if row["accelerator"].startswith("MI"):
        return f"{kind}, AMD"
    model = "a model seen" if row["model"] in SEEN else "another model"
    device = "a device seen" if row["accelerator"] in DEVICES[kind] else "another device"
    return f"{kind}, {model}, {device}"


def report(found: Sequence[Score]) -> None:
    """Print all tables."""
    print(f"{'':66}{'rows':>6}{'median':>8}{'p90':>8}{'bias':>8}{'in':>8}{'bare':>8}")
    for what in ("token", "first token"):
        chosen = [each for each in found if each.what == what]
        line("time per token, %" if what == "token" else "time to the first token, %", chosen)
        if what == "first token":
            line(f"  up to {SMALL} at once", [e for e in chosen if int(e.row["concurrency"]) <= SMALL])
        for name in sorted({class_of(each.kind, each.row) for each in chosen}):
            line(f"  {name}", [each for each in chosen if class_of(each.kind, each.row) == name])
        for names in (["engine"], ["accelerator"], ["model", "accelerator", "engine", "weight_format"]):
            by(chosen, *names)


def other_rows(path: Path) -> None:
    """Print the errors of throughputs at maximum load, and of whole requests."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    groups: dict[str, list[float]] = {}
    for row in rows:
        if row["use"] == "test disaggregation":
            groups.setdefault("prompts read apart", []).append(apart(row))
        if row["use"] not in ("test", "test at maximum"):
            continue
        request = {
            "model": LONGER.get(row["model"], row["model"]),
            "accelerator": row["accelerator"],
            "tensor_parallel": int(row["tp"]),
            "attention_data_parallel": int(row["attention_dp"] or 1),
            "expert_parallel": int(row["ep"] or 1) > 1,
            "input_tokens": int(row["input_len"]),
            "output_tokens": int(row["output_len"]),
            "weight_dtype": weight_format(row),
            "kv_dtype": row["precision_kv"] or "bf16",
        }
        measured_value = float(row["value"])
        if row["metric"] == "output_throughput_per_accelerator":
            most = cohort.serving.largest_concurrency(**request)
            if not most:
                continue
            answer = cohort.serving.serve(**request, engine=row["engine"], concurrency=most)
            ratio = answer.output_tokens_per_s / answer.devices / measured_value
            groups.setdefault(f"at maximum: {row['accelerator']}", []).append(ratio)
            groups.setdefault("at maximum", []).append(ratio)
        elif row["metric"] == "request_latency":
            request |= {"concurrency": int(row["batch_or_concurrency"]), "together": True}
            for generation in ("2023", "2025"):
                answer = cohort.serving.serve(**request, engine=row["engine"], generation=generation)
                name = f"whole requests, by {generation}: {row['accelerator']}"
                groups.setdefault(name, []).append(answer.request_s / measured_value)
    for name, ratios in sorted(groups.items()):
        errors = [abs(ratio - 1) for ratio in ratios]
        print(f"{name:66}{len(ratios):6}{100 * median(errors):8.1f}{'':8}{100 * (median(ratios) - 1):+8.1f}")


def apart(row: dict[str, str]) -> float:
    """Return the predicted over the measured time per token where prompts have devices of their own."""
    counts = re.search(r"(\d+) prefill and (\d+) decode", row["note"])
    assert counts is not None, row["note"]
    readers, writers = (Worker(int(count), int(row["tp"])) for count in counts.groups())
    answer = cohort.serving.serve_apart(
        row["model"],
        row["accelerator"],
        readers,
        writers,
        int(row["batch_or_concurrency"]),
        input_tokens=int(row["input_len"]),
        output_tokens=int(row["output_len"]),
        weight_dtype="released",
        engine=row["engine"],
    )
    return answer.tpot_s * 1e3 / float(row["value"])


def groups(found: Sequence[Score]) -> dict[tuple[str, str, str], list[Score]]:
    """Return the scores by time, by what they are grouped by, and by group."""
    grouped: dict[tuple[str, str, str], list[Score]] = {}
    for each in found:
        what, row = f"{each.what}", each.row
        keys = [
            ("all", "all"),
            ("class", class_of(each.kind, row)),
            ("engine", f"{each.kind}, {row['engine']}"),
            ("accelerator", f"{each.kind}, {row['accelerator']}"),
            ("service", f"{row['model']}, {row['accelerator']}, {row['engine']}, {row['weight_format']}"),
        ]
        if each.kind == "mixture":
            dealt = "dealt out" if each.row["expert_parallel"] else "split"
            keys.append(("layout", f"experts {dealt}"))
            keys += [("layout", f"experts dealt out, {row['model']}")] * (dealt == "dealt out")
        if each.what == "first token" and int(row["concurrency"]) <= SMALL:
            keys.append(("all", f"up to {SMALL} at once"))
        for key in keys:
            grouped.setdefault((what, *key), []).append(each)
    return grouped


def write(found: Sequence[Score]) -> None:
    """Write the errors of the larger groups to the data, in percent."""
    first = {
        (row["time_of"], row["by"], row["group"]): row["first_look"] for row in facts.rows("serving_errors")
    }
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for key, group in sorted(groups(found).items()):
            if len(group) < LEAST:
                continue
            errors = sorted(abs(each.error) for each in group)
            values = (
                median(errors),
                quantiles(errors, n=10)[-1],
                median(each.error for each in group),
                sum(each.inside for each in group) / len(group),
                median(abs(each.bare / each.measured - 1) for each in group),
            )
            writer.writerow([*key, len(group), *(f"{100 * each:.1f}" for each in values), first.get(key, "")])


def main() -> None:
    """Print the report."""
    paths = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("--")]
    rows = published(paths[0]) if paths else own_table()
    uses = ("test", "calibrate") if "--all" in sys.argv else ("test",)
    chosen = [row for row in rows if row["use"] in uses]
    if paths:
        amd = ("MI355X",)
        chosen = [row for row in chosen if not (row["accelerator"] in amd and row["model"] in AMD_CALIBRATES)]
    found = scores(measured(chosen))
    report(found)
    if paths:
        other_rows(paths[0])
    if "--write" in sys.argv:
        write(found)


if __name__ == "__main__":
    main()
