"""What the chapter on experts says: known sentences, and each turn that a sentence can take."""

from dataclasses import replace

import pandas as pd
import pytest

import cohort
from cohort.chapters.expert_tradeoffs import (
    decision,
    fleet,
    links,
    load,
    placed,
    reads,
    sizes,
    timing,
    words,
    worth,
)
from cohort.chapters.expert_tradeoffs.words import measured
from cohort.errors import ParameterError
from cohort.scaling.mixture_rules import Rule

DEVICE = "H100 SXM 80GB"


@pytest.fixture(scope="module")
def tables() -> dict:
    """What the brief says of DeepSeek-V2 at the defaults of the chapter."""
    spec = cohort.model("deepseek-v2")
    return {
        "beside": sizes.beside_dense(["deepseek-v2"], DEVICE),
        "lost": reads.advantage(["deepseek-v2"], DEVICE),
        "rules": worth.rules(),
        "modern": decision.own_worth(spec),
        "balance": load.balance("deepseek-v2", 4096, 0.7, 1.25, 8, 0),
        "placements": load.by_placement(spec, 4096, 0.7, [1, 2, 8]),
        "decision": "On 8 devices a mixture is worth more.",
        "errors": {"device": 0.098, "layer": 0.077, "services": 0.13},
    }


def brief(tables, **changed):
    return words.brief(cohort.model("deepseek-v2"), **{**tables, **changed}).split("\n")


def test_the_brief_at_its_defaults(tables):
    assert brief(tables) == [
        "- A token passes through 21.4 billion of the 236 billion parameters of DeepSeek-V2: 11.3 times less "
        "compute than a dense model of its size, in as much memory, 7 devices.",
        "- A step for one answer reads as little as the dense model of its active size; one for 59 answers "
        "reads nearly all of it.",
        "- DeepSeek-V2 is worth a dense model of about 98 billion parameters. The rule that says so rests on "
        "64 measured mixtures, and is typically off by a factor of 1.3 for a maker that it has not seen. "
        "Beyond the 14.6 billion of the largest dense model among them it is drawn out.",
        "- On 8 devices a mixture is worth more.",
        "- Some experts are more popular: with a skew of 0.7 the busiest has 10.8 times the mean load; the "
        "slowest of 8 devices has 1.48 times if experts are placed blindly, 1.02 times if popular ones are "
        "held twice.",
        "- Median errors, where nothing was fitted: 10% for the slowest device, 8% for the time of a layer "
        "of experts, 13% for a token of services that deal experts out.",
    ]


def test_the_turns_of_the_brief(tables):
    lost = tables["lost"].assign(**{"nearly all": 1})
    first, second, _, _, fourth, _ = brief(
        tables,
        beside=tables["beside"].assign(devices=1),
        lost=lost,
        balance=replace(tables["balance"], expert_parallel=1),
    )
    assert first.endswith("in as much memory, 1 device.")
    assert second.endswith("; one for 1 answer reads nearly all of it.")
    assert fourth.endswith("with a skew of 0.7 the busiest has 10.8 times the mean load.")
    even = brief(tables, balance=replace(tables["balance"], skew=0.0))
    assert even[4].startswith("- Even with no skew the busiest has")


def test_where_the_weights_are():
    two = sizes.anatomy(["mixtral-8x22b-v0.1", "snowflake-arctic"])
    assert words.where_weights_are(two).endswith(
        "\nAll parameters are 3.6 times the active ones in Mixtral 8x22B, and 27.6 times in Arctic."
    )
    assert "Routers, which decide everything, are at most 0.01%." in words.where_weights_are(two)
    one = words.where_weights_are(two.iloc[:1])
    assert (
        one.startswith("Routed experts are 96.")
        and "and the router, which decides everything, less than 0.01%" in one
    )
    assert one.endswith("All parameters are 3.6 times the active ones.")


def test_active_counts():
    conventions = sizes.active_by_convention(cohort.models())
    some = ["mixtral-8x7b-v0.1", "qwen3-next-80b-a3b", "gpt-oss-20b", "llama-3-8b"]
    assert words.active_counts(sizes.active_by_convention(some)) == (
        "Of 3 published numbers, 2 follow when all weights are counted, 2 without the input embedding, and 1 "
        "without embedding and head; short numbers follow from several. Each follows from one of them at "
        "least.\nThe largest excess of the exact over the published number is +29.2%, in Qwen3-Next 80B-A3B. "
        "This book counts all weights, and says so where it does not."
    )
    lost = conventions.iloc[:2].copy()
    lost.iloc[:, 3:] = "–"
    names = " and ".join(lost.index)
    assert f"several. None of them gives that of {names}.\n" in words.active_counts(lost)


def test_dense_models_beside():
    frame = sizes.beside_dense(["mixtral-8x22b-v0.1", "snowflake-arctic"], DEVICE)
    assert words.dense_beside(frame).startswith(
        "A mixture stands above the dense model of its compute, by 3.6 to 27.7 times the memory, and to the "
        "left of the dense model of its memory, by 3.6 to 28.0 times the compute.\n"
    )
    assert "by 3.6 times the memory" in words.dense_beside(frame.loc[["Mixtral 8x22B"]])


@pytest.mark.parametrize(
    ("skew", "tokens", "middle", "spread", "last"),
    [
        (0.5, 64, "64 tokens read 146", ", give or take 3.1.", "With a skew, a batch"),
        (0.0, 1, "1 token reads 6", ".", "Without skew both"),
    ],
)
def test_distinct_experts(skew, tokens, middle, spread, last):
    spec = cohort.model("deepseek-v2")
    seen = reads.expert_coverage(spec, [1, 16, 64], skew, 0)
    said = words.distinct_experts(seen, spec, tokens, skew).split("\n")
    assert said[0].endswith("it counts up to 55% too many, near E/K, here 27 tokens.")
    alike = "of 160 on average if all experts are alike"
    assert said[1].startswith(f"{middle} {alike}{spread} Simulation and formula are at most")
    assert said[1].endswith("over 3 sizes of the batch.")
    assert said[2].startswith(last)


def test_no_spread_in_a_single_token():
    spec = cohort.model("dbrx")
    seen = reads.expert_coverage(spec, [1], 0.0, 0)
    assert "at most 0.0 standard errors apart, over 1 size of the batch" in words.distinct_experts(
        seen, spec, 1, 0.0
    )
    with pytest.raises(ParameterError, match="which is dense"):
        words.distinct_experts(seen, cohort.model("llama-3-8b"), 1, 0.0)


def test_where_sparsity_is_lost(tables):
    row = tables["lost"].loc["DeepSeek-V2"].copy()
    assert words.sparsity_lost("X", row, DEVICE).startswith(
        "*Reads twice* is against the dense model of equal active size. A step of X reads twice the weights "
        "of that model from 4 answers on, and 90% of its own from 59 answers on.\nAt the peaks of H100 SXM "
        "80GB, the cache left aside, its step is then up to 11.3 times as long, at 295 answers; from 3,331 on"
    )
    row["twice"], row["nearly all"] = pd.NA, 1
    assert (
        "A step of X never reads twice the weights of that model, and 90% of its own from 1 answer on."
        in (words.sparsity_lost("X", row, DEVICE))
    )


def test_balance(tables):
    balance = tables["balance"]
    assert words.load_balance(balance, 160) == (
        "The busiest expert has 10.8 times the mean load. The slowest of 8 devices, with experts placed "
        "blindly, has 1.48 times, since experts on a device even each other out in part. The time of an "
        "expert layer follows the slowest, so 32% of the devices' time is lost in waiting.\nThe balance loss "
        "is 1 for an even router; here it is 2.64."
    )
    assert "1.48 times, as each device holds one expert. The time" in words.load_balance(balance, 8)
    alone = words.load_balance(replace(balance, expert_parallel=1), 160)
    assert "mean load. One device waits for no other.\n" in alone
    known = load.balance("deepseek-v2", 4096, 0.7, 1.25, 8, 0, load.COPIES)
    assert "placed by their loads and popular ones held twice, has 1.02 times" in words.load_balance(
        known, 160
    )


def test_drops(tables):
    lines = load.drops_by_room(cohort.model("deepseek-v2"), 4096, [0.0])
    said = words.dropped_assignments(lines, tables["balance"])
    assert said.startswith(
        "Even a router without any preference overfills some experts by chance: with no room to spare it "
        "drops 3.4%, with a quarter to spare less than 0.01%.\nWith the chosen skew of 0.7 and 1.25 times "
        "the even share it drops 27%."
    )
    often = {"skew 0": pd.Series({1.0: 1.0, 1.25: 0.0123})}
    assert "with a quarter to spare 0.012%.\n" in words.dropped_assignments(often, tables["balance"])


def test_the_time_of_an_exchange():
    moved = links.shared(cohort.model("deepseek-v2"), DEVICE, 64, 0.5)
    assert words.exchange_time(moved, 59, 64).startswith(
        "The table is for 64 tokens of each device, in whole nodes, and waits for the device with the most "
        "load. On 160 devices the 59 layers of experts take 46.3 ms to exchange, which is added to each "
        "token unless it hides behind other work. Of that, 12% is the fixed time of starting an "
        "exchange.\nWith one"
    )
    alone = words.exchange_time(moved.loc[:1], 1, 1)
    assert "for 1 token of each device" in alone and "On 1 device the 1 layer of experts take 0 ms" in alone
    assert "hides behind other work.\nWith one" in alone


def test_services():
    served = fleet.served(["mixtral-8x7b-v0.1", "llama-3-8b"], DEVICE, 64, 1024, 256)
    assert words.best_services(served).startswith(
        "Per device, the best mixture is Mixtral 8x7B with 1,720 tokens a second, the best dense model Llama "
        "3 8B with 4,850."
    )
    neither = "The parameters name no mixture and dense model that some group holds both."
    nothing = fleet.served(["llama-3.1-405b"], "L4", 4, 1024, 256)
    assert [words.best_services(each) for each in (served[:1], served[1:], nothing)] == [neither] * 3
    assert words.models_left_out([]) == ""
    assert words.models_left_out(nothing.attrs["left out"]) == "Too large for any group: Llama 3.1 405B."
    assert words.models_left_out(["A", "B"]) == "Too large for any group: A and B."


def test_published_exchanges():
    exchanged = links.exchanges()
    said = words.measured_exchanges(exchanged[exchanged["use"] == "test"])
    assert said.startswith(
        "The median error of 10 rows is 2.3%, the largest −13%, for combine on 128 devices. The form"
    )
    assert said.endswith("The fixed time is 47 µs.")


def test_skews():
    moved = pd.DataFrame({"experts": [146.0, 46.0], "slowest": [1.03, 1.35]}, index=[0.0, 2.0])
    assert words.skews(moved, 64) == (
        "From a skew of 0 to 2, a layer reads 146 and then 46 experts for 64 answers, and the slowest device "
        "has 1.03 and then 1.35 times the mean load. What helps bandwidth harms balance."
    )
    for same in ({"experts": [146.0, 146.0]}, {"slowest": [1.03, 1.03]}):
        assert words.skews(moved.assign(**same), 1).endswith("times the mean load.")
    assert "experts for 1 answer, and" in words.skews(moved, 1)


def test_what_laws_say():
    equivalents = worth.equivalents(["mixtral-8x7b-v0.1", "deepseek-v2"])
    said = words.dense_worth("DeepSeek-V2", equivalents, worth.times_active("dbrx"), 2).split("\n")
    assert said[0].startswith(
        "The training tokens of Mixtral 8x7B are not stated; the laws that need them are given 8.1 trillion, "
        "the median of the others. The laws disagree by "
    )
    assert said[1] == "None of them lies within the runs of its law, as far as those are known."
    assert said[2] == (
        "The recommended rule puts DeepSeek-V2 at 98.1 billion, within the span of the laws, and the root at "
        "69.1 billion."
    )
    assert said[3].endswith(
        "at about 2 times the compute, at equal quality; by the rule the dense model of equal loss has 2.5 "
        "times its active parameters."
    )


@pytest.mark.parametrize(
    ("inside", "words_of_it"), [(1, "1 of them lies within"), (2, "2 of them lie within")]
)
def test_the_turns_of_the_laws(inside, words_of_it):
    equivalents = worth.equivalents(["deepseek-v2"])
    equivalents.loc[: inside - 1, "beyond"] = 1.0
    equivalents.loc[~equivalents["law"].isin(worth.RULES), "dense"] = [3e9, 6e9] + [3e9] * 6
    said = words.dense_worth("DeepSeek-V2", equivalents, 1.0, 2)
    assert said.startswith(
        "The laws disagree by 2 times for the same mixture. Of 8 values 8 say that it is worth"
    )
    assert f"\n{words_of_it} the runs of its law" in said
    assert "outside the span of the laws, and the root" in said
    assert "has 1.0 times its active parameters." in said


def test_what_the_pairs_say():
    pairs, rules = worth.measured_pairs(), worth.rules()
    said = words.pairs_and_rule(pairs, rules)
    assert said.startswith(
        "In 64 pairs of 7 makers a mixture was as good as a dense model of 0.9 to 11.7 times its active"
    )
    assert "**active parameters × (total ÷ active)^0.45 × granularity^0.23**, and never more than" in said
    assert "it gives 0.84 of what was measured, and typically misses by a factor of 1.32 to either" in said
    assert "these are 0.95 and 1.30. That meets our bar, a median from 0.8 to 1.25" in said
    assert "For the 4 mixtures of a granularity of 8 and more it gives 0.63 of what was measured" in said
    far = rules.assign(**{"makers spread": 1.5})
    assert "That does not meet our bar" in words.pairs_and_rule(pairs, far)
    few = words.pairs_and_rule(pairs[pairs["maker"] != "DeepMind"], rules)
    assert "of the pairs are by" not in few
    coarse = words.pairs_and_rule(pairs[pairs["granularity"] < 8], rules)
    assert "comes out at 0.91, with a spread of 1.41.\n\n39 of the pairs are by DeepMind" in coarse


def test_compute_and_memory():
    pairs = worth.measured_pairs()
    said = words.compute_and_memory(pairs)
    assert said.endswith(
        "63 of 64 measured mixtures are worth more than a dense model that trains with as much; none of them "
        "is worth a dense model of as many weights."
    )
    assert "64 of them are worth" in words.compute_and_memory(pairs.assign(dense=pairs["total"]))


def test_rules_in_words():
    assert measured.formula(Rule("root of total and active", ())) == (
        "the square root of total times active parameters"
    )
    assert measured.formula(Rule("bent power", (0.5, -0.02))) == (
        "active parameters × (total ÷ active)^0.50 × exp(−0.020 × ln²(total ÷ active))"
    )
    rules = worth.rules()
    assert words.laws_beside(rules).endswith("says little of another.")
    assert (
        "None of them meets both bounds.\nThe nearest is that of Abnar et al., at 0.88"
        in words.laws_beside(rules)
    )
    good = rules.assign(median=1.0, spread=1.1, **{"makers median": 1.0, "makers spread": 1.1})
    every = words.laws_beside(good)
    assert "Clark, S-BASE, Clark, RL-R, " in every and "and Tian (Ling) meet both" in every


def test_what_is_chosen():
    assert words.choice([(1, "dense")]) == "a dense model is worth more at every number of answers"
    best = decision.best(DEVICE, 8, 20.0, [1, 4096])
    said = words.decided(DEVICE, 8, 20.0, best, [(1, "dense"), (1178, "mixture")]).split("\n\n")
    assert said[0] == (
        "On 8 H100 SXM 80GB, at 20 tokens a second for each answer, a dense model is worth more for one "
        "answer, a mixture from about 1,200 answers on."
    )
    assert said[2].startswith(
        "From the fewest answers to the most, the best dense model goes from 450 billion to "
    )
    assert words.choice([(1, "dense"), (12, "mixture")]).endswith("a mixture from 12 answers on")
    assert said[1].startswith("For few answers memory is scarce") and "For many answers arithmetic" in said[1]
    same = words.decided(DEVICE, 8, 20.0, best.loc[[1]], [(1, "dense")])
    assert "the best dense model stays at 450 billion parameters, and" in same


def test_modern_mixtures():
    modern, pairs = decision.modern(), worth.measured_pairs()
    said = words.modern_mixtures(modern, pairs, "DeepSeek-V2")
    assert "DeepSeek-V2 holds 11.5 times its active parameters in experts of granularity 8, and" in said
    assert "The model that is looked at closely is not among them." in words.modern_mixtures(
        modern, pairs, "mine"
    )


@pytest.mark.slow
def test_loads_placements_times_and_services():
    loads = placed.loads_of_model("OLMoE 1B-7B")
    said = words.router_loads(loads, placed.measured_skews(), 0.7, 4096)
    assert said.startswith("Measured, the most popular expert of OLMoE 1B-7B has 2.5 to 7.8 times the mean")
    spec = cohort.model("deepseek-v2")
    assert "1.35 placed by the loads of other kinds of text, 1.21 with copies too, and 1.02" in (
        words.placements(load.by_placement(spec, 4096, 0.7, [1, 8]), 0.7, 8)
    )
    assert words.placements(load.by_placement(spec, 4096, 0.7, [1]), 0.7, 1).startswith(
        "One device holds all"
    )
    beside = words.devices_beside(placed.slowest_devices(), placed.known_placements())
    assert "within 25% in 51 of 58 layers and 10% off at the median" in beside
    assert "6 layers of DeepSeek-R1 come out within 4%." in beside
    times = words.times_beside(timing.layer_times(), timing.fixed_time())
    assert "28% too short" in times and "the median error is 7.7%, and the largest −25%" in times
    wide = words.services_beside(fleet.wide_services(), fleet.dealt_out())
    assert "is predicted 20% too low the one way and 26% too high the other" in wide
    assert wide.startswith("3 of 3 published services") and "the worst of 4 models is DeepSeek-R1" in wide
