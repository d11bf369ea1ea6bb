"""What to remember of the chapter on the models: known sentences, and each turn that a sentence can take."""

import pandas as pd

import cohort
from cohort.chapters.the_cohort import remembered
from cohort.display import model_tables, published_values

MOVES = pd.Series({"Llama 3 8B": 1.8, "Llama 2 7B": -11.2})


def takeaways(models, moves=MOVES):
    counts, caches = model_tables.counts(models), model_tables.caches(models, 8192, 2)
    sizes = published_values.published_counts(cohort.models())
    return remembered.takeaways(counts, caches, sizes, moves, "MMLU").split("\n")


def test_four_of_several_models():
    names, work, context, scores = takeaways(["llama-2-7b", "snowflake-arctic"])
    assert names.endswith("published sizes are the count, rounded, and Gemma 2B is off by 25%.")
    assert work.endswith(
        "Arctic holds 27.6 times the weights that work on a token. It is the largest model here and puts "
        "17.3 billion of its 479 billion weights to work."
    )
    assert context.endswith("from 140 KiB a token (Arctic) to 512 KiB (Llama 2 7B).")
    assert "tuning moves MMLU by −11.2 to +1.8 points here." in scores


def test_four_of_one_dense_model_without_scores():
    _, work, context, scores = takeaways(["llama-3-8b"], MOVES[:0])
    assert work.startswith("- In a dense model every weight works on every token")
    assert context == "- A token of context costs Llama 3 8B 128 KiB, in every conversation."
    assert scores == "- A score without its variant, its shots and its source tells little."
