"""What engines attain of the peaks: fitted to measured rows marked `calibrate`, written to `data/`.

Run it as ``.venv/bin/python benchmarks/calibrate_serving.py``; it takes some seconds and needs SciPy, which
the development requirements install. With ``--check`` it writes nothing, and says whether the table is what
it would write. No row marked `test` is read.

Three shares are read from kernels: of the bandwidth, by the decode attention of grouped queries; of the peak,
by a kernel that scores latent vectors; and the fastest matrix product of each accelerator, which stays in the
table of its licence. The other values are fitted together: they minimise the logarithms of predicted over
measured times, with a loss that keeps single outliers from ruling.
"""

from __future__ import annotations

import numpy as np
from calibration import DATA, as_csv, write_or_compare
from scipy import optimize

import cohort
from cohort.architecture.dtypes import precision
from cohort.registry import facts
from cohort.serving.measurements import cases
from cohort.serving.roofline import Attained, products

TABLE = DATA / "serving_calibration.csv"
DIGITS = 3
OUTLIER = 0.1  # relative error beyond which the loss grows like the error and not like its square
# quantity, of what, unit, where the search starts, the lowest and the highest value, note
FITTED = [
    ("weights", "16-bit", "fraction", 0.8, 0.1, 1, "of the memory's bandwidth; bf16, fp16 and fp32"),
    ("weights", "fp8", "fraction", 0.7, 0.1, 1, "of the memory's bandwidth; for fp4 too, which no row has"),
    ("weights", "int8", "fraction", 0.7, 0.1, 1, "of the memory's bandwidth; weights alone are in int8"),
    ("weights", "int4", "fraction", 0.6, 0.1, 1, "of the memory's bandwidth; weights alone are in int4"),
    ("matrices", "16-bit", "fraction", 0.8, 0.1, 1, "of the fastest matrix product"),
    ("matrices", "fp8", "fraction", 0.7, 0.1, 1, "of the fastest matrix product; also for fp4"),
    ("scores", "grouped", "fraction", 0.02, 1e-3, 1, "of the 16-bit peak; one query against its head's keys"),
    ("layer", "", "us", 50, 1, 500, "a layer in a step; launches, small kernels and synchronisation"),
    ("sequence", "", "us", 5, 1e-2, 100, "a sequence in a step; sampling and the work of the host"),
    ("all-reduce", "", "us", 10, 1, 100, "an all-reduce of nothing"),
    ("link", "", "fraction", 0.5, 0.05, 1, "of the link's bandwidth"),
]  # fmt: skip
FIELDS = ["quantity", "of", "value", "unit", "method", "rows", "sources", "note"]


def cache_share() -> tuple[float, int]:
    """Return the largest share of the bandwidth that decode attention attains in the rows of kernels."""
    shares = []
    for row in kernels("decode_attention_latency"):
        heads, size = 8, 128  # as the name of the kernel says
        numbers = 2 * heads * size * int(row["input_tokens"]) * int(row["concurrency"])
        read = numbers * precision(row["kv_dtype"]).bytes_per_element
        shares.append(read / (float(row["value"]) * 1e-6) / cohort.accelerator(row["accelerator"]).bandwidth)
    return max(shares), len(shares)


def latent_share() -> tuple[float, int]:
    """Return the share of the 16-bit peak at which a kernel scores one query against latent vectors."""
    found = kernels("achieved_tflops")
    rows = [row for row in found if row["source"] == "flashmla" and row["phase"] == "decode"]
    shares = [float(row["value"]) * 1e12 / cohort.accelerator(row["accelerator"]).peak() for row in rows]
    return max(shares), len(shares)


def kernels(metric: str) -> list[dict[str, str]]:
    """Return the rows of one metric that may be used to calibrate."""
    rows = facts.rows("serving_measurements")
    return [row for row in rows if row["use"] == "calibrate" and row["metric"] == metric]


def as_attained(values: dict[tuple[str, str], float], shares: dict[tuple[str, str], float]) -> Attained:
    """Return what the values say is attained."""
    both = {**values, **shares}

    def of(quantity: str) -> dict[str, float]:
        return {of: value for (name, of), value in both.items() if name == quantity}

    return Attained(
        of("weights"), of("cache")[""], of("matrices"), PRODUCTS, of("scores"),
        1e-6 * of("layer")[""], 1e-6 * of("sequence")[""], 1e-6 * of("all-reduce")[""], of("link")[""],
    )  # fmt: skip


PRODUCTS = products()
CASES = cases("calibrate")
MEASURED = np.log([each.seconds for each in CASES])


def fitted(shares: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Return the values that fit the measured times best, to three digits."""
    names = [(quantity, of) for quantity, of, *_ in FITTED]
    start, low, high = (np.log([row[at] for row in FITTED]) for at in (3, 4, 5))

    def residuals(point: np.ndarray) -> np.ndarray:
        found = as_attained(dict(zip(names, np.exp(point).tolist(), strict=True)), shares)
        return np.log([each.predicted(found) for each in CASES]) - MEASURED

    limits = {"xtol": 1e-10, "ftol": 1e-12, "gtol": 1e-10}
    result = optimize.least_squares(
        residuals, start, bounds=(low, high), loss="soft_l1", f_scale=OUTLIER, **limits
    )
    if not result.success:
        raise SystemExit(f"the fit did not converge: {result.message}")
    return {name: rounded(value) for name, value in zip(names, np.exp(result.x).tolist(), strict=True)}


def rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def table() -> str:
    """Return the table of what is attained, as CSV."""
    (cache, cache_rows), (latent, latent_rows) = cache_share(), latent_share()
    shares = {("cache", ""): rounded(cache), ("scores", "latent"): rounded(latent)}
    values = fitted(shares)
    sources = " ".join(sorted({each.row["source"] for each in CASES}))
    lines = [
        [quantity, of, f"{values[quantity, of]:g}", unit, "fitted", len(CASES), sources, note]
        for quantity, of, unit, *_, note in FITTED
    ]
    lines += [
        ["cache", "", f"{rounded(cache):g}", "fraction", "measured", cache_rows, "aiconfigurator",
         "of the memory's bandwidth; the best of the rows, with the most sequences and the longest context"],
        ["scores", "latent", f"{rounded(latent):g}", "fraction", "measured", latent_rows, "flashmla",
         "of the 16-bit peak; all heads share one vector a token; printed as at most"],
    ]  # fmt: skip
    return as_csv(FIELDS, lines)


def main() -> None:
    """Write the table, or compare it."""
    write_or_compare(TABLE, table())


if __name__ == "__main__":
    main()
