"""Energy per output token: four coefficients fitted to published measurements, written to `data/`.

Run it as ``.venv/bin/python benchmarks/calibrate_inference.py``; it takes a second. With ``--check`` it
writes nothing, and says whether the table is what it would write. No row marked `test` is read. The
coefficients are at least 0 and minimise the squares of the relative errors. Each model is also predicted from
the others alone; those errors are printed.
"""

from __future__ import annotations

from calibration import DATA, as_csv, write_or_compare

from cohort.chapters.serving_footprint import published
from cohort.footprint import calibration

TABLE = DATA / "inference_calibration.csv"
FIELDS = ["term", "value", "unit", "method", "rows", "sources", "note"]
NOTES = {
    "step": ("J", "of each accelerator in a step, whatever the batch"),
    "read": ("J/GB", "of weights that a step reads, shared by its requests"),
    "multiply": ("J/GB", "of weights that one token is multiplied with"),
    "token": ("J", "of each accelerator for a token"),
    "expert": ("J", "of each expert in eight bits in a step, whatever the batch"),
}


def table() -> str:
    """Return the table of coefficients, as CSV."""
    measured = calibration.measured_energies("calibrate")
    sources = " ".join(sorted({each.source for each in measured}))
    found, (length, stated) = calibration.fit_coefficients(measured), calibration.mean_answer()
    lines = [
        [term, f"{getattr(found, term):g}", unit, "fitted", len(measured), sources, note]
        for term, (unit, note) in NOTES.items()
    ]
    lines += [
        ["prompt", calibration.PROMPT, "tokens", "assumed", "", sources,
         "whose reading is in the others; the prompts of the measured chats are not published"],
        ["context", calibration.CONTEXT, "tokens", "assumed", "", sources,
         "whose cache is in the others: such a prompt, and half of an answer of twice that length"],
        ["answer", f"{length:g}", "tokens", "mean", stated, sources,
         "with which such a prompt came: the mean of the measured answers whose length is stated"],
    ]  # fmt: skip
    return as_csv(FIELDS, lines)


def main() -> None:
    """Write the table, or compare it; print the errors."""
    write_or_compare(TABLE, table())
    left = calibration.leave_one_out()
    found = published.ratio_spread(each.ratio for each in left)
    print(f"\nleave one model out: {found['rows']} rows, median ratio {found['median']:.2f}, "
          f"geometric standard deviation {found['spread']:.3f}")  # fmt: skip
    for model in dict.fromkeys(each.model for each in left):
        print(f"{model:20}" + "".join(f"{each.ratio:7.2f}" for each in left if each.model == model))


if __name__ == "__main__":
    main()
