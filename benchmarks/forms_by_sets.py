"""Which form of a law predicts long runs from short ones, over all public sets of runs.

Run it as ``.venv/bin/python benchmarks/forms_by_sets.py``; it takes some minutes. Each set chooses form,
estimator and the fewest tokens per parameter by its own runs of at most a hundred tokens per parameter; the
errors are of the runs beyond, which took no part in that.
"""

from __future__ import annotations

from cohort.fitting import panel


def main() -> None:
    """Print a line a set, and the median over the sets."""
    found = panel.ahead(panel.sets())
    print(f"{'set':50}{'runs':>10}{'recipe':>30}{'chinchilla':>12}{'chosen':>9}")
    for row in found.itertuples():
        recipe = f"{row.form}, {row.loss}, from {row.least:g}"
        counts = f"{row.fitted}+{row.predicted}"
        print(f"{row.Index:50}{counts:>10}{recipe:>30}{100 * row.chinchilla:11.2f}%{100 * row.error:8.2f}%")
    print(
        f"median of sets: {100 * found['chinchilla'].median():.2f}% -> {100 * found['error'].median():.2f}%"
    )


if __name__ == "__main__":
    main()
