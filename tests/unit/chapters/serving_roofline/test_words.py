"""What the chapter on serving says: known sentences, and each turn that a sentence can take."""

import pandas as pd
import pytest

import cohort
from cohort.chapters import limits
from cohort.chapters.serving_roofline import changes, comparisons, tables, words
from cohort.serving.roofline import largest_concurrency, serve

LENGTHS = {"input_tokens": 1024, "output_tokens": 256}
REQUEST = {"model": "llama-3-70b", "accelerator": "H100 SXM 80GB", "tensor_parallel": 4, **LENGTHS}


@pytest.fixture(scope="module")
def scope() -> pd.DataFrame:
    compared = comparisons.measured_cases("test")
    return compared[compared["in scope"]]


@pytest.fixture(scope="module")
def sweep() -> pd.DataFrame:
    return tables.by_concurrency([1, 64, 357], **REQUEST)


@pytest.fixture(scope="module")
def newest() -> pd.DataFrame:
    columns = ["rows", "median", "ninth_decile", "bias", "inside", "roofline", "first_look"]
    values = [[1594, 11.4, 32.9, -2.6, 88.3, 62.2, 12.5]]
    return pd.DataFrame(values, columns=columns, index=["all"]).astype({"rows": int})


def brief(newest, concurrency=64, **changed):
    request = {**REQUEST, **changed}
    service = serve(**request, concurrency=concurrency)
    most = largest_concurrency(**request)
    phases = tables.phases(request["model"], request["accelerator"], concurrency, **LENGTHS)
    sweep = tables.by_concurrency(sorted({1, concurrency}), **request)
    return words.brief("X", phases, sweep, service, most, 2.5, newest).split("\n")


def test_the_brief_at_its_defaults(newest):
    ridge, first, second, third, last = brief(newest)
    assert ridge == (
        "- Below a certain work for each byte, its ridge, H100 SXM 80GB waits for memory; above it, for "
        "arithmetic."
    )
    assert first == (
        "- Training is 5.2 times above that ridge, a prompt of 1,024 tokens 3.5 times above it; writing one "
        "answer is 290 times below it, so that memory sets the pace."
    )
    assert second == (
        "- X on 4 devices takes 40 ms for a token of each of 64 answers at once, 1,510 tokens a second in "
        "all. The largest part of that time is *prompts of others*."
    )
    assert third == (
        "- The memory holds 357 such answers. At USD 2.5 for an accelerator and hour, a million output "
        "tokens cost USD 1.84, their prompts included."
    )
    assert last == (
        "- Nothing was fitted to 1,594 measurements of 2025 and 2026: on them a token's time was off by "
        "12.5% at the first look and is by 11.4% now, the roofline alone by 62% (medians)."
    )


def test_the_brief_of_what_does_not_fit(newest):
    *_, second, third, _ = brief(newest, concurrency=1, tensor_parallel=1)
    assert "- X on 1 device would take " in second
    assert " ms for a token of each of 1 answer at once" in second
    assert third.startswith("- It does not fit: ") and "holds" not in third.split("fit: ")[0]
    assert "a million output tokens would cost USD " in third


def test_one_answer_above_the_ridge(newest):
    service, sweep = serve(**REQUEST), tables.by_concurrency([1], **REQUEST)
    phases = pd.DataFrame(
        {"intensity": [4.0, 3.0, 2.0], "ridge": [1.0, 1.0, 1.0]}, index=["training", "prefill", "decode, 1"]
    )
    assert "writing one answer is 2 times above it, so that compute sets the pace." in words.brief(
        "X", phases, sweep, service, 1, 1.0, newest
    )
    assert "The memory holds 1 such answer." in words.brief("X", phases, sweep, service, 1, 1.0, newest)


def test_a_small_model_waits_for_neither_side_of_the_roofline(newest):
    """The brief and the body named memory and compute of a model whose time is all launches."""
    small = {"model": "smollm2-135m", "tensor_parallel": 1}
    request = {**REQUEST, **small, "input_tokens": 1, "output_tokens": 2}
    sweep = tables.by_concurrency([1, 2, 64], **request)
    _, first, second, *_ = brief(newest, concurrency=2, **small)
    assert "so that by the roofline memory sets the pace; but " in first
    assert "fixed times and exchange, which no roofline counts." in first
    assert "The largest part of that time is *fixed, per layer*." in second
    (part,) = {line.split("*")[1] for line in words.token_time(sweep, 1, False).split("\n") if "*" in line}
    assert part == "fixed, per layer"


def test_a_text_beyond_what_is_offered_is_said(newest):
    service, sweep = serve(**REQUEST), tables.by_concurrency([1], **REQUEST)
    phases = tables.phases("llama-3-70b", "H100 SXM 80GB", 1, **LENGTHS)
    beyond = limits.beyond_offered([cohort.model("llama-3-70b")], 65536)
    assert words.brief("X", phases, sweep, service, 1, 1.0, newest, beyond).split("\n")[-1] == (
        "- Llama 3 70B is offered for 8,192 tokens, fewer than 65,536: it is counted here as if it went so "
        "far."
    )


def test_intensities():
    phases = tables.phases("llama-3-70b", "H100 SXM 80GB", 64, **LENGTHS)
    assert words.intensities(phases, 64) == (
        "The ridge is at 295 FLOP a byte for training, which does 1,530, 5.2 times above it, with 8,192 "
        "tokens on a device. A prompt does 1,030, 3.5 times above it.\nA step for one answer does 1.02, 290 "
        "times below it. A step for 64 answers does 55.7, 5.3 times below it, and could use 19% of the "
        "arithmetic at most."
    )
    assert words.intensities(phases, 1).endswith(
        "it.\nA step for 1 answer does 1.02, 290 times below it, and could use 0.35% of the "
        "arithmetic at most."
    )


@pytest.mark.parametrize(
    ("most", "room"),
    [
        (350, "4 devices holds 350 of the chosen length, enough to get there."),
        (295, "4 devices holds 295 of the chosen length, so that the weights alone never leave the slope."),
        (0, "4 devices does not hold even one of the chosen length."),
    ],
)
def test_where_decode_turns(most, room):
    said = words.turning_point("X", "H100", 4, "bf16", 296, most).split("\n")
    assert said[0] == (
        "With fewer than 296 answers at once, H100 spends its time on fetching the weights of X in bf16, not "
        "on multiplying them."
    )
    assert said[1] == f"The memory of {room}"


def test_the_calibration():
    values = cohort.table("serving_calibration")
    errors = pd.Series([0.01, -0.03, 0.2])
    said = words.calibration(values, errors)
    assert said.startswith("11 of the values of 2023 are fitted together, to 69 rows of two sources")
    assert "the median error is 3.0%; that says little" in said
    old = (values["method"] == "fitted") & (values["generation"] == "2023")
    values.loc[old, "rows"] = range(11)
    with pytest.raises(ValueError, match="unpack"):
        words.calibration(values, errors)


def test_where_the_time_goes(sweep):
    first, last = words.token_time(sweep, 64, mixture=False).split("\n")
    assert first == (
        "With one answer, the largest part of the time is *reading weights*, and 27% is what no roofline "
        "counts: fixed times and exchange. With 64 and with 357 it is *prompts of "
        "others*."
    )
    assert last == "The weights are read in the same time however many answers share them."
    alone = words.token_time(sweep.iloc[:1], 1, mixture=True).split("\n")
    assert alone[0].endswith("fixed times and exchange.")
    assert alone[1] == "The more answers share a step, the more of the experts it reads."


def test_what_concurrency_trades(sweep):
    said = words.trade(sweep, 357, 4, 2.5)
    one, full = sweep.loc[1], sweep.loc[357]
    assert said == (
        "From one answer to 357 at once, throughput grows 38 times, and each user's speed falls from 58 "
        "to 6.2 tokens a second. At the chosen price a million tokens then cost USD 1.26 in place of USD 48."
    )
    assert 1e6 * 10 / 3600 / full["throughput"] == pytest.approx(1.26, abs=0.005)
    assert 1e6 * 10 / 3600 / one["throughput"] == pytest.approx(48.0, abs=0.05)
    nothing = "of this length, so there is nothing to trade."
    assert words.trade(sweep[:1], 1, 4, 2.5) == f"The memory holds one answer {nothing}"
    assert words.trade(sweep.assign(fits=False), 0, 4, 2.5) == f"The memory holds no answer {nothing}"


def test_utilisation():
    sweep = pd.DataFrame({"mfu": [0.009, 0.39]})
    assert words.peaks_used(pd.Series([0.29, 0.56, 0.4]), sweep) == (
        "They lie between 29% and 56%. The post's *as close to 100% utilisation as you can* is an aim: no "
        "run in the table publishes more than 56%.\nServing reaches 0.9% with one answer and 39% at most in "
        "this case."
    )


def test_variants():
    saved = changes.savings("llama-3-70b", "H100 SXM 80GB", 4, 64, **LENGTHS)
    said = words.variants(saved, 4)
    assert said.startswith(
        "Of those that fit, *weights in fp8* writes most, 2,740 tokens a second. With *a key and a "
        "value for each head* the memory would hold 39 answers in place of 357. A latent vector is small but "
        "not divided: each of 4 devices holds all of it. Fewer bits"
    )
    few = words.variants(saved.assign(most=1), 4)
    assert "would hold 1 answer in place of 1. A" in few
    none = words.variants(saved.assign(throughput=float("nan")), 1)
    assert none.startswith("None of these fits the memory. With *a key")
    assert "latent" not in none


def test_the_cheapest():
    costs = pd.DataFrame({"devices": [1, 2], "low": [0.5, 0.75], "high": [2.0, 3.0]}, index=["A", "B"])
    assert words.cheapest(costs).startswith(
        "The cheapest here is A, 1 device, from USD 0.5 to 2. Across all of them the million is to be had "
        "from USD 0.5 to 3.\nThese are"
    )
    assert "B, 2 devices, from" in words.cheapest(costs[1:])
    assert words.cheapest(costs[:0]) == (
        "No group of accelerators with a published price holds this model and an answer of this length."
    )


def test_the_sum_that_is_quoted():
    usd, billions = comparisons.quoted_cost()
    assert usd * billions * 1e3 == pytest.approx(700_000, rel=1e-12)
    assert words.quoted_sum(usd, billions).startswith(
        "A model with the shape of GPT-3 on eight A100, full, would write a million tokens for USD 15.3 at "
        "the highest price in the data. The quoted sum would then pay for 45.8 billion tokens a day.\n"
    )


def test_errors(scope):
    said = words.errors(scope)
    assert said == (
        "Over all 45 rows the median error is 9.8%, beside 20.6% of the roofline with an allowance of 80% of "
        "the bandwidth and 75% of the arithmetic, and 42.5% of the peaks alone. 64% of the rows are within "
        "fifteen percent.\nThe prediction is too low by 1.8% at the median; both rooflines are too low "
        "nearly everywhere, since nothing in them is fixed."
    )
    turned = scope.assign(**{"predicted error": -scope["predicted error"]})
    assert "The prediction is too high by 1.8%" in words.errors(turned)


def test_misses():
    index = pd.MultiIndex.from_tuples([("a", "token"), ("b", "request")], names=["source", "quantity"])
    missed = pd.DataFrame(
        {"rows": [3, 2], "in all": [20, 4], "worst": [-0.43, 0.54], "why": ["one", "two"]}, index=index
    )
    assert words.misses(missed) == (
        "- *a*, time of a token: 3 of 20 rows are off by more than 30%, the worst by −43%. Here one.\n"
        "- *b*, time of a request: 2 of 4 rows are off by more than 30%, the worst by +54%. Here two."
    )


def test_generations_of_kernels():
    kernels = pd.DataFrame({"bias": [-44.0, 2.0]}, index=["engines of 2023", "engines of 2025"])
    said = words.generations(82, kernels)
    assert said.startswith("There are 82 such rows, of TensorRT-LLM 1.0.")
    assert "comes out 44% too low at the median" in said and "by those of 2025 2% too high." in said
    assert words.generations(1, kernels).startswith("There is 1 such row, of")


def test_the_most_sensitive():
    assert words.sensitivity(pd.Series({"a": 2.0, "b": -8.31})) == (
        "The time per token follows *b* most. No single one of them moves it by more than 8.3%."
    )


def test_the_errors_of_today_with_the_blind_one(newest):
    said = words.today(newest, newest.assign(median=35.7, inside=79.0))
    token, blind, within, first = said.split("\n")
    assert token == (
        "- *Time per token*: over all 1,594 rows the median error is 11.4%, and nine in ten are within 33%. "
        "The roofline alone is off by 62%."
    )
    assert blind.startswith("- *Blind*: when these rows were first scored, the median was 12.5%.")
    assert within.endswith("nine in ten of the measured times, and holds 88%.")
    assert first.startswith("- *First token*: 36%, and 79% in the range.")


def test_services_that_are_far_off_are_named_beside_the_same_model_elsewhere():
    services = pd.DataFrame(
        {"median": [37.3, 9.0, 31.0], "bias": [-37.3, 2.0, 31.0]},
        index=["a, H200, vLLM, fp8", "a, H200, SGLang, fp8", "b, H200, vLLM, fp8"],
    )
    first, second = words.far_services(services).split("\n")
    assert first.startswith(
        "- *a, H200, vLLM, fp8* is slower than predicted, by 37% at the median; elsewhere"
    )
    assert "off by 9 to 9%" in first
    assert second.startswith("- *b, H200, vLLM, fp8* is faster than predicted, by 31%")
    assert "hold this model nowhere else" in second
    assert words.far_services(services.iloc[[1]]) == (
        "No service of twenty rows or more is off by more than 30% at the median."
    )


def test_the_table_of_errors_holds_what_the_chapter_shows():
    classes = comparisons.errors_of_today("token", "class")
    assert classes["rows"].sum() == comparisons.errors_of_today("token", "all").loc["all", "rows"] - 10
    assert (classes["median"] < classes["roofline"]).all()
    assert (classes["median"] <= classes["ninth_decile"]).all()
