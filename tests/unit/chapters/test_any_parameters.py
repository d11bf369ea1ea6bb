"""What chapters say under parameters that no default has: each was false, or a traceback, once."""

import pandas as pd

from cohort.chapters.serving_roofline import words as serving
from cohort.chapters.the_cohort import checks
from cohort.chapters.training_footprint.words import reported
from cohort.display import published_values
from cohort.display.reader_tables import readable
from cohort.display.words import ranged


def test_models_without_a_published_active_size_make_an_empty_table_and_a_sentence():
    used = published_values.published_counts(["llama-3-8b", "exaone-4.5-33b"], active=True)
    assert used.empty
    said = checks.active_conventions(used)
    assert "none of those here allows one reading alone." in said
    assert "\n." not in said
    shown = readable(published_values.explained(used))._repr_html_()
    assert shown == "<p>Nothing is known that this table could list.</p>"


def test_one_price_is_no_range():
    costs = pd.DataFrame({"devices": [1], "low": [11.3], "high": [11.3]}, index=["TPU v6e"])
    first = serving.cheapest(costs).split("\n")[0]
    assert first == (
        "The cheapest here is TPU v6e, 1 device, for USD 11.3. Across all of them the million is to be had "
        "for USD 11.3."
    )


def test_one_model_without_a_report():
    empty = pd.DataFrame({"full median": [], "reported": []})
    assert reported.full_over_reported(empty, 1, "USA") == "The one model has no report of its own."
    assert reported.full_over_reported(empty, 3, "USA") == "None of 3 models has a report of its own."


def test_large_ends_of_a_range_have_three_digits():
    assert ranged(73.14, 6904498.5) == "73.1 to 6,900,000"
