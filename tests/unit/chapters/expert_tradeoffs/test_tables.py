"""Mixtures as tables: counts that add up, dense counterparts by hand, laws and scores."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cohort
from cohort.chapters.expert_tradeoffs import reads, sizes, worth
from cohort.errors import ParameterError
from cohort.experts import closed_form
from cohort.registry.facts import config_names, config_path, rows
from cohort.scaling import mixture_laws

POST = ["mixtral-8x22b-v0.1", "dbrx", "snowflake-arctic", "deepseek-v2"]
EVERY = [name for name in config_names() if cohort.model(name).experts]


@pytest.mark.parametrize("name", EVERY)
def test_the_parts_of_every_mixture_add_up_to_the_reference_count(name):
    (found,) = sizes.anatomy([name]).to_dict("records")
    reference = next(row for row in rows("reference_counts") if row["model"] == name)
    assert sum(found[part] for part in sizes.PARTS) == found["total"] == int(reference["total"])
    assert all(found[part] >= 0 for part in sizes.PARTS)


def test_parts_by_hand():
    """Arctic: 35 layers, each of 128 experts of 3 x 7168 x 4864, a router and a network of width 7168."""
    (arctic,) = sizes.anatomy(["snowflake-arctic"]).to_dict("records")
    assert arctic["routed experts"] == 35 * 128 * 3 * 7168 * 4864
    assert arctic["routers"] == 35 * 7168 * 128
    assert arctic["shared or beside"] == 35 * 3 * 7168 * 7168
    (deepseek,) = sizes.anatomy(["deepseek-v2"]).to_dict("records")
    assert deepseek["routed experts"] == 59 * 160 * 3 * 5120 * 1536
    assert deepseek["shared or beside"] == 59 * 3 * 5120 * 2 * 1536
    assert deepseek["dense layers"] == 3 * 5120 * 12288


def test_every_published_active_count_follows_from_a_convention():
    frame = sizes.active_conventions(EVERY)
    assert len(frame) == len(EVERY)
    assert (frame.iloc[:, 3:] != "–").any(axis=1).all()


@pytest.mark.parametrize("name", POST)
def test_dense_counterparts_differ_by_the_routers_alone(name):
    spec, parts = cohort.model(name), sizes.anatomy([name]).iloc[0]
    small, large = sizes.dense_of_active(spec), sizes.dense_of_total(spec)
    assert spec.active_parameters - small.parameters == spec.parameters - large.parameters == parts["routers"]
    assert small.experts is None and large.experts is None


def test_devices_that_hold_mixtral_by_hand():
    """93.4 GB on cards of 80 GB, of which 72 count: two; in 8 bits one."""
    spec, card = cohort.model("mixtral-8x7b-v0.1"), cohort.accelerator("H100 SXM 80GB")
    assert sizes.devices_to_hold(spec, card) == 2
    assert sizes.devices_to_hold(spec, card, "fp8") == 1


@pytest.mark.parametrize(
    ("count", "active", "excess"), [(8, 2, 0.463), (16, 4, 0.463), (128, 2, 0.575), (256, 8, 0.568)]
)
def test_the_shortcut_counts_half_as_many_again_too_many(count, active, excess):
    assert reads.bound_excess(count, active) == pytest.approx(excess, rel=2e-3)
    every = max(min(count, active * t) / closed_form.coverage(count, active, t) for t in range(1, 4 * count))
    assert reads.bound_excess(count, active) == pytest.approx(every - 1, rel=1e-12)


def test_coverage_by_three_ways():
    frame = reads.expert_coverage(cohort.model("dbrx"), [1, 2, 4, 8, 64], 1.0, 0)
    assert frame.loc[1, ["alike", "skewed", "simulated", "bound"]].tolist() == pytest.approx(
        [4] * 4, rel=1e-12
    )
    assert (frame["skewed"] <= frame["alike"] * (1 + 1e-12)).all() and (
        frame["alike"] <= frame["bound"]
    ).all()
    assert ((frame["simulated"] - frame["skewed"]).abs() <= 4.5 * frame["error"].clip(lower=1 / 200)).all()


def test_traffic_starts_small_and_ends_large():
    spec = cohort.model("mixtral-8x7b-v0.1")
    frame = reads.traffic(spec, [1, 10_000], 0.0)
    routers = 2 * 32 * 4096 * 8 / 1e9
    assert frame.loc[1, "alike"] == pytest.approx(frame.loc[1, "dense, active"] + routers, rel=1e-12)
    assert frame.loc[10_000, "alike"] == pytest.approx(frame.loc[1, "dense, total"] + routers, rel=1e-12)
    assert frame["skewed"].tolist() == pytest.approx(frame["alike"].tolist(), rel=1e-9)


def test_where_the_advantage_is_lost_by_hand():
    """Mixtral reads 2, 3.5 and 4.625 of 8 experts for one to three answers; twice the traffic is 4.14."""
    lost = reads.advantage(["mixtral-8x7b-v0.1"], "H100 SXM 80GB").iloc[0]
    expert = 32 * 3 * 4096 * 14336
    rest = 46_702_792_704 - 32_000 * 4096 - 8 * expert
    dense = rest + 2 * expert - 32 * 4096 * 8
    first = next(t for t in range(1, 9) if rest + closed_form.coverage(8, 2, t) * expert >= 2 * dense)
    assert lost["twice"] == first == 3
    assert lost["dense compute-bound"] < lost["compute-bound"]
    assert 1 < lost["slowest"] < 46.7 / 12.6


def test_a_mixture_that_is_hardly_sparse_never_reads_twice_as_much(tmp_path):
    config = json.loads(Path(config_path("mixtral-8x7b-v0.1")).read_text(encoding="utf-8"))
    for active, everything in ((6, 4), (8, 1)):
        path = tmp_path / f"{active}.json"
        path.write_text(json.dumps({**config, "num_experts_per_tok": active}), encoding="utf-8")
        lost = reads.advantage([str(path)], "H100 SXM 80GB").iloc[0]
        assert pd.isna(lost["twice"]) and 1 <= lost["nearly all"] <= everything


def test_equivalents_hold_the_laws_and_the_folklore():
    frame = worth.equivalents(["dbrx"]).set_index("law")
    assert list(frame.index) == [*worth.MIXED_LAWS, worth.FOLKLORE]
    own = mixture_laws.shape(cohort.model("dbrx"))
    assert frame.loc[worth.FOLKLORE, "dense"] == math.sqrt(own.active * own.total)
    assert frame.loc["clark-s-base", "beyond"] == pytest.approx(12e12 / 1.3e11)
    assert math.isnan(frame.loc["abnar", "beyond"])


def test_a_size_is_read_back_from_a_line_that_is_exact():
    """Four dense models on a straight line in two years: a mixture's score gives back its size."""
    frame = worth.scores_by_size().iloc[:0].copy()
    sizes = {"a": (1e9, 2023), "b": (1e10, 2023), "c": (1e9, 2024), "d": (1e11, 2024), "e": (1e10, 2024)}
    for name, (size, year) in sizes.items():
        frame.loc[name] = [10 * math.log10(size) + 5 * (year - 2023), size, size, year, False]
    frame.loc["mix"] = [10 * math.log10(3e9) + 5, 1e9, 9e9, 2024, True]
    frame["experts"] = frame["experts"].astype(bool)
    found = worth.fitted_size(frame)
    assert found.loc["mix", "dense"] == pytest.approx(3e9, rel=1e-9)
    assert found.attrs["points"] == pytest.approx(0, abs=1e-9) and found.attrs[
        "per tenfold"
    ] == pytest.approx(10)


def test_scores_are_of_base_models_in_one_setting():
    frame = worth.scores_by_size()
    assert {"Mixtral 8x22B", "DeepSeek-V2", "Llama 3 8B"} <= set(frame.index)
    assert frame.loc["Mixtral 8x22B", "score"] == 77.6
    assert np.isfinite(frame["score"]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sizes.mixtures(["llama-3-8b"]), "must name at least one mixture of experts"),
        (
            lambda: sizes.mixture("llama-3-8b"),
            "model is llama-3-8b, which is dense, but must be a mixture",
        ),
        (lambda: reads.batches(0), "most is 0, but must be from 1"),
    ],
)
def test_dense_models_are_refused(call, message):
    with pytest.raises(ParameterError) as error:
        call()
    assert message in str(error.value)
