"""A text that is longer than a model is offered for is said, by name and number."""

import cohort
from cohort.chapters.limits import beyond_offered


def said(context, *names):
    return beyond_offered(map(cohort.model, names), context)


def test_nothing_is_said_within_the_offer():
    assert said(8192, "llama-3-8b", "llama-3.1-8b") == ""


def test_some_of_several_are_named_the_shortest_first():
    assert said(9000, "llama-3-8b", "llama-2-7b", "llama-3.1-8b") == (
        "2 of 3 models are offered for fewer than 9,000 tokens: Llama 2 7B (4,096), Llama 3 8B (8,192). "
        "Here all are counted as if they went so far."
    )
    assert said(5000, "llama-3-8b", "llama-2-7b") == (
        "1 of 2 models is offered for fewer than 5,000 tokens: Llama 2 7B (4,096). "
        "Here all are counted as if it went so far."
    )
    assert " and others. " in said(10**6, "llama-2-7b", "llama-2-13b", "llama-2-70b", "llama-3-8b")
