"""What engines attain of the peaks: fitted to measured rows marked `calibrate`, written to `data/`.

Run it as ``.venv/bin/python benchmarks/calibrate_serving.py``; it takes some minutes and needs SciPy, which
the development requirements install. With ``--check`` it writes nothing, and says whether the table is what
it would write. No row marked `test` is read, but for those of two models on MI355X with ``--rows PATH``:
their campaign states no licence, so that they are not kept here, and without them the constants of AMD stay
as they are in the table.

Three sets are fitted. *kernels*: the table `device_measurements`, products, attention and whole steps
measured on one H100 without an engine. *2025*: the services of `serving_2026.csv`. What both have is drawn
towards the kernels by a penalty, since services alone cannot tell bandwidth from launches. *2023*: rows of
`data/serving_measurements.csv`. All minimise the logarithms of predicted over measured times, with a loss
that keeps single outliers from ruling. Ranges come from fits that leave out one model after the other, as
`serving_ranges` says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from calibration import DATA, as_csv, write_or_compare
from scipy import optimize
from serving_constants import AMD, BY_ENGINE, ENGINE_LOSS, ENGINES, FIELDS, GIVEN, KERNELS, OLD, Constant
from serving_ranges import LEVELS, MODELS, Service, range_rows, widened, widening
from serving_rows import AMD_CALIBRATES, Measured, measured, published
from serving_rows import table as services

import cohort
from cohort.registry import facts
from cohort.serving.asked import Asked
from cohort.serving.attainment import Attained, constants, device_class, from_constants, products
from cohort.serving.groups import device_group
from cohort.serving.kernel_checks import device_cells
from cohort.serving.layouts import Layout
from cohort.serving.measurements import Case, cases
from cohort.serving.times import times_of

TABLE = DATA / "serving_calibration.csv"
DIGITS = 3
OUTLIER = 0.1  # relative error beyond which the loss grows like the error and not like its square
FIRST_WEIGHT = 0.4  # of a time to the first token beside a time per token
PENALTY = 0.3  # of a factor e away from where a constant starts, over its width


def values_of(rows: Sequence[dict[str, str]], generation: str, engine: str, kind: str) -> Attained:
    """Return what rows of the table say is attained."""
    return from_constants(constants(list(rows), generation, engine, kind), FASTEST)


FASTEST = products()


# --- the three kinds of rows


def service_times(row: Measured, attained: Attained) -> tuple[float, float]:
    """Return the time per token and to the first, whether or not the service fits."""
    asked = row.request
    layout = Layout(asked["tensor_parallel"], 1, asked["attention_data_parallel"], asked["expert_parallel"])
    group = device_group(
        asked["model"], asked["accelerator"], layout, asked["weight_dtype"], asked["kv_dtype"], attained
    )
    request = Asked(
        asked["concurrency"], asked["input_tokens"], asked["output_tokens"], together=asked["together"]
    )
    first, parts, _ = times_of(group, request)
    return sum(parts.values()), first


def bent(errors: np.ndarray) -> np.ndarray:
    """Return residuals whose squares grow like the error beyond `OUTLIER`."""
    return np.sign(errors) * OUTLIER * np.sqrt(2 * (np.sqrt(1 + (errors / OUTLIER) ** 2) - 1))


def fitted(
    sought: Sequence[Constant],
    errors: Callable[[list[float]], np.ndarray],
    start: Sequence[float] | None = None,
) -> list[float]:
    """Return the values at which errors, and the penalty of constants away from their start, are least."""
    begin = np.log([each.start for each in sought])
    low, high = np.log([each.low for each in sought]), np.log([each.high for each in sought])
    pull = np.array([PENALTY / each.width if each.width else 0.0 for each in sought])

    def residuals(point: np.ndarray) -> np.ndarray:
        return np.concatenate([errors(np.exp(point).tolist()), pull * (point - begin)])

    first = np.clip(begin if start is None else np.log(start), low + 1e-6, high - 1e-6)
    found = optimize.least_squares(residuals, first, bounds=(low, high), max_nfev=25, ftol=1e-4, xtol=1e-4)
    return np.exp(found.x).tolist()


def rows_of(
    generation: str, sought: Sequence[Constant], values: Sequence[float], method: str, rows: int, sources: str
) -> list[dict[str, str]]:
    """Return constants as rows of the table."""
    return [
        each.row(generation, value, method, rows, sources) for each, value in zip(sought, values, strict=True)
    ]


def given_rows(generation: str) -> list[dict[str, str]]:
    """Return the rows of constants that a set takes as they are."""
    return [each.row(generation, value, "given", 0, "") for each, value, _ in GIVEN.get(generation, [])]


def service_errors(rows: Sequence[Measured], made: Callable[[list[float]], list[dict[str, str]]]) -> Any:
    """Return a function of values that gives the errors of services."""
    kinds = [(row.request["engine"], device_class(row.request["accelerator"])) for row in rows]
    token = np.log([row.token_s or np.nan for row in rows])
    first = np.log([row.first_s or np.nan for row in rows])

    def errors(values: list[float]) -> np.ndarray:
        table = made(values)
        sets = {kind: values_of(table, "2025", *kind) for kind in set(kinds)}
        found = np.log([service_times(row, sets[kind]) for row, kind in zip(rows, kinds, strict=True)])
        both = [bent(found[:, 0] - token), FIRST_WEIGHT * bent((found[:, 1] - first) / 2)]
        return np.nan_to_num(np.concatenate(both))

    return errors


def fit_kernels() -> list[dict[str, str]]:
    """Return the set of kernels."""
    cells = device_cells()
    measured_s = np.log([each.seconds for each in cells])
    weight = np.array([3.0 if each.step else 1.0 for each in cells])

    def made(values: Sequence[float]) -> list[dict[str, str]]:
        table = rows_of("kernels", KERNELS, values, "fitted", len(cells), "")
        shared = {(row["quantity"], row["of"]): row for row in table}
        copies = [
            ("launch", "latent", "grouped"),
            ("launch", "recurrent", "grouped"),
            ("weights", "fp4", "fp8"),
            ("weights", "fp4 alone", "fp8"),
            ("weights", "int4", "fp8"),
            ("weights", "int8", "fp8"),
            ("matrices", "fp4", "fp8"),
        ]
        table += [
            {**shared[q, like], "of": of, "method": "given", "rows": "0", "note": f"as {like}: no row has it"}
            for q, of, like in copies
        ]
        return table + given_rows("kernels") + OTHERS

    def errors(values: list[float]) -> np.ndarray:
        attained = values_of(made(values), "kernels", "vLLM", "")
        return weight * bent(np.log([each.predicted(attained) for each in cells]) - measured_s)

    return [row for row in made(fitted(KERNELS, errors)) if row not in OTHERS]


# What kernels alone have no rows of, taken from services while both are fitted.
OTHERS = [
    Constant(quantity, of, value, value, value).row("kernels", value, "given", 0, "")
    for quantity, of, value in (
        ("scores", "latent", 0.667), ("scores", "recurrent", 0.05), ("experts", "uneven", 0.0),
        ("all-reduce", "two", 7), ("all-reduce", "further", 0.5), ("link", "", 0.6),
    )
]  # fmt: skip


def fit_services(
    rows: Sequence[Measured], kernels: list[dict[str, str]], start: list[float] | None = None
) -> tuple[list[Constant], list[float]]:
    """Return the constants of 2025 and their values; those of kernels are where the search starts."""
    known = {(row["quantity"], row["of"]): float(row["value"]) for row in kernels}
    widths = {"launch": 0.5, "streams": 0.7, "matrices": 0.2, "experts": 0.3, "scores": 0.3}
    drawn = [
        Constant(each.quantity, each.of, known[each.quantity, each.of], each.low, each.high,
                 widths.get(each.quantity, 0.1), note=each.note)
        for each in KERNELS
    ]  # fmt: skip
    sought = [*drawn, *ENGINE_LOSS, *BY_ENGINE]

    def made(values: Sequence[float]) -> list[dict[str, str]]:
        return rows_of("2025", sought, values, "fitted", len(rows), "aiconfigurator") + given_rows("2025")

    return sought, fitted(sought, service_errors(rows, made), start)


def fit_amd(rows: Sequence[Measured], table: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return what is AMD's own, and how far one of its models tells the times of another."""

    def found(chosen: Sequence[Measured]) -> list[dict[str, str]]:
        def made(values: Sequence[float]) -> list[dict[str, str]]:
            return table + rows_of("2025", AMD, values, "fitted", len(chosen), "inferencex2026")

        return made(fitted(AMD, service_errors(chosen, made)))

    logs: dict[tuple[str, str], list[float]] = {}
    for name in AMD_CALIBRATES:
        others = found([row for row in rows if row.row["model"] != name])
        for row in rows:
            if row.row["model"] == name:
                token, _ = service_times(row, values_of(others, "2025", row.request["engine"], "AMD"))
                for kind in ("dense", "mixture"):  # no dense model is among them
                    logs.setdefault((kind, "token"), []).append(np.log(row.token_s / token))
    spread = spread_rows("2025", logs, "inferencex2026", "AMD")
    return found(rows)[len(table) :] + spread


def fit_old() -> list[dict[str, str]]:
    """Return the set of 2023; the cache's share is the best of the measured kernels."""
    found = cases("calibrate")
    sources = " ".join(sorted({each.row["source"] for each in found}))
    cache = Constant(
        "cache", "", 0.932, 0, 1, note="of the memory's bandwidth; the best of five measured kernels"
    )

    def made(values: Sequence[float]) -> list[dict[str, str]]:
        table = rows_of("2023", OLD, values, "fitted", len(found), sources)
        eight = {(row["quantity"], row["of"]): row for row in table}
        table += [
            {**eight[q, "fp8"], "of": of, "method": "given", "rows": "0", "note": "as fp8: no row has it"}
            for q, of in (("weights", "fp4"), ("weights", "fp4 alone"), ("matrices", "fp4"))
        ]
        return [*table, cache.row("2023", 0.932, "measured", 5, "aiconfigurator"), *given_rows("2023")]

    def errors(values: list[float], chosen: Sequence[Case] = found) -> np.ndarray:
        attained = values_of(made(values), "2023", ENGINES[0], "")
        return np.log([old_time(each, attained) / each.seconds for each in chosen])

    logs: dict[tuple[str, str], list[float]] = {}
    for name in sorted({each.request["model"] for each in found}):
        kept = [each for each in found if each.request["model"] != name]
        values = fitted(OLD, lambda point, kept=kept: bent(errors(point, kept)))  # type: ignore[misc]
        held = [each for each in found if each.request["model"] == name]
        for each, error in zip(held, errors(values, held), strict=True):
            kind = "mixture" if cohort.model(name).experts else "dense"
            what = "first token" if each.quantity == "first token" else "token"
            logs.setdefault((kind, what), []).append(-float(error))
    spread = [
        row for kind in logs.items() if len(kind[1]) > 4 for row in spread_rows("2023", dict([kind]), sources)
    ]
    return made(fitted(OLD, lambda point: bent(errors(point)))) + spread


known = cache(cohort.model)  # a fit asks for the same few models tens of thousands of times


def old_time(case: Case, attained: Attained) -> float:
    """Return the time of a case of `data/serving_measurements.csv`."""
    asked = case.request
    group = device_group(
        known(asked["model"]), asked["accelerator"], Layout(asked["tensor_parallel"]), asked["weight_dtype"],
        asked["kv_dtype"], attained,
    )  # fmt: skip
    first, parts, others = times_of(
        group, Asked(asked["concurrency"], asked["input_tokens"], asked["output_tokens"])
    )
    if case.quantity == "first token":
        return first
    if case.quantity == "token":
        return sum(parts.values())
    step = sum(parts.values()) - parts["prompts"]
    return (first + others + (asked["output_tokens"] - 1) * step) / asked["output_tokens"]


def ranges(
    rows: Sequence[Measured], kernels: list[dict[str, str]], start: list[float]
) -> list[dict[str, str]]:
    """Return the ranges of measured over predicted, of models that were left out of the fit, one by one.

    Of dense models one was measured, so that the services of all models give the range of dense ones. How
    long a first token waits is a matter of engines and of loads, and not of what the model is made of: all
    models give that of both kinds.
    """
    errors: dict[Service, list[tuple[float, float]]] = {}
    kinds = {row.row["model"]: row.kind for row in rows}
    for name in sorted(kinds):
        held = [row for row in rows if row.row["model"] == name]
        logs = left_out(rows, held, kernels, start)
        off = np.median(np.abs(np.exp(-np.array(logs)) - 1), axis=0)
        print(f"left out {name:20} {len(held):4} rows: median errors {off.round(3)}", file=sys.stderr)
        for row, each in zip(held, logs, strict=True):
            errors.setdefault(Service(name, row.request["engine"]), []).append(each)
    found = []
    for kind in ("dense", "mixture"):
        alike = {each: logs for each, logs in errors.items() if kinds[each.model] == kind}
        own = alike if len({each.model for each in alike}) >= MODELS else errors
        for place, (what, chosen) in enumerate((("token", own), ("first token", errors))):
            times = {each: [error[place] for error in both] for each, both in chosen.items()}
            wider = widening(times)
            count = sum(map(len, times.values()))
            note = f"{LEFT_OUT}; {wider:.2f} times as wide as their percentiles"
            print(f"{kind}, {what}: {wider:.2f} times as wide", file=sys.stderr)
            found += range_rows(
                "2025", f"{kind}, {what}", widened(times, wider), count, "aiconfigurator", note
            )
    return found


def left_out(
    rows: Sequence[Measured], held: Sequence[Measured], kernels: list[dict[str, str]], start: list[float]
) -> list[tuple[float, float]]:
    """Return the logarithms of measured over predicted of rows that the fit did not see."""
    apart = {id(row) for row in held}
    sought, values = fit_services([row for row in rows if id(row) not in apart], kernels, start)
    table = rows_of("2025", sought, values, "", 0, "") + given_rows("2025")
    found = []
    for row in held:
        kind = row.request["engine"], device_class(row.request["accelerator"])
        token, first = service_times(row, values_of(table, "2025", *kind))
        found.append((float(np.log(row.token_s / token)), float(np.log(row.first_s / first))))
    return found


LEFT_OUT = "measured over predicted, of models left out of the fit"


def spread_rows(
    generation: str, logs: dict[tuple[str, str], list[float]], sources: str, device: str = ""
) -> list[dict[str, str]]:
    """Return percentiles of measured over predicted as rows of the table, by kind of model and time."""
    found = []
    for (kind, what), each in sorted(logs.items()):
        low, high = np.quantile(each, LEVELS)
        found += range_rows(generation, f"{kind}, {what}", (low, high), len(each), sources, LEFT_OUT, device)
    return found


def amd_rows() -> list[Measured] | None:
    """Return the rows of AMD that calibrate, where a path to them was given."""
    if "--rows" not in sys.argv:
        return None
    found = published(Path(sys.argv[sys.argv.index("--rows") + 1]))
    chosen = [row for row in found if row["accelerator"] == "MI355X" and row["model"] in AMD_CALIBRATES]
    return measured(chosen)


def table() -> str:
    """Return the table of what is attained, as CSV."""
    kernels = fit_kernels()
    rows = measured(row for row in services() if row["use"] == "calibrate")
    sought, values = fit_services(rows, kernels)
    made = rows_of("2025", sought, values, "fitted", len(rows), "aiconfigurator") + given_rows("2025")
    spread = ranges(rows, kernels, values)
    amd = amd_rows()
    if amd is None:
        with_amd = [row for row in facts.rows("serving_calibration") if row.get("device") == "AMD"]
        with_amd = [row for row in with_amd if row["generation"] == "2025"]
    else:
        with_amd = fit_amd(amd, made)
    # How AMD's accelerators differ was measured of engines of 2025 alone.
    older = [
        {**row, "generation": "2023", "method": "given", "rows": "0", "note": f"{row['note']}; as in 2025"}
        for row in with_amd
        if row["of"] == "device"
    ]
    by_name = {(row["quantity"], row["of"]): row for row in made}
    borrowed = [
        {
            **by_name[row["quantity"], row["of"]],
            "generation": "kernels",
            "method": "given",
            "note": "as of services",
        }
        for row in OTHERS
    ]
    everything = [*made, *with_amd, *spread, *fit_old(), *older, *kernels, *borrowed]
    rounded = ({**row, "value": f"{float(row['value']):.{DIGITS}g}"} for row in everything)
    return as_csv(FIELDS, ([row[name] for name in FIELDS] for row in rounded))


def main() -> None:
    """Write the table, or compare it."""
    write_or_compare(TABLE, table())


if __name__ == "__main__":
    main()
