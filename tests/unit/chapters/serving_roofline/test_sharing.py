"""The ways in which the same devices share a model, and what is said of them."""

import pytest

from cohort.chapters.serving_roofline import sharing
from cohort.serving import serve

CASE = {"input_tokens": 1024, "output_tokens": 256, "weight_dtype": "bf16", "kv_dtype": "bf16"}
H100 = "H100 SXM 80GB"


def test_all_ways_have_the_same_devices_and_the_first_is_the_service():
    table = sharing.by_sharing("llama-3-8b", H100, 4, 64, **CASE)
    whole = serve("llama-3-8b", H100, 4, 64, **CASE)
    assert len(table) == 4 and table["fits"].all()
    assert table["token"].iloc[0] == whole.tpot_s
    copy = serve("llama-3-8b", H100, 2, 32, **CASE)
    assert table.loc["two copies", "throughput"] == pytest.approx(2 * copy.output_tokens_per_s)


def test_what_does_not_fit_is_named_and_has_no_times():
    table = sharing.by_sharing("llama-3-70b", H100, 2, 8, **CASE)
    assert table["fits"].tolist() == [True, True, False, False]
    assert table.loc["two copies"].drop("fits").isna().all()
    assert "does not fit with *two copies* or *half reads, half writes*." in sharing.which_way(table, 2, 8)


@pytest.mark.parametrize(("devices", "concurrency"), [(1, 8), (3, 8), (2, 1)])
def test_without_a_choice_none_is_claimed(devices, concurrency):
    table = sharing.by_sharing("llama-3-8b", H100, devices, concurrency, **CASE)
    assert len(table) <= 1
    assert "nothing to choose" in sharing.which_way(table, devices, concurrency)


def test_the_best_of_each_kind_is_named():
    table = sharing.by_sharing("llama-3-8b", H100, 4, 64, **CASE)
    said = sharing.which_way(table, 4, 64)
    assert said.index(table["throughput"].idxmax()) < said.index("times what")
    assert f"fastest with *{table['token'].idxmin()}*" in said
