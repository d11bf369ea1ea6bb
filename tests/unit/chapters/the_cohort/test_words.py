"""What the chapter says: known sentences of the cohort, and every turn that they can take."""

import pandas as pd
import pytest

import cohort
from cohort.architecture import registered
from cohort.chapters.the_cohort import checks, tables, words
from cohort.display import model_tables, published_values

COHORT = registered.group("cohort")
COUNTS = model_tables.counts(COHORT)
CACHES = model_tables.caches(COHORT, 8192)
RATIOS = tables.tokens_per_parameter(COHORT)
SIZES = published_values.published_counts(["llama-3-8b", "llama-3-70b", "gemma-2b", "mistral-7b-v0.1"])
DIFFERENCE = tables.reference_counts(["llama-3-8b", "dbrx"])
MATRIX = tables.disclosure(COHORT)


def one(frame, name):
    """Return one row as a table."""
    return frame.loc[[name]]


def brief(counts, caches, context):
    said = words.brief(counts, caches, context, DIFFERENCE, SIZES, MATRIX, tables.corrections())
    return said.split("\n")


def test_the_cohort_in_brief():
    shown, idle, spread, equal, facts = brief(COUNTS, CACHES, 8192)
    assert shown == (
        "- 14 models of 3.82 to 479 billion parameters stand here. To write a token, 3.82 to 70.6 billion of "
        "them work."
    )
    assert idle == (
        "- In 4 mixtures of experts among them, 72 to 96% of the weights rest while a token is written, but "
        "must be held in memory."
    )
    assert spread == (
        "- Remembering a token takes 26 times as much memory in Command R as in Phi-3 medium, at 8,192 "
        "tokens of context."
    )
    assert "for 2 of 2 registered models" in equal
    assert equal.endswith("; 1 of 4 published sizes are the exact count, rounded.")
    assert facts == (
        "- Of 154 facts on the models, 6 were never disclosed. In the blog post that this book starts from, "
        "155 cells carry a correction or a remark; 21 were wrong."
    )


def test_one_dense_model_in_brief_has_no_spread():
    shown, dense, *rest = brief(one(COUNTS, "Llama 2 7B"), one(CACHES, "Llama 2 7B"), 1)
    assert shown == (
        "- 1 model of 6.74 billion parameters stands here. To write a token, 6.74 billion of them work."
    )
    assert dense == "- All of them are dense."
    assert len(rest) == 2
    assert "- In 1 mixture of experts" in brief(one(COUNTS, "DBRX"), CACHES, 1)[1]
    assert "at 1 token of context" in brief(COUNTS, CACHES, 1)[2]


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (["2024-01-31", "2024-06-01"], "None of the cohort came out in the spring of 2024."),
        (
            ["2024-02-01"],
            "1 of 3 models of the cohort came out between February and May 2024: A on 1 February.",
        ),
        (
            ["2023-07-18", "2024-02-21", "2024-05-31"],
            "2 of 3 models of the cohort came out between February and May 2024: first B on 21 February, "
            "last C on 31 May.",
        ),
    ],
)
def test_the_spring_of_2024(dates, said):
    released = pd.Series(list("ABC")[: len(dates)], index=pd.to_datetime(dates))
    assert words.spring_of_2024(released, 3) == said


def test_how_fields_are_known():
    assert words.how_known(MATRIX) == (
        "73% of the 154 cells are stated, 22% had to be read off a configuration.\n"
        "Most often kept back, each for 2 of 14 models: training tokens, training context, alignment."
    )
    stated = words.how_known(pd.DataFrame({"date": ["stated", "stated"]}))
    assert stated.startswith("100% of the 2 cells are stated, none had to be read off a configuration.")
    told = pd.DataFrame({"date": ["stated", "derived"]})
    assert words.how_known(told).endswith("Nothing is kept back.")
    assert words.how_known(pd.DataFrame({"date": [""]})) == "The data hold no facts on the models chosen."


def test_what_is_not_said_of_the_training():
    facts = model_tables.training_facts(COHORT)
    assert words.undisclosed_training(facts) == (
        "Without the amount of text, the training compute and the footprint of Command R, Mixtral 8x22B can "
        "only be estimated."
    )
    told = words.undisclosed_training(one(facts, "Llama 3 8B"))
    assert told == "How much text it saw is known of 1 model."


def test_tokens_for_the_size():
    assert words.tokens_for_size(RATIOS, 20) == (
        "Chinchilla saw 20 tokens per parameter.\n"
        "12 of 12 models saw more for their active parameters, from 1.45 times as much (Llama 2 70B) to 93.4 "
        "times (Llama 3 8B).\n"
        "Longer training makes a small model good enough, and a small model is cheaper to run.\n"
        "A mixture of experts has two ratios: DBRX saw 329 tokens for each active parameter, and 91.2 for "
        "each that it holds."
    )
    dense = words.tokens_for_size(one(RATIOS, "Llama 2 70B"), 100)
    assert dense.endswith("No models saw more for their active parameters.")
    assert words.tokens_for_size(RATIOS.iloc[:0], 20).startswith("None of the models chosen discloses")


def test_the_mixture_with_the_nearest_ratios_is_named_in_any_order():
    assert words.tokens_for_size(RATIOS.iloc[::-1], 20).split("\n")[3].startswith("A mixture of experts")
    assert "DBRX saw 329" in words.tokens_for_size(RATIOS.iloc[::-1], 20)


def test_active_shares():
    assert words.active_share(COUNTS) == (
        "What must be held in memory is the total; what has to be computed for a token is the active part.\n"
        "With all its experts Arctic is 27.6 times as large as what one token uses, Mixtral 8x22B 3.59 "
        "times: 72 to 96% of the weights rest.\n"
        "Arctic, the largest of all, spends on a token what a dense model of 17.3 billion parameters would."
    )
    alone = words.active_share(one(COUNTS, "DBRX"))
    assert alone.startswith(
        "All models shown are mixtures.\nWith all its experts DBRX is 3.61 times as large"
    )
    assert "what one token uses: 72% of" in alone
    assert words.active_share(one(COUNTS, "Llama 3 8B")).startswith("All models shown are dense")


def test_where_the_weights_are():
    assert words.weight_shares(COUNTS) == (
        "In dense models the feed-forward networks hold 63 to 82% of the weights, attention 17 to 32%.\n"
        "In mixtures the routed experts alone are 94 to 98% of everything.\n"
        "The embedding, with the head, takes 13.1% of Llama 3 8B and 0.1% of Arctic."
    )
    mixture, dense = (words.weight_shares(one(COUNTS, name)) for name in ("Arctic", "Llama 3 8B"))
    assert mixture.startswith("In mixtures the routed experts alone are 98% of everything.\n")
    assert "In mixtures" not in dense
    assert dense.endswith("takes 13.1% of Llama 3 8B.")


def test_what_context_costs():
    extremes, sequence, order, beyond = words.cache_cost(COUNTS, CACHES, 8192).split("\n")
    assert extremes == (
        "Command R, with 35 billion parameters, needs 1,280 KiB for a token; Phi-3 medium, with 14 "
        "billion, 50 KiB."
    )
    assert sequence == "A sequence of 8,192 tokens takes 400 MiB to 10 GiB."
    assert order == "Size does not tell: its rank correlation with the cost per token is −0.06."
    assert beyond.startswith("For 6 of 14 models (Llama 2 7B, Llama 2 13B, Llama 2 70B, Phi-3 mini,")
    assert beyond.endswith(
        "this context is longer than the makers offer; they stand here for comparison only."
    )
    single = words.cache_cost(one(COUNTS, "Llama 3 8B"), one(CACHES, "Llama 3 8B"), 8192)
    assert single == "A sequence of 8,192 tokens takes 1 GiB, 128 KiB for a token."


def test_what_context_costs_by_its_length():
    by_length = model_tables.caches_by_length([*COHORT, "gpt-oss-20b"], [2048, 131_072])
    assert words.cache_by_length(by_length) == (
        "In 3 of 15 models some layers, or all, stop adding to their cache.\n"
        "From 2,048 to 131,072 tokens a token gets cheaper there by a factor of 1.06 (gpt-oss 20B) to 64 "
        "(Phi-3 mini).\n"
        "In all others a token costs the same at any length."
    )
    flat = words.cache_by_length(one(by_length, "Llama 3 8B"))
    assert flat.startswith("No cache of these models stops growing")


def test_how_scores_move():
    found = published_values.scores(COHORT, "MMLU")
    spread, step = tables.score_spread(found), tables.instructed_less_base(found)
    assert words.score_moves(spread, step, "MMLU") == (
        "Sources differ by up to 2.0 points on the same MMLU score, that of Llama 3 8B (instruct), for one "
        "variant, number of shots and metric.\n"
        "Tuning a base model to follow instructions moves the median score by −16.4 to +2.8 points: a table "
        "that mixes the two does not rank models."
    )
    assert words.score_moves(spread.iloc[:0], step.iloc[:0], "MMLU") == (
        "No score was published twice with the same variant, shots and metric."
    )


def test_agreement_with_the_references():
    said = checks.reference_agreement(DIFFERENCE)
    assert "are equal for 2 of 2 models.\n" in said
    off = DIFFERENCE.copy()
    off.loc["DBRX", "active"] = 1
    assert "are equal for 1 of 2 models; they differ for DBRX.\n" in checks.reference_agreement(off)


def test_published_sizes_and_their_readings():
    assert checks.published_sizes(SIZES) == (
        "1 of 4 published sizes are the exact count, rounded.\n"
        "2 more give the printed digits when counted in some other way; 1 does not in any.\n"
        "The median gap is 0.8%, the largest 25%: Gemma 2B is named for 2 billion and holds 2.51 billion."
    )
    assert checks.readings(SIZES) == (
        "Counting all weights and *cutting off* would explain Llama 3 70B, Gemma 2B; rounding to the nearest "
        "ten, none.\n"
        "*Leaving out* the embedding, or embedding and head, would explain none.\n"
        "No reading gives the printed digits of Mistral 7B."
    )
    others = published_values.published_counts(["falcon-180b", "gemma-7b"])
    assert checks.readings(others) == (
        "Counting all weights and *cutting off* would explain none; rounding to the nearest ten, Falcon "
        "180B.\n*Leaving out* the embedding, or embedding and head, would explain Gemma 7B."
    )


def test_what_active_means():
    names = ["mixtral-8x7b-v0.1", "deepseek-v2-lite", "gpt-oss-20b", "minimax-text-01"]
    said = checks.active_conventions(published_values.published_counts(names, active=True))
    assert said.split("\n")[1] == (
        "for Mixtral 8x7B, all weights; for DeepSeek-V2-Lite, gpt-oss 20B, without input embedding; for "
        "MiniMax-Text-01, without embedding and head."
    )


def test_training_compute_beside_estimates():
    said = checks.compute_gap(tables.training_compute(COHORT))
    assert said == (
        "Our estimates differ from theirs by 3.0% at the median. The largest difference is that of Llama 3 "
        "70B, for which ours is 19% lower."
    )


def test_layers_that_see_different_things():
    models = [cohort.model(name) for name in ("llama-3-8b", "gpt-oss-20b", "llama-4-maverick")]
    assert words.layers_seen(models) == (
        "2 of 3 models mix layers that see different things: gpt-oss 20B, Llama 4 Maverick. Llama 4 Maverick "
        "has experts in some layers only."
    )
    assert words.layers_seen(models[:1]) == "In each of these models all layers see the same."
