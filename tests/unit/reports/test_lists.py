"""Lists of names: all of them, narrowed by words, as text within eighty columns and as JSON."""

import json
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import table

import cohort
from cohort.errors import LONGEST, UnknownNameError
from cohort.reports import lists
from cohort.scaling.mixture_laws import routed_laws

LISTS = {
    "model": (lists.list_models, cohort.models()),
    "accelerator": (lists.list_accelerators, cohort.accelerators()),
    "grid": (lists.list_grids, cohort.grids()),
    "law": (lists.list_laws, [*cohort.laws(), *routed_laws()]),
}


@pytest.fixture
def names(capsys, monkeypatch):
    """Return the names that a list has for some words; what it lists is read once."""
    for read in ("model", "accelerator", "grid"):
        monkeypatch.setattr(lists, read, cache(getattr(lists, read)))

    def listed(kind, *words):
        LISTS[kind][0](words, as_json=True)
        return [record["name"] for record in json.loads(capsys.readouterr().out)]

    return listed


@pytest.mark.parametrize("kind", LISTS)
def test_without_words_everything_is_listed_in_its_order(names, capsys, kind):
    assert names(kind) == LISTS[kind][1]
    LISTS[kind][0]((), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= lists.WIDTH == 80
    told = [line for line in lines if line[:1] not in ("", " ")][1:]
    assert len(told) == len(LISTS[kind][1])
    assert all(line.startswith(name) for line, name in zip(told, LISTS[kind][1], strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("kind", LISTS)
def test_each_name_finds_itself(names, kind, pytestconfig):
    """Each once a week, and each third at each push."""
    for name in LISTS[kind][1][:: 1 if pytestconfig.getoption("--weekly") else 3]:
        assert name in names(kind, name)
        assert name in names(kind, name.upper().replace("-", "_"))
        assert name in names(kind, *name.split())


def test_values_are_those_of_the_tables(capsys):
    lists.list_models(["llama-3-8b"], as_json=True)
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["parameters"], record["developer"], record["released"]) == (
        8030261248,
        "Meta",
        "2024-04-18",
    )
    lists.list_accelerators(["h100 sxm"], as_json=True)
    (record,) = json.loads(capsys.readouterr().out)
    row = next(row for row in table("accelerators") if row["name"] == "H100 SXM 80GB")
    assert record["memory_bytes"] == float(row["memory_gb"]) * 10**9
    assert record["peak_operations_per_s"]["bf16"] == pytest.approx(float(row["bf16_dense_tflops"]) * 1e12)
    lists.list_laws(["sardana-refit"], as_json=True)
    (record,) = json.loads(capsys.readouterr().out)
    assert record["coefficients"]["alpha"] == cohort.law("sardana-refit").alpha
    lists.list_grids(["SE"], as_json=True)
    (record,) = json.loads(capsys.readouterr().out)
    assert record["g_per_kwh"] == cohort.grid("Sweden").g_per_kwh


@pytest.mark.parametrize(
    ("kind", "words", "found"),
    [
        ("model", ["llama", "70b"], ["llama-2-70b", "llama-3-70b", "llama-3.1-70b", "llama-3.3-70b"]),
        ("model", ["meta-llama/Meta-Llama-3-8B-Instruct"], ["llama-3-8b"]),
        ("model", ["Qwen3", "30B"], ["qwen3-30b-a3b", "qwen3-vl-30b-a3b"]),
        ("accelerator", ["H100"], ["H100 SXM 80GB", "H100 PCIe", "H100 NVL"]),
        ("accelerator", ["h100", "sxm5"], ["H100 SXM 80GB"]),
        ("accelerator", ["nvidia", "h100", "pcie"], ["H100 PCIe"]),
        ("grid", ["SE"], ["Sweden"]),
        ("grid", ["gb"], ["UK"]),
        ("law", ["chinchilla"], ["hoffmann"]),
        ("law", ["besiroglu-unrounded"], ["besiroglu-unrounded"]),
    ],
)
def test_words_narrow_a_list(names, kind, words, found):
    assert set(found) <= set(names(kind, *words))
    assert names(kind, *words) == [name for name in LISTS[kind][1] if name in found]


def test_a_word_of_two_letters_matches_no_middle_of_a_word(names):
    assert "France" not in names("grid", "us") and "USA" in names("grid", "us")
    assert set(names("model", "google")) < set(cohort.models())


@pytest.mark.parametrize(
    ("kind", "words", "message"),
    [
        ("accelerator", ["H300"], "unknown accelerator 'H300'; did you mean 'H200'"),
        ("model", ["zzz"], f"unknown model 'zzz'; `cohort models` lists all {len(cohort.models())}"),
        ("grid", ["Sweeden"], "unknown grid 'Sweeden'; did you mean 'Sweden'?"),
        ("law", ["hofman"], "unknown law 'hofman'; did you mean 'hoffmann'"),
    ],
)
def test_what_nothing_has_is_refused_with_what_is_near(kind, words, message):
    with pytest.raises(UnknownNameError) as caught:
        LISTS[kind][0](words, as_json=False)
    assert str(caught.value).startswith(message)


@pytest.mark.slow
@pytest.mark.parametrize("kind", LISTS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.text(max_size=400), max_size=3))
def test_any_words_list_something_or_are_refused_in_short(capsys, kind, words):
    try:
        LISTS[kind][0](words, as_json=False)
    except UnknownNameError as error:
        assert len(str(error)) <= LONGEST and str(error).isprintable()
    else:
        assert max(map(len, capsys.readouterr().out.splitlines())) <= lists.WIDTH


def test_columns_are_aligned_and_a_long_last_cell_goes_on_below():
    rows = [("a", "1", "x " * 60), ("bb", "22", "y")]
    first, below, *_, last = lists.aligned([("n", "v", "words")], rows)[1:]
    assert first.startswith("a    1  x x") and below.startswith(" " * 8 + "x x") and last == "bb  22  y"
    assert len(first) <= lists.WIDTH
