"""The problems of the chapter on the models, with answers worked out by hand."""

import pytest

import cohort
from cohort.chapters.the_cohort import problems, tables


def worked(*models):
    return problems.worked(models, tables.tokens_per_parameter(models), 20.0)


def test_the_size_of_a_dense_model():
    """32,000 x 4,096 twice, and 32 layers of 4 x 4,096 x 4,096 + 3 x 4,096 x 11,008; 65 norms of 4,096."""
    (size, *_) = worked("llama-2-7b")
    assert size.steps[3].endswith("= 6,738,149,376.")
    assert size.steps[4].startswith("What is missing are 266,240 weights")
    assert 266_240 == 65 * 4096
    assert size.answer == "6,738,415,616 weights."


def test_the_work_of_a_mixture():
    """DeepSeek-V2: 59 layers of 160 experts of 3 x 5,120 x 1,536, six of which work."""
    (work, _) = worked("deepseek-v2")
    idle = 59 * 154 * 3 * 5120 * 1536
    assert cohort.model("deepseek-v2").active_parameters == cohort.model("deepseek-v2").parameters - idle
    assert work.answer == "21.4 billion, 9.1% of all."


def test_text_for_a_size():
    (_, text) = worked("llama-3-8b")
    assert text.steps[1] == "1,870 ÷ 20 = 93.4."
    assert text.answer == "93.4 times Chinchilla's ratio, and 7.23 × 10²³ FLOP."


@pytest.mark.parametrize(("models", "count"), [(("llama-3-8b", "dbrx"), 3), (("gemma-2-27b",), 1)])
def test_only_what_the_models_give_rise_to_is_asked(models, count):
    assert len(worked(*models)) == count
