"""The tables: totals that add up, words that fit, and text for readers."""

import pandas as pd
import pytest

import cohort
from cohort.architecture import registered
from cohort.display import model_tables, reader_tables
from cohort.errors import ParameterError, UnknownNameError

COHORT = registered.group("cohort")


def test_a_data_table_carries_its_schema():
    frame = cohort.table("reference_counts")
    assert frame.attrs["title"]
    assert frame.attrs["units"]["total"] == "parameters"
    assert frame["total"].dtype == "Int64"
    assert frame.set_index("model").loc["llama-3-8b", "total"] == 8_030_261_248
    with pytest.raises(UnknownNameError, match="did you mean 'reference_counts'"):
        cohort.table("reference_count")


def test_a_data_table_names_its_units_sources_and_licence():
    for name in cohort.tables():
        attributes = cohort.table(name).attrs
        assert attributes["title"]
        assert attributes["description"]
        assert set(attributes["columns"]) == set(cohort.table(name).columns)
        assert attributes["sources"] or name in ("units", "aliases")
        assert attributes["licences"]
    assert cohort.table("chinchilla_runs").attrs["sources"] == [
        "besiroglu2024chinchilla",
        "hoffmann2022chinchilla",
    ]
    assert cohort.table("chinchilla_runs").attrs["units"]["training_flop"] == "FLOP"
    assert "llama3card" in cohort.table("model_facts").attrs["sources"]
    assert any("Open Database" in title for title in cohort.table("grids_electricitymaps").attrs["licences"])


def test_the_chinchilla_runs_are_all_there():
    runs = cohort.table("chinchilla_runs")
    assert (len(runs), int(runs["dropped"].sum())) == (245, 5)
    assert runs["loss"].max() == runs.loc[runs["dropped"], "loss"].max()


def test_models_in_the_order_of_their_release():
    released = model_tables.released(["llama-3-8b", "gpt2-xl", "dbrx"])
    assert list(released) == ["GPT-2 XL", "DBRX", "Llama 3 8B"]
    assert str(released.index[-1].date()) == "2024-04-18"


def test_the_groups_hold_every_model_once():
    names = [name for group in ("cohort", "reference", "modern") for name in registered.group(group)]
    assert sorted(names) == sorted(cohort.models())
    assert len(COHORT) == 14


def test_the_parts_add_up_to_the_total():
    counts = model_tables.counts(cohort.models())
    parts = ["embedding", "attention", "dense feed-forward", "routed experts", "other"]
    assert (counts[parts].sum(axis=1) == counts["total"]).all()
    assert (counts[parts] >= 0).all(axis=None)


def test_routed_experts_are_what_rests():
    counts = model_tables.counts(["mixtral-8x7b-v0.1"]).iloc[0]
    assert counts["routed experts"] == 45_097_156_608
    assert counts["total"] - counts["active"] == 45_097_156_608 - 11_274_289_152


@pytest.mark.parametrize(
    ("name", "attention", "experts"),
    [
        ("llama-2-7b", "MHA", "–"),
        ("mistral-7b-v0.1", "GQA, window 4,096", "–"),
        ("gemma-2-27b", "GQA, window 4,096 in 23 of 46 layers", "–"),
        ("llama-4-maverick", "GQA, chunk 8,192 in 36 of 48 layers", "1 of 128, 1 shared"),
        ("deepseek-v2", "MLA", "6 of 160, 2 shared"),
        ("dbrx", "GQA", "4 of 16"),
    ],
)
def test_components_in_words(name, attention, experts):
    row = model_tables.components([name]).iloc[0]
    assert (row["attention"], row["experts"]) == (attention, experts)


def test_caches_agree_with_the_models():
    caches = model_tables.caches(["mistral-7b-v0.1"], 32_768).iloc[0]
    assert (caches["first token"], caches["cache"], caches["per token"]) == (131_072, 2**29, 2**14)
    by_length = model_tables.caches_by_length(["mistral-7b-v0.1"], [1, 4096, 32_768]).iloc[0]
    assert list(by_length) == [131_072, 131_072, 16_384]


def test_a_model_from_a_file_has_no_facts_and_still_a_row(tmp_path):
    path = tmp_path / "mine.json"
    with open(cohort.registry.facts.config_path("llama-3-8b"), encoding="utf-8") as file:
        path.write_text(file.read(), encoding="utf-8")
    for build in (
        model_tables.shapes,
        model_tables.components,
        model_tables.training_facts,
        model_tables.counts,
    ):
        assert list(build([str(path)]).index) == ["mine"]
    assert model_tables.training_facts([str(path)]).iloc[0].isna().all()
    assert set(reader_tables.readable(model_tables.training_facts([str(path)])).text.iloc[0]) == {"–"}, (
        "not said to be undisclosed"
    )


def test_a_file_named_after_a_registered_model_borrows_none_of_its_facts(tmp_path):
    path = tmp_path / "llama-3-8b.json"
    with open(cohort.registry.facts.config_path("dbrx"), encoding="utf-8") as file:
        path.write_text(file.read(), encoding="utf-8")
    row = model_tables.components([str(path)])
    assert row.index[0] == "llama-3-8b"
    assert row.iloc[0]["normalisation"] == "–"
    both = model_tables.counts([str(path), "llama-3-8b"])
    assert list(both.index) == ["llama-3-8b", "Llama 3 8B"]


def test_two_files_of_one_name_are_refused(tmp_path):
    paths = [tmp_path / folder / "mine.json" for folder in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        with open(cohort.registry.facts.config_path("dbrx"), encoding="utf-8") as file:
            path.write_text(file.read(), encoding="utf-8")
    with pytest.raises(ParameterError, match="two models are called 'mine'"):
        model_tables.counts([str(path) for path in paths])


def test_repeated_names_are_one_row_and_no_name_is_an_error():
    assert len(model_tables.counts(["dbrx", "dbrx"])) == 1
    with pytest.raises(ParameterError, match="no model was named"):
        model_tables.counts([])


def test_readable_values():
    frame = pd.DataFrame(
        {"size": [1234567, 2], "share": [0.12345, None], "kind": ["a<b", "c"]}, index=["x", "y"]
    )
    frame.attrs["status"] = {"y": {"share": "undisclosed"}}
    text = reader_tables.readable(frame).text
    assert text.loc["x"].tolist() == ["1,234,567", "0.123", "a<b"]
    assert text.loc["y", "share"] == "undisclosed"
    assert reader_tables.readable(frame, {"share": ".1f"}).text.loc["x", "share"] == "0.1"


def test_readable_html_is_escaped_and_aligned():
    html = reader_tables.readable(pd.DataFrame({"n": [1], "w": ["a<b"]}, index=["x&y"]))._repr_html_()
    assert "a&lt;b" in html
    assert 'scope="row">x&amp;y' in html
    assert html.count("text-align: right") == html.count("text-align: left") == 1


def test_doubtful_values_say_so():
    text = reader_tables.readable(model_tables.training_facts(COHORT)).text
    assert text.loc["Phi-3 small", "released"] == "2024-05-21 (inferred)"
    assert text.loc["Command R", "training tokens (trillion)"] == "undisclosed"
    assert text.loc["Llama 3 8B", "training tokens (trillion)"] == "15"
