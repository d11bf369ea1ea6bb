"""What is published: figures read as printed, statuses, compute and scores beside what others give."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cohort
from cohort.architecture import registered
from cohort.chapters.the_cohort import tables
from cohort.display import model_tables, published_values, words
from cohort.errors import CohortError, UnknownNameError
from cohort.registry import facts

COHORT = registered.group("cohort")


@pytest.mark.parametrize(
    ("count", "printed", "how"),
    [
        (46.702792704, "46.7", "rounded"),
        (405.853, "405", "cut off"),
        (405.853, "406", "rounded"),
        (7.24, "7.3", None),
        (68.98, "70", "rounded to tens"),
        (478.58, "480", "rounded to tens"),
        (64.9, "70", None),
        (174.60, "175.0", None),
        (174.60, "175", "rounded"),
        (2.5, "2", "rounded"),
        (2.51, "2", "cut off"),
        (1.99, "2", "rounded"),
        (3.0, "2", None),
        (1.25, "1.2", "rounded"),  # half a unit away, to the last binary digit
    ],
)
def test_how_a_figure_was_printed(count, printed, how):
    assert words.rounding(count, printed) == how


@given(st.floats(0.5, 999), st.integers(0, 3))
def test_a_rounded_count_is_seen_as_rounded(count, digits):
    assert words.rounding(count, f"{count:.{digits}f}") == "rounded"


@pytest.mark.parametrize("printed", ["", "7B", "1e3", "-2", "7."])
def test_only_plain_decimals_are_printed_figures(printed):
    with pytest.raises(CohortError, match="plain decimal"):
        words.last_digit(printed)


def test_conventions_of_tied_and_untied_models():
    untied, tied = cohort.model("llama-3-8b"), cohort.model("gemma-7b")
    assert list(published_values.conventions(untied, active=False).values()) == [
        8_030_261_248,
        7_504_924_672,
        6_979_588_096,
    ]
    assert list(published_values.conventions(tied, active=False).values()) == [
        8_537_680_896,
        8_537_680_896,
        7_751_248_896,
    ]


def test_published_sizes_and_their_readings():
    sizes = published_values.published_counts(cohort.models())
    assert len(sizes) == len(cohort.models())
    assert sizes.loc["Gemma 7B", "readings"] == {"without embedding and head": "cut off"}
    assert sizes.loc["Llama 3.1 405B", "readings"] == {"all weights": "cut off"}
    assert sizes.loc["Falcon 180B", "readings"]["all weights"] == "rounded to tens"
    assert sizes.loc["Mistral 7B", "readings"] == {}
    assert sizes.loc["GPT-3 175B", "printed"] == "175.0"
    active = published_values.published_counts(cohort.models(), active=True)
    assert active.loc["gpt-oss 20B", "readings"] == {"without input embedding": "rounded"}
    assert active.loc["Mixtral 8x7B", "readings"] == {"all weights": "rounded"}
    assert "Llama 2 7B" not in active.index


def test_a_wrong_count_would_be_seen(monkeypatch):
    exact = tables.reference_counts(cohort.models()).drop(columns="implementation")
    assert (exact == 0).all(axis=None)
    rows = facts.rows("reference_counts")
    rows[0]["active"] = str(int(rows[0]["active"]) + 1)
    original = facts.rows
    monkeypatch.setattr(facts, "rows", lambda name: rows if name == "reference_counts" else original(name))
    off = tables.reference_counts([rows[0]["model"]])
    assert off.iloc[0]["active"] == -1
    assert tables.agreement(off)["largest difference, active"].tolist() == [1]


def test_the_disclosure_matrix_holds_known_statuses():
    matrix = tables.disclosure(cohort.models())
    assert matrix.shape == (len(cohort.models()), len(tables.DISCLOSED))
    assert set(matrix.to_numpy().ravel()) <= {*facts.STATUSES, ""}
    assert set(matrix.loc["Qwen3 8B"]) <= {*facts.STATUSES, ""}
    assert matrix.loc["Qwen3 8B", "alignment"] == "", "gathered for the cohort only"
    assert matrix.loc["Command R", "training tokens"] == "undisclosed"
    assert matrix.loc["Llama 3 8B", "training tokens"] == "stated"
    assert matrix.loc["Arctic", "alignment"] == "contested"


def test_tokens_per_parameter():
    frame = tables.tokens_per_parameter(COHORT)
    assert "Command R" not in frame.index
    assert frame.loc["Llama 3 8B", "per total"] == pytest.approx(15e12 / 8_030_261_248, rel=1e-12)
    assert frame.loc["DBRX", "per active"] == pytest.approx(12e12 / 36_469_708_800, rel=1e-12)
    assert tables.tokens_per_parameter(["command-r-v01"]).empty


# Epoch AI rounds to two or three digits and counts 36 of DBRX's billions as active. For Llama 3 70B it also
# takes hours and an assumed utilisation, and comes out a quarter higher.
@pytest.mark.parametrize(
    ("name", "ratio", "within"),
    [
        ("Llama 2 70B", 1.02, 0.01),
        ("Llama 3.1 405B", 1.0, 0.01),
        ("DBRX", 1.01, 0.01),
        ("Chinchilla 70B", 1.02, 0.01),
        ("Llama 3 70B", 0.81, 0.01),
    ],
)
def test_training_compute_is_near_the_estimates_of_others(name, ratio, within):
    frame = tables.training_compute(cohort.models())
    assert frame.loc[name, "ratio"] == pytest.approx(ratio, rel=within)


def test_scores_never_mix_variants_and_keep_every_source():
    frame = published_values.scores(["llama-2-7b", "mixtral-8x22b-v0.1"], "MMLU")
    base = frame[(frame["model"] == "Llama 2 7B") & (frame["variant"] == "base")]
    assert {45.3, 45.7} <= set(base["score"])
    assert (frame["score"].between(0, 100)).all()
    assert list(dict.fromkeys(frame["model"])) == ["Llama 2 7B", "Mixtral 8x22B"]


def test_the_spread_is_within_one_setting():
    """HumanEval of Mixtral 8x22B, base, 0-shot, is 46.3 by Qwen and 53.1 by DeepSeek; 77.4 is contested."""
    moved = tables.score_spread(published_values.scores(["mixtral-8x22b-v0.1"], "HumanEval"))
    assert moved.iloc[0]["difference"] == pytest.approx(53.1 - 46.3, rel=1e-9)
    llama = published_values.scores(["llama-2-13b"], "GSM8K")
    assert 77.4 in set(llama["score"])
    assert (tables.score_spread(llama)["highest"] < 77.4).all()


def test_instructed_variants_stand_beside_their_base():
    frame = published_values.scores(["llama-2-70b", "gemma-2-27b", "dbrx"], "MMLU")
    step = tables.instructed_less_base(frame)
    assert set(step.index) == {"Llama 2 70B", "Gemma 2 27B"}
    assert step["Gemma 2 27B"] == pytest.approx(76.2 - 75.2, rel=1e-9)
    assert tables.instructed_less_base(frame[frame["variant"] == "base"]).empty


def test_scores_of_other_shots_are_no_step():
    rows = [("base", 60.0, "5-shot"), ("instruct", 62.0, "5-shot"), ("instruct", 90.0, "0-shot CoT")]
    frame = pd.DataFrame(rows, columns=["variant", "score", "shots"]).assign(model="it", status="stated")
    assert tables.instructed_less_base(frame).to_dict() == {"it": 2.0}
    assert tables.instructed_less_base(frame.drop(1)).empty


def test_an_unknown_benchmark_names_the_nearest():
    with pytest.raises(UnknownNameError, match="'MMLU'"):
        published_values.scores(COHORT, "MMLUU")


def test_corrections_are_counted_by_kind_and_table():
    counts = tables.corrections()
    assert counts.loc["wrong"].to_dict() == {"architectures": 6, "benchmarks": 8, "environment": 7, "all": 21}
    assert counts["all"].sum() == 155


def test_closed_models_stand_apart():
    closed = tables.closed_references("MMLU")
    assert closed.loc["Claude 3 Opus", "score"] == 86.8
    assert not set(closed.index) & set(model_tables.training_facts(COHORT).index)
    assert tables.closed_references("MMLU-Pro").empty
