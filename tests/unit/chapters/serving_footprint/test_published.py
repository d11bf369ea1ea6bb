"""Published numbers beside what the book computes."""

import math

import pytest

import cohort
from cohort.chapters.serving_footprint import published
from cohort.chapters.serving_footprint.words import comparisons
from cohort.errors import CohortError
from cohort.registry import facts


def test_errors_by_class_are_those_that_the_book_prints():
    found = published.classes()
    assert list(found["rows"]) == [35, 35, 5, 3, 1]
    spreads = found["spread"].iloc[:4]
    assert list(spreads) == pytest.approx([1.148, 1.199, 1.174, 1.209], abs=0.015)
    assert list(found["median"]) == pytest.approx([1.008, 1.006, 0.992, 0.86, 1.119], abs=0.015)
    assert found["spread"]["H100, each model from the others"] <= 1.4


def test_requests_by_littles_law():
    """At a request a second as many are answered as last seconds; predicted power stays below the rating."""
    found = published.requests_compared().set_index(["model", "load"])
    olmo = cohort.serving.serve(
        "olmo-2-7b", "H100 SXM 80GB", input_tokens=238, output_tokens=210,
    )  # fmt: skip
    assert found.loc[("OLMo 2 7B", "1 request/s"), "concurrency"] == pytest.approx(olmo.request_s, rel=0.05)
    single = found[found.index.get_level_values("load") == "1 request/s"]
    assert (single["predicted"] < 700).all()
    assert (found["ratio"].between(0.55, 1.1)).all()


def test_spread_of_known_ratios():
    found = published.ratio_spread([0.5, 1.0, 2.0])
    assert found["median"] == pytest.approx(1)
    assert found["spread"] == pytest.approx(math.exp(math.log(2)))
    assert (found["least"], found["greatest"]) == pytest.approx((0.5, 2.0))
    assert math.isnan(published.ratio_spread([1.1])["spread"])


def test_published_break_even_points_are_met():
    found = published.published_break_evens()
    assert len(found) == 3
    assert (found["recomputed (billion)"] / found["printed (billion)"]).tolist() == pytest.approx(
        [1, 1, 1], abs=0.01
    )


def test_published_figures_are_recomputed():
    found = published.arithmetic()
    assert len(found) == 3
    assert found["off (%)"].abs().max() < 0.5


def test_published_queries_are_in_order():
    found = published.queries()
    assert len(found) == 6
    assert list(found.index[found["derived"]]) == [
        "DeepSeek, 1,000 tokens, derived",
        "Mistral Large 2, 400 tokens, derived",
    ]
    assert (found["low"] <= found["wh"]).all() and (found["wh"] <= found["high"]).all()


def test_the_nodes_of_deepseek_give_its_energy() -> None:
    """The derived energy is that of the published nodes for a day, at the power and the losses assumed."""
    power, losses, nodes, tokens = (
        published.quoted_value(published.DEEPSEEK, quantity)
        for quantity in (
            "assumed power of a node",
            "assumed effectiveness of the data centre",
            "nodes in service",
            "output tokens per day",
        )
    )
    derived = published.quoted_value(published.DEEPSEEK, "facility energy per 1000 output tokens", "central")
    assert nodes * power * 1000 * 24 * losses / tokens * 1000 == pytest.approx(derived, abs=0.005)
    assert published.queries().loc["DeepSeek, 1,000 tokens, derived", "how"].endswith("assumed 7.75 kW")
    assert published.classes().index[-1] == "DeepSeek's nodes at an assumed 7.75 kW"


def test_no_row_is_taken_for_another(monkeypatch) -> None:
    with pytest.raises(CohortError, match="0 rows with entity 'GPT-4o typical query', quantity 'no"):
        published.quoted_value(published.EPOCH, "no such")
    rows = facts.rows("training_runs")
    (card,) = (
        row
        for row in rows
        if (row["model_or_run"], row["field"], row["part"]) == ("llama-2-7b", "co2e_t", "")
    )
    monkeypatch.setattr(facts, "rows", lambda table: [*rows, {**card, "value": "1"}])
    with pytest.raises(CohortError, match="has 2 values of the CO2e of llama-2-7b"):
        published.emissions("llama-2-7b")


def test_metered_configurations_within_a_quarter_but_for_copies_of_the_attention():
    found = published.metered_errors()
    assert found["spread"] <= found["widest"] <= 1.25
    assert found["inside"] >= 0.85 and 0.8 < found["eight bits"] < 1
    assert found["copies"] < 0.5  # not explained, and said so
    said = comparisons.metered_accuracy(found)
    assert f"they come out to a factor of {found['spread']:.2f}, and 99% lie inside the range;" in said
    assert "takes 3.6 times what the terms give" in said
