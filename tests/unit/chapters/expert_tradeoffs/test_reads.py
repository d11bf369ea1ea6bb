"""What a batch reads of a mixture: coverage by three ways, and where the advantage is lost."""

import json
from pathlib import Path

import pandas as pd
import pytest

import cohort
from cohort.chapters.expert_tradeoffs import reads
from cohort.experts import closed_form
from cohort.registry.facts import config_path


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
