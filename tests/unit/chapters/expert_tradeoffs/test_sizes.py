"""What mixtures hold: counts that add up, and dense counterparts by hand."""

import pytest
from reading import ROOT
from rows import each_of

import cohort
from cohort.chapters.expert_tradeoffs import reads, sizes
from cohort.errors import ParameterError
from cohort.registry.facts import config_names, rows

POST = ["mixtral-8x22b-v0.1", "dbrx", "snowflake-arctic", "deepseek-v2"]
EVERY = [name for name in config_names() if cohort.model(name).experts]


@each_of("name", EVERY)
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
    frame = sizes.active_by_convention(EVERY)
    assert len(frame) == len(EVERY)
    without = frame.index[~(frame.iloc[:, 3:] != "–").any(axis=1)]
    # The one prints an average over tokens, some of which visit experts without weights, the other less than
    # any convention gives.
    assert set(without) == {"LongCat-Flash", "Mistral Small 4 119B"}


def test_without_a_registered_mixture_those_of_the_cohort_stand_in(tmp_path):
    own = tmp_path / "own.json"
    own.write_text((ROOT / "data" / "configs" / "dbrx.json").read_text(encoding="utf-8"), encoding="utf-8")
    found = sizes.active_by_convention([str(own)])
    assert set(found.index) == {"DBRX", "Mixtral 8x22B", "Arctic", "DeepSeek-V2"}


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
