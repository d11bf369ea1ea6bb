"""The problems of the chapter on experts, with answers worked out by hand."""

import cohort
from cohort.chapters.expert_tradeoffs import problems


def test_a_mixture_of_eight_experts():
    """Two of eight: 16 tokens miss an expert with 0.75**16, 1%; 3.68^0.448 x 2^0.23 is 2.1."""
    read, worth, room = problems.worked(cohort.model("mixtral-8x7b-v0.1"), 16, 4096, 1.25)
    assert read.steps[1] == "All 16 tokens miss it with 0.75^16 = 0.01."
    assert read.answer == "About 7.92 of 8, 99%."
    assert worth.steps[1] == "total ÷ active = 3.68."
    assert worth.answer.startswith("About 26.5 billion by the rule, 2.1 times the active weights, and 24.2")
    assert room.steps == (
        "Even share: 4,096 × 2 ÷ 8 = 1,024 tokens.",
        "Room: 1.25 × 1,024, rounded down to 1,280.",
    )
    assert room.answer == "From 1,281 tokens on, 1.25 times the even share."


def test_one_token_reads_as_many_experts_as_it_goes_to():
    (read, *_) = problems.worked(cohort.model("deepseek-v2"), 1, 64, 1.0)
    assert read.answer == "About 6 of 160, 3.8%."
