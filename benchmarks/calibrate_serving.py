"""What engines attain of the peaks: fitted to measured rows marked `calibrate`, written to `data/`.

Run it as ``.venv/bin/python benchmarks/calibrate_serving.py``; it takes some minutes and needs SciPy, which
the development requirements install. With ``--check`` it writes nothing, and says whether the table is what
it would write. No row marked `test` is read, but for those of two models on MI355X with ``--rows PATH``:
their campaign states no licence, so that they are not kept here, and without them the constants of AMD stay
as they are in the table.

Three sets are fitted. *kernels*: `device_h100.csv`, products, attention and whole steps measured on one H100
without an engine. *2025*: the services of `serving_2026.csv`. What both have is drawn towards the kernels by
a penalty, since services alone cannot tell bandwidth from launches. *2023*: the rows of
`data/serving_measurements.csv`. All minimise the logarithms of predicted over measured times, with a loss that
keeps single outliers from ruling. Ranges come from fits that leave out one model after the other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from calibration import DATA, as_csv, write_or_compare
from device_rows import device_cells
from scipy import optimize
from serving_rows import AMD_CALIBRATES, Measured, measured, published
from serving_rows import table as services

import cohort
from cohort.registry import facts
from cohort.serving.attainment import Attained, constants, device_class, from_constants, products
from cohort.serving.layouts import Layout
from cohort.serving.measurements import Case, cases
from cohort.serving.roofline import Asked, timed
from cohort.serving.step import device_group

TABLE = DATA / "serving_calibration.csv"
FIELDS = [
    "generation", "quantity", "of", "device", "engine", "value", "unit", "method", "rows", "sources", "note",
]  # fmt: skip
DIGITS = 3
OUTLIER = 0.1  # relative error beyond which the loss grows like the error and not like its square
FIRST_WEIGHT = 0.4  # of a time to the first token beside a time per token
PENALTY = 0.3  # of a factor e away from where a constant starts, over its width
UNITS = {"launch": "us", "sequence": "us", "all-reduce": "us", "first": "ms"}
SCALE = {"us": 1e-6, "ms": 1e-3}


@dataclass(frozen=True, slots=True)
class Constant:
    """One constant to fit: of what, for which devices and engine, and where it is sought.

    ``width`` is that of the penalty in the logarithm: 0 where there is none.
    """

    quantity: str
    of: str
    start: float
    low: float
    high: float
    width: float = 0.0
    device: str = ""
    engine: str = ""
    note: str = ""

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return UNITS.get(self.quantity, "ratio" if self.quantity in RATIOS else "fraction")

    def row(self, generation: str, value: float, method: str, rows: int, sources: str) -> dict[str, str]:
        """Return the constant as a row of the table."""
        made = [generation, self.quantity, self.of, self.device, self.engine, repr(value), self.unit]
        return dict(zip(FIELDS, [*made, method, str(rows), sources, self.note], strict=True))


RATIOS = ("pace", "streams", "corner", "bandwidth", "rate", "spread")
KERNELS = [
    Constant("weights", "16-bit", 0.85, 0.3, 0.97, note="of the memory's bandwidth"),
    Constant("weights", "fp8", 0.85, 0.3, 0.97, note="of the memory's bandwidth"),
    Constant("matrices", "16-bit", 0.88, 0.3, 1.1, note="of the fastest matrix product"),
    Constant("matrices", "fp8", 0.88, 0.3, 1.1, note="of the fastest matrix product"),
    Constant("cache", "", 0.9, 0.3, 0.97, note="of the memory's bandwidth"),
    Constant("scores", "prompts", 0.6, 0.1, 1.2, note="of the fastest matrix product; causal"),
    Constant("experts", "read", 0.9, 0.3, 1.1, note="of the bandwidth of other weights"),
    Constant("experts", "matrices", 0.6, 0.1, 1.1, note="of the rate of other products"),
    Constant("launch", "product", 3.5, 0.5, 15, note="a product with weights"),
    Constant("launch", "grouped", 6, 0.5, 50, note="attention of grouped queries"),
    Constant("launch", "routing", 25, 1, 200, note="a layer of experts, beside its two products"),
    Constant("launch", "layer", 10, 0.5, 50, note="all else in a layer"),
    Constant("streams", "", 20, 2, 120, note="hidden states read or written in a layer"),
]  # fmt: skip
ENGINE_LOSS = [
    Constant("weights", "fp4", 0.8, 0.4, 0.97, 0.2, note="of the bandwidth, where fp4 is multiplied as such"),
    Constant("weights", "fp4 alone", 0.7, 0.2, 0.97, 0.2, note="of the bandwidth; multiplied in 16 bits"),
    Constant("weights", "int4", 0.7, 0.2, 0.97, 0.2, note="of the bandwidth; multiplied in 16 bits"),
    Constant("weights", "int4", 0.6, 0.1, 0.97, 0.3, "fp4", note="of the bandwidth; multiplied in 16 bits"),
    Constant("bandwidth", "device", 0.95, 0.6, 1.02, 0.1, "fp4", note="times the shares of other accelerators"),
    Constant("matrices", "fp4", 0.7, 0.1, 1.1, 0.3, note="of the fastest product in fp8, doubled"),
    Constant("scores", "grouped", 0.1, 0.01, 0.6, 0.5, note="of the 16-bit peak; a query and its cache"),
    Constant("scores", "latent", 0.5, 0.05, 1, 0.4, note="of the 16-bit peak; a query and its cache"),
    Constant("scores", "recurrent", 0.02, 0.003, 1, note="of the 16-bit peak"),
    Constant("experts", "uneven", 0.1, 0.01, 1, 0.7, note="added where whole experts are dealt out"),
    Constant("launch", "latent", 15, 0.5, 200, 0.5, note="latent attention"),
    Constant("launch", "recurrent", 15, 0.5, 200, 0.7, note="a recurrence"),
    Constant("launch", "prompt", 100, 1, 2000, 0.7, note="the least of a layer while a prompt is read"),
    Constant("all-reduce", "two", 7, 1, 50, 0.5, note="of nothing, between two devices"),
    Constant("all-reduce", "further", 0.5, 0.01, 10, 0.7, note="for each further device"),
    Constant("link", "", 0.6, 0.1, 1, 0.4, note="of the link's bandwidth"),
    Constant("pace", "engine", 1, 0.4, 2.5, 0.3, "", "SGLang", "times the launches of vLLM"),
    Constant("pace", "engine", 0.85, 0.4, 2.5, 0.3, "", "TensorRT-LLM", "times the launches of vLLM"),
]  # fmt: skip
ENGINES = ("vLLM", "SGLang", "TensorRT-LLM")
BY_ENGINE = [  # what vLLM's are stand for engines without rows
    constant
    for engine in ("", *ENGINES[1:])
    for constant in (
        Constant("sequence", "", 8, 0.1, 200, 0, "", engine, "a sequence in a step: sampling, and the host"),
        Constant("first", "", 50, 1, 500, 0, "", engine, "a request before its prompt is read and after"),
        Constant("waiting", "apart", 0.1, 0.01, 1, 0, "", engine, "of others' prompts, before the first token"),
        Constant("waiting", "together", 0.3, 0.01, 1, 0, "", engine, "of others' prompts, before the first token"),
    )
]
AMD = [
    Constant("bandwidth", "device", 0.9, 0.3, 1.02, 0.3, "AMD", "", "times the shares of others"),
    Constant("rate", "device", 0.9, 0.2, 1.5, 0.3, "AMD", "", "times the shares of others"),
    Constant("pace", "device", 1.3, 0.4, 4, 0.3, "AMD", "", "times the launches of others"),
    Constant("all-reduce", "two", 15, 1, 60, 0.5, "AMD", "", "of nothing, between two devices"),
    Constant("pace", "engine", 0.9, 0.3, 2.5, 0.3, "AMD", "ATOM", "times the launches of vLLM"),
    Constant("sequence", "", 8, 0.1, 200, 0, "AMD", "ATOM", "a sequence in a step: sampling, and the host"),
    # No row of AMD times the first token.
]
OLD = [
    Constant("weights", "16-bit", 0.8, 0.1, 1, note="of the memory's bandwidth"),
    Constant("weights", "fp8", 0.7, 0.1, 1, note="of the memory's bandwidth"),
    Constant("weights", "int8", 0.7, 0.1, 1, note="of the memory's bandwidth; multiplied in 16 bits"),
    Constant("weights", "int4", 0.6, 0.1, 1, note="of the memory's bandwidth; multiplied in 16 bits"),
    Constant("matrices", "16-bit", 0.8, 0.1, 1, note="of the fastest matrix product"),
    Constant("matrices", "fp8", 0.7, 0.1, 1, note="of the fastest matrix product"),
    Constant("scores", "grouped", 0.02, 1e-3, 1, note="of the 16-bit peak; one query against its head's keys"),
    Constant("launch", "layer", 50, 1, 500, note="a layer: launches, small kernels and synchronisation"),
    Constant("sequence", "", 5, 1e-2, 100, note="a sequence in a step: sampling, and the host"),
    Constant("all-reduce", "two", 10, 1, 100, note="of nothing, between any number of devices"),
    Constant("link", "", 0.5, 0.05, 1, note="of the link's bandwidth"),
]  # fmt: skip
# What a set takes as it is: the value, and why.
GIVEN: dict[str, list[tuple[Constant, float, str]]] = {}


def given(generation: str, quantity: str, of: str, value: float, note: str) -> None:
    """Put down a constant that is not fitted."""
    entry = Constant(quantity, of, value, value, value, note=note)
    GIVEN.setdefault(generation, []).append((entry, value, note))


SAME = "as of the type it is nearest to"
for _set in ("kernels", "2025", "2023"):
    given(_set, "corner", "", 1 if _set == "2023" else 4,
          "times of reading and multiplying add up" if _set == "2023" else "a little above the larger of both")
for _set in ("2025",):
    given(_set, "weights", "int8", 0.75, SAME)
for _quantity, _of in (("scores", "recurrent"), ("scores", "latent"), ("experts", "read"), ("experts", "matrices")):
    given("2023", _quantity, _of, 0.667 if _of == "latent" else 1, "no row has it: not slower than others")
given("2023", "scores", "prompts", 1, "as fast as other products")
given("2023", "experts", "uneven", 0, "not known")
for _of in ("product", "grouped", "latent", "recurrent", "routing", "prompt"):
    given("2023", "launch", _of, 0, "within that of a layer")
    if _of == "prompt":
        given("kernels", "launch", _of, 0, "launched in one graph")
for _set in ("kernels", "2023"):
    for _of in ("apart", "together"):
        given(_set, "waiting", _of, 0, "not known")
    given(_set, "first", "", 0, "not known")
given("2023", "streams", "", 0, "within that of a layer")
given("2023", "all-reduce", "further", 0, "within that of two")
given("kernels", "sequence", "", 0, "no host")
given("kernels", "scores", "grouped", 0.2, "never binding in the rows")


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
    first, parts, _ = timed(group, request)
    return sum(parts.values()), first


def bent(errors: np.ndarray) -> np.ndarray:
    """Return residuals whose squares grow like the error beyond `OUTLIER`."""
    return np.sign(errors) * OUTLIER * np.sqrt(2 * (np.sqrt(1 + (errors / OUTLIER) ** 2) - 1))


def fitted(
    sought: Sequence[Constant], errors: Callable[[list[float]], np.ndarray], start: Sequence[float] | None = None
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
        each.row(generation, value, method, rows, sources)
        for each, value in zip(sought, values, strict=True)
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
        copies = [("launch", "latent", "grouped"), ("launch", "recurrent", "grouped"), ("weights", "fp4", "fp8"),
                  ("weights", "fp4 alone", "fp8"), ("weights", "int4", "fp8"), ("weights", "int8", "fp8"),
                  ("matrices", "fp4", "fp8")]
        table += [{**shared[q, like], "of": of, "method": "given", "rows": "0", "note": f"as {like}: no row has it"}
                  for q, of, like in copies]
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


def fit_services(rows: Sequence[Measured], kernels: list[dict[str, str]], start: list[float] | None = None) -> tuple[list[Constant], list[float]]:
    """Return the constants of 2025 and their values; those of kernels are where the search starts."""
    known = {(row["quantity"], row["of"]): float(row["value"]) for row in kernels}
    widths = {"launch": 0.5, "streams": 0.7, "matrices": 0.2, "experts": 0.3, "scores": 0.3}
    drawn = [
        Constant(each.quantity, each.of, known[each.quantity, each.of], each.low, each.high,
                 widths.get(each.quantity, 0.1), note=each.note)
        for each in KERNELS
    ]  # fmt: skip
    sought = [*drawn, *ENGINE_LOSS, *BY_ENGINE]
    made = lambda values: rows_of("2025", sought, values, "fitted", len(rows), "aiconfigurator") + given_rows("2025")  # noqa: E731
    return sought, fitted(sought, service_errors(rows, made), start)


def fit_amd(rows: Sequence[Measured], table: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return what is AMD's own, all else being as on other accelerators, and how far one model tells another."""

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
    cache = Constant("cache", "", 0.932, 0, 1, note="of the memory's bandwidth; the best of five measured kernels")

    def made(values: Sequence[float]) -> list[dict[str, str]]:
        table = rows_of("2023", OLD, values, "fitted", len(found), sources)
        eight = {(row["quantity"], row["of"]): row for row in table}
        table += [{**eight[q, "fp8"], "of": of, "method": "given", "rows": "0", "note": "as fp8: no row has it"}
                  for q, of in (("weights", "fp4"), ("weights", "fp4 alone"), ("matrices", "fp4"))]
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
    spread = [row for kind in logs.items() if len(kind[1]) > 4 for row in spread_rows("2023", dict([kind]), sources)]
    return made(fitted(OLD, lambda point: bent(errors(point)))) + spread


def old_time(case: Case, attained: Attained) -> float:
    """Return the time of a case of `data/serving_measurements.csv`."""
    asked = case.request
    group = device_group(
        asked["model"], asked["accelerator"], Layout(asked["tensor_parallel"]), asked["weight_dtype"],
        asked["kv_dtype"], attained,
    )  # fmt: skip
    first, parts, others = timed(group, Asked(asked["concurrency"], asked["input_tokens"], asked["output_tokens"]))
    if case.quantity == "first token":
        return first
    if case.quantity == "token":
        return sum(parts.values())
    step = sum(parts.values()) - parts["prompts"]
    return (first + others + (asked["output_tokens"] - 1) * step) / asked["output_tokens"]


def ranges(rows: Sequence[Measured], kernels: list[dict[str, str]], start: list[float]) -> list[dict[str, str]]:
    """Return the spread of measured over predicted of models that were left out of the fit, one by one.

    Waves of requests that start together were measured of one model alone, the only dense one. Of that the
    time to the first token is predicted from its rows with other lengths of prompts.
    """
    logs: dict[tuple[str, str], list[float]] = {}
    for name in sorted({row.row["model"] for row in rows}):
        held = [row for row in rows if row.row["model"] == name]
        errors = left_out(rows, held, kernels, start)
        logs.setdefault((held[0].kind, "token"), []).extend(token for token, _ in errors)
        if held[0].kind == "mixture":
            logs.setdefault(("mixture", "first token"), []).extend(first for _, first in errors)
        off = np.median([abs(np.exp(-token) - 1) for token, _ in errors])
        print(f"left out {name:20} {len(held):4} rows: median error {off:.3f}", file=sys.stderr)
    dense = [row for row in rows if row.kind == "dense"]
    for length in sorted({row.row["input_tokens"] for row in dense}):
        held = [row for row in dense if row.row["input_tokens"] == length]
        errors = left_out(rows, held, kernels, start)
        logs.setdefault(("dense", "first token"), []).extend(first for _, first in errors)
    return spread_rows("2025", logs, "aiconfigurator")


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


def spread_rows(
    generation: str, logs: dict[tuple[str, str], list[float]], sources: str, device: str = ""
) -> list[dict[str, str]]:
    """Return percentiles of measured over predicted as rows of the table."""
    found = []
    for (kind, what), each in sorted(logs.items()):
        for name, level in (("low", 0.05), ("high", 0.95)):
            value = float(np.exp(np.quantile(each, level)))
            entry = Constant("spread", f"{kind}, {what}, {name}", 1, 1, 1, device=device,
                             note="measured over predicted, of models left out of the fit")
            found.append(entry.row(generation, value, "measured", len(each), sources))
    return found  # fmt: skip


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
    else:
        with_amd = fit_amd(amd, made)
    by_name = {(row["quantity"], row["of"]): row for row in made}
    borrowed = [
        {**by_name[row["quantity"], row["of"]], "generation": "kernels", "method": "given", "note": "as of services"}
        for row in OTHERS
    ]
    everything = [*made, *with_amd, *spread, *fit_old(), *kernels, *borrowed]
    rounded = ({**row, "value": f"{float(row['value']):.{DIGITS}g}"} for row in everything)
    return as_csv(FIELDS, ([row[name] for name in FIELDS] for row in rounded))


def main() -> None:
    """Write the table, or compare it."""
    write_or_compare(TABLE, table())


if __name__ == "__main__":
    main()
