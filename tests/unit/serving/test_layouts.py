"""What each device of a layout holds."""

import pytest

import cohort
from cohort.errors import ParameterError
from cohort.serving.layouts import Layout, held, stages

LLAMA = cohort.model("llama-3-70b")


def weights(model, layout):
    """Return the weights of a device of each stage, by kind."""
    found = []
    for stage in stages(model, layout):
        kinds = {}
        for part in held(model, layout, stage):
            kinds[part.kind] = kinds.get(part.kind, 0) + part.weights
        found.append(kinds)
    return found


def test_tensor_parallelism_divides_matrices():
    (one,), (eight,) = weights(LLAMA, Layout()), weights(LLAMA, Layout(8))
    for kind in ("embedding", "head", "attention", "value", "up", "down"):
        assert eight[kind] * 8 == pytest.approx(one[kind])
    assert eight["norms"] == one["norms"]


def test_a_key_value_head_does_not_split():
    (eight,), (sixteen,) = weights(LLAMA, Layout(8)), weights(LLAMA, Layout(16))
    assert sixteen["value"] == eight["value"]
    assert sixteen["up"] * 2 == pytest.approx(eight["up"])


def test_what_makes_a_latent_vector_is_on_every_device():
    deepseek = cohort.model("deepseek-v3.2")
    (one,), (eight,) = weights(deepseek, Layout()), weights(deepseek, Layout(8))
    assert one["attention"] / 8 < eight["attention"] < one["attention"] / 3


def test_stages_hold_all_layers_once():
    layout = Layout(pipeline=3)
    parts = stages(LLAMA, layout)
    assert [len(part) for part in parts] == [27, 27, 26]
    found = weights(LLAMA, layout)
    assert sum(map(sum, (kinds.values() for kinds in found))) == pytest.approx(LLAMA.parameters)
    assert "embedding" in found[0] and "head" not in found[0]
    assert "head" in found[2] and "embedding" not in found[2]


def test_a_tied_embedding_is_on_the_first_and_on_the_last_stage():
    gemma = cohort.model("gemma-7b")
    found = weights(gemma, Layout(pipeline=2))
    total = sum(map(sum, (kinds.values() for kinds in found)))
    assert total == pytest.approx(gemma.parameters + gemma.embedding_parameters)


def test_experts_are_dealt_out_over_all_copies_of_the_attention():
    mixtral = cohort.model("mixtral-8x22b-v0.1")
    (plain,) = weights(mixtral, Layout(tensor=1, data=8))
    (dealt,) = weights(mixtral, Layout(tensor=1, data=8, expert=True))
    assert dealt["expert_up"] * 8 == pytest.approx(plain["expert_up"])
    assert dealt["attention"] == plain["attention"]


def test_sequences_go_to_the_copies():
    assert [Layout(data=4).sequences(batch) for batch in (1, 4, 5)] == [1, 1, 2]
    assert Layout(2, 3, 4).devices == 24


@pytest.mark.parametrize("bad", [{"tensor": 0}, {"pipeline": -1}, {"data": 1.5}, {"tensor": 10_000}])
def test_sizes_are_checked(bad):
    with pytest.raises(ParameterError):
        Layout(**bad)


def test_more_stages_than_layers_are_refused():
    with pytest.raises(ParameterError, match="has 80 layers"):
        stages(LLAMA, Layout(pipeline=81))


@pytest.mark.parametrize("name", ["llama-3-8b", "deepseek-v2", "gemma-2-27b", "jamba-v0.1"])
def test_layers_that_are_alike_come_as_one(name):
    spec, layout = cohort.model(name), Layout(tensor=2, pipeline=2)
    for stage in stages(spec, layout):
        each, together = list(held(spec, layout, stage)), list(held(spec, layout, stage, together=True))
        assert len(together) < len(each) / 4
        for kind in {tensor.kind for tensor in each}:
            sums = (sum(one.weights for one in some if one.kind == kind) for some in (each, together))
            assert next(sums) == pytest.approx(next(sums), rel=1e-15)
