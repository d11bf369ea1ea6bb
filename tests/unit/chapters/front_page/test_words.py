"""The findings of the front page: from records whose sentences are known."""

import pandas as pd
import pytest

from cohort.chapters.front_page import tables
from cohort.chapters.front_page.words import findings, largest_models
from cohort.chapters.judging import CHAPTERS
from cohort.errors import CohortError

VALUES = {
    "the_cohort": {"cache_spread": 52.51, "models": ["a", "b", "c"]},
    "chinchilla_fit": {
        "tokens_per_parameter": 17.92,
        "tokens_per_parameter_low": 7.64,
        "tokens_per_parameter_high": 35.46,
    },
    "data_optimal": {
        "models": ["Llama 2 7B", "Llama 3 8B"],
        "overhead": [90.7, 459.5],
        "break_even_tokens": [1.5e12, 1.145e13],
    },
    "attention_memory": {"cache_share_of_memory": 53.26},
    "serving_roofline": {
        "model": "llama-3-70b",
        "accelerator": "H100 SXM 80GB",
        "compute_bound_concurrency": 296,
    },
    "expert_tradeoffs": {"model": "deepseek-v2", "training_saving": 11.28, "reads_twice_from": 1},
    "training_footprint": {
        "co2e": [44.6, 13394.6],
        "co2e_low": [31.6, 9287.8],
        "co2e_high": [57.5, 17846.1],
        "largest": "Llama 3.1 405B",
    },
    "serving_footprint": {"model": "llama-3-70b", "answer_energy": 0.1711, "break_even": 3.986e10},
    "decide": {"cheapest": "a way", "price": 1.2902, "chance": 41.86, "tried": 1528},
}


def records(**changed):
    """Return what the chapters record, with some values changed by chapter."""
    values = {chapter: {**given, **changed.get(chapter, {})} for chapter, given in VALUES.items()}
    return {
        chapter: {name: {"value": value, "unit": None} for name, value in given.items()}
        for chapter, given in values.items()
    }


def sentence(chapter, **changed):
    return dict(findings(records(**{chapter: changed})))[chapter]


def test_every_chapter_has_a_finding_in_the_order_of_the_book():
    assert [one.chapter for one in findings(records())] == [*CHAPTERS, "decide"]


@pytest.mark.parametrize(
    ("chapter", "said"),
    [
        ("the_cohort", "53 times as much memory in the hungriest of 3 models"),
        ("chinchilla_fit", "say 18, and allow anything from 7.6 to 35"),
        (
            "data_optimal",
            "took 5.6 times the training that its loss needed; being small, it earns that back",
        ),
        ("attention_memory", "53% of what a typical model needs in memory"),
        (
            "serving_roofline",
            "fewer than 296 answers at once, H100 SXM 80GB spends its time on fetching the weights of Llama",
        ),
        ("expert_tradeoffs", "11 times less compute than a dense model of its size"),
        ("expert_tradeoffs", "with 1 answer at once it already reads twice"),
        ("training_footprint", "about 13,000 tonnes of CO2e, between 9,300 and 18,000"),
        ("serving_footprint", "about 0.17 Wh. After 40 billion of them, use has emitted more than making."),
        (
            "decide",
            "The cheapest of 1,528 ways to serve an assistant costs USD 1.29 for a million tokens, but",
        ),
        ("decide", "with a chance of 42% the runner-up is cheaper in truth."),
    ],
)
def test_known_records_give_known_sentences(chapter, said):
    assert said in sentence(chapter)


def test_what_is_never_repaid_or_not_disclosed_is_said():
    assert "no use earns that back" in sentence("data_optimal", break_even_tokens=[1.0, -1.0])
    assert sentence("serving_footprint", break_even="not disclosed") == (
        "An answer of Llama 3 70B takes about 0.17 Wh."
    )


def test_without_a_choice_none_is_told():
    assert sentence("decide", chance="none").endswith("USD 1.29 for a million tokens.")
    assert sentence("decide", cheapest="none") == (
        "Nothing serves the assistant of the last chapter within its limits."
    )


def test_a_missing_record_is_named():
    with pytest.raises(CohortError, match="'co2e' of training_footprint"):
        findings({**records(), "training_footprint": {}})
    with pytest.raises(CohortError, match="'the_cohort'"):
        findings({})


def test_records_of_size_are_named_and_no_others():
    sizes = tables.sizes_by_date()
    dense = sizes[sizes["total"] == sizes["active"]]
    assert dense["total"].idxmax() == "Llama 3.1 405B"
    assert sizes["named"]["Llama 3.1 405B"] and sizes["named"]["Falcon 180B"]
    assert not sizes["named"]["Llama 3 8B"]
    assert sizes["released"].is_monotonic_increasing
    assert sizes["released"].min() >= pd.Timestamp(tables.SINCE)


def test_the_largest_are_said_with_what_works():
    frame = pd.DataFrame({"total": [405.0, 1000.0], "active": [405.0, 32.0]}, index=["A", "B"])
    assert largest_models(frame) == (
        "The largest dense model, A, holds 405 billion parameters. The largest mixture, B, holds 1 trillion, "
        "of which 32 billion work for a token."
    )
