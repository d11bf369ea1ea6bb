"""Sweeps: what is planned, and what stands in the table and on the page."""

from __future__ import annotations

import base64
import csv
import json
import re
from pathlib import Path
from typing import Any

import fastparquet
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from synthetic import code, good, make, write

from cohort.cli import main
from cohort.errors import CohortError
from cohort.runner.notebook.document import read_notebook
from cohort.runner.parameter_cells import read_parameters
from cohort.runner.project import Project
from cohort.runner.records import read_record
from cohort.runner.sweeps.plan import Plan, make_plan
from cohort.runner.sweeps.report import page
from cohort.runner.sweeps.result_charts import charts, unvaried
from cohort.runner.sweeps.results import as_csv, as_parquet, results_table
from cohort.runner.sweeps.store import Row, Store

KNOWN = read_parameters("good", good())


def cohort(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def planned(*grid: str, fixed: dict[str, object] | None = None, **options: Any) -> list[dict[str, Any]]:
    return list(make_plan("good", "key", KNOWN, fixed=fixed or {}, grid=grid, **options).sets)


def test_a_grid_is_the_product_of_its_axes_and_the_last_varies_fastest() -> None:
    assert planned("context=4096,32_768", "model=a, b", fixed={"budget": 1}) == [
        {"budget": 1.0, "context": context, "model": model}
        for context in (4096, 32768)
        for model in ("a", "b")
    ]


def test_values_are_of_the_types_of_their_parameters() -> None:
    assert planned("budget=6e24") == [{"budget": 6e24}]
    assert planned("causal=true,FALSE") == [{"causal": True}, {"causal": False}]
    assert planned("model=7,on") == [{"model": "7"}, {"model": "on"}]
    assert planned("models=[dbrx, b],c,[]") == [{"models": ["dbrx", "b"]}, {"models": ["c"]}, {"models": []}]
    assert planned("shares=[0.5,2]") == [{"shares": [0.5, 2.0]}]


def test_zipped_axes_go_in_step_and_meet_every_value_of_a_grid() -> None:
    assert planned("causal=true,false", zipped=["context=1,2", "model=a,b"]) == [
        {"causal": causal, "context": context, "model": model}
        for causal in (True, False)
        for context, model in ((1, "a"), (2, "b"))
    ]
    assert planned(zipped=["context=1,2"]) == [{"context": 1}, {"context": 2}]


def test_a_set_that_comes_again_runs_once() -> None:
    assert planned("context=1,2,1") == [{"context": 1}, {"context": 2}]


@given(st.integers(1, 24), st.integers(0, 5))
def test_a_sample_is_drawn_without_repetition_and_the_same_for_the_same_seed(size: int, seed: int) -> None:
    grid = ("context=1,2,3,4", "model=a,b,c", "causal=true,false")
    every = planned(*grid)
    drawn = planned(*grid, sample=size, seed=seed)
    assert len(drawn) == size
    assert [one for one in every if one in drawn] == drawn
    assert planned(*grid, sample=size, seed=seed) == drawn


def test_seeds_differ() -> None:
    contexts = "context=" + ",".join(map(str, range(1, 200)))
    assert planned(contexts, sample=10, seed=0) != planned(contexts, sample=10, seed=1)


MANY = ",".join(map(str, range(400)))


@pytest.mark.parametrize(
    ("grid", "options", "message"),
    [
        ([], {}, "needs --grid or --zip"),
        (["context"], {}, "an axis is written name=value,value, not 'context'"),
        (["contxt=1"], {}, "unknown parameter of good: 'contxt'; did you mean 'context'"),
        (["context=1,two"], {}, "parameter context takes an int such as 8192, not 'two'"),
        (["context=1,,2"], {}, "a value of 'context=1,,2' is empty"),
        (["context="], {}, "a value of 'context=' is empty"),
        (["models=[a"], {}, "the brackets of 'models=[a' do not match"),
        (["models=[a]b"], {}, "the brackets of 'models=[a]b' do not match"),
        (["context=[1,2]"], {}, "parameter context takes one int and not a list: [1,2]"),
        (["context=1", "context=2"], {}, "parameter context is given twice"),
        (["context=1"], {"fixed": {"context": 2}}, "parameter context is given twice"),
        (["context=1"], {"zipped": ["context=2"]}, "parameter context is given twice"),
        ([], {"zipped": ["context=2", "context=3"]}, "given twice in --zip"),
        ([], {"zipped": ["context=1,2", "model=a"]}, "equally many values of each parameter, but context"),
        (["context=1,2"], {"sample": 3}, "--sample is 3, but there are only 2 sets"),
        ([f"{name}={MANY}" for name in ("context", "budget")], {}, "that makes 160,000 runs"),
    ],
)  # fmt: skip
def test_what_makes_no_plan_is_refused_in_one_sentence(
    grid: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(CohortError) as refused:
        planned(*grid, **options)
    assert message in str(refused.value)


ROWS = [
    Row(1, {"context": 1, "models": ["a"]}, "finished", None, 1.5, "notebooks/0001.ipynb",
        {"cache": {"value": 2, "unit": "GiB"}, "context": {"value": 1, "unit": None},
         "fits": {"value": True, "unit": None}, "each": {"value": [1.0, 2.0], "unit": "GiB"},
         "status": {"value": "good", "unit": None}, "large": {"value": 6 * 405 * 10**20, "unit": None}}),
    Row(2, {"context": 2, "models": ["a", "b"]}, "failed", 'it "broke", badly', 0.5, None, {}),
    Row(3, {"context": 3, "models": ["c"]}, "finished", None, 2.0, "notebooks/0003.ipynb",
        {"cache": {"value": 2.5, "unit": "MiB"}, "context": {"value": 3, "unit": None}}),
]  # fmt: skip
PLAN = Plan("good", "key", tuple(row.parameters for row in ROWS), defaults={"budget": 2.0, "note": "@SUM(1)"})


def test_the_table_has_a_row_for_each_run_and_a_column_for_each_quantity_in_its_unit() -> None:
    found = results_table(PLAN, ROWS)
    assert list(found) == [
        "run", "context", "models", "budget", "note", "cache [GiB]", "context (recorded)", "fits", "each "
        "[GiB]",
        "status (recorded)", "large", "cache [MiB]", "status", "error", "seconds", "notebook",
    ]  # fmt: skip
    assert found["cache [GiB]"] == [2, None, None]
    assert found["cache [MiB]"] == [None, None, 2.5]
    assert found["models"] == ['["a"]', '["a", "b"]', '["c"]']
    assert found["budget"] == [2.0, 2.0, 2.0]
    assert found["error"] == [None, 'it "broke", badly', None]


def test_csv_and_parquet_hold_the_same(tmp_path: Path) -> None:
    columns = results_table(PLAN, ROWS)
    read = list(csv.DictReader(as_csv(columns).splitlines()))
    assert [row["fits"] for row in read] == ["true", "", ""]
    assert [row["error"] for row in read] == ["", 'it "broke", badly', ""]
    file = tmp_path / "results.parquet"
    file.write_bytes(as_parquet(columns))
    frame = fastparquet.ParquetFile(str(file)).to_pandas()
    assert list(frame) == list(columns)
    kinds = {name: str(frame[name].dtype).casefold() for name in frame}
    assert kinds["run"] == "int64"
    assert kinds["cache [GiB]"] == "int64"
    assert kinds["cache [MiB]"] == "float64"
    assert kinds["fits"] == "boolean"
    for name, values in columns.items():
        there = [value for value in values if value is not None]
        kept = frame[name].dropna().tolist()
        assert kept == ([str(value) for value in there] if name == "large" else there), name
    assert [float(row["seconds"]) for row in read] == columns["seconds"]
    assert [row["large"] for row in read] == [str(6 * 405 * 10**20), "", ""]


def test_no_cell_of_the_csv_is_a_live_formula() -> None:
    told = Row(1, {"model": "=HYPERLINK(1)"}, "failed", "-1 is too few", 0.1, None, {})
    rows = [told, Row(2, {"model": "\t=1"}, "finished", None, 0.1, None, {"x": {"value": -2.5, "unit": "-"}})]
    plan = Plan("good", "key", tuple(row.parameters for row in rows), defaults={"note": "@SUM(1)"})
    columns = results_table(plan, rows)
    first, second = csv.DictReader(as_csv(columns).splitlines())
    assert (first["model"], first["note"]) == ("'=HYPERLINK(1)", "'@SUM(1)")
    assert (first["error"], second["x [-]"]) == ("'-1 is too few", "-2.5")
    assert second["model"] == "'=1"
    assert columns["model"][0] == "=HYPERLINK(1)"  # as Parquet holds it


def test_a_sweep_without_rows_is_a_table_too() -> None:
    assert as_csv(results_table(PLAN, [])) == "run,context,models,budget,note,status,error,seconds,notebook\n"
    assert as_parquet(results_table(PLAN, []))


def test_the_page_shows_each_figure_of_all_runs_and_escapes_what_they_say() -> None:
    notebook = good()
    figure = next(cell for cell in notebook["cells"] if cell["id"] == "figure")
    figure["metadata"]["mystnb"]["figure"]["caption"] = "A <box> & more."
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><path id="a"/></svg>'
    figure["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": drawing}}]
    shown = page(PLAN, ROWS, [notebook, None, notebook])
    assert shown.count(base64.b64encode(drawing.encode()).decode()) == 2
    assert "2 of 3 runs finished." in shown
    assert "A &lt;box&gt; &amp; more." in shown
    assert 'alt="An empty box. (context=1, models=[a])"' in shown
    assert "failed: it &quot;broke&quot;, badly" in shown
    assert '<a href="notebooks/0003.ipynb">3</a>' in shown
    assert "<dt>budget</dt><dd>2.0</dd>" in shown
    assert "http" not in shown
    assert page(PLAN, ROWS, [make(), None, make()]).count("<img") == 0


def swept(*sets: dict[str, Any], **recorded: list[Any]) -> tuple[Plan, list[Row]]:
    """A sweep that ran, with what each run recorded."""
    rows = [
        Row(
            k,
            values,
            "finished",
            None,
            0.1,
            None,
            {n: {"value": v[k - 1], "unit": "s"} for n, v in recorded.items()},
        )
        for k, values in enumerate(sets, 1)
    ]
    return Plan("good", "key", sets, defaults={"note": "none"}), rows


def drawn(plan: Plan, rows: list[Row]) -> dict[tuple[str, str], str]:
    return {(one.recorded, one.against): base64.b64decode(one.svg).decode() for one in charts(plan, rows)}


def test_results_are_drawn_against_each_parameter_that_varied() -> None:
    plan, rows = swept(
        *({"context": c, "model": m} for m in ("a", "b") for c in (1, 10, 1000)),
        time=[1.0, 2.0, 3.0, 2.0, 4.0, 700.0], same=[1.0] * 6, word=["x"] * 6, context=[1, 10, 1000] * 2,
    )  # fmt: skip
    found = drawn(plan, rows)
    assert set(found) == {("time", "context"), ("time", "model")}
    said = re.findall(r"<text[^>]*>([^<]*)</text>", found["time", "context"])
    assert {"model=a", "model=b", "time (s)", "context"} <= set(said)
    assert {"1", "1,000"} <= set(said)
    said = re.findall(r"<text[^>]*>([^<]*)</text>", found["time", "model"])
    assert {"a", "b", "context=1000"} <= set(said)
    assert dict(unvaried(plan, rows)) == {
        "note": "none", "same": {"value": 1.0, "unit": "s"}, "word": {"value": "x", "unit": "s"}
    }  # fmt: skip
    shown = page(plan, rows, [None] * 6)
    assert shown.count("<img") == 2 and "time in s against context" in shown
    assert "<dt>same</dt><dd>1 s</dd>" in shown
    assert ">same [s]<" not in shown


def test_what_does_not_vary_is_not_drawn() -> None:
    assert drawn(*swept({"context": 1}, {"context": 2}, time=[1.0, 1.0])) == {}
    assert drawn(*swept({"context": 1}, time=[1.0])) == {}
    many = [{"context": c, "budget": float(b)} for c in (1, 2) for b in range(9)]
    found = drawn(*swept(*many, time=[float(k) for k in range(18)]))
    assert "budget=" not in found["time", "context"]  # too many lines to name: dots
    assert "context=2" in found["time", "budget"]


@pytest.fixture
def book(checkout: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    write(checkout.notebooks / "good.ipynb", good())
    monkeypatch.chdir(checkout.root)
    return checkout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["good", "--grid", "context=1"], "a sweep needs a notebook and --out FOLDER"),
        (["--grid", "context=1", "--out", "runs"], "a sweep needs a notebook and --out FOLDER"),
        (["god", "--grid", "context=1", "--out", "runs"], "unknown notebook 'god'; did you mean 'good'?"),
        (["good", "--grid", "contxt=1", "--out", "runs"], "unknown parameter of good: 'contxt'"),
        (["good", "--grid", "context=1", "--out", "notebooks/runs"], "among the committed notebooks"),
        (["good", "--grid", "context=1", "--out", "runs", "--retry-failed"], "goes with --resume"),
        (["--resume", "nothing"], "'nothing' holds no sweep"),
        (["good", "--resume", "runs"], "from the folder alone"),
        (["--grid", "context=1", "--resume", "runs"], "from the folder alone"),
        (["good", "--grid", "context=1", "--out", "_toc.yml"], "cannot be written"),
    ],
)
def test_what_is_no_sweep_is_refused_in_one_line(book: Project, arguments: list[str], message: str) -> None:
    result = cohort("sweep", *arguments)
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not (book.root / "runs").exists()


def test_a_sweep_from_plan_to_page(book: Project) -> None:
    """The whole way, and what a second one in the same folder and a changed notebook are told."""
    result = cohort(
        "sweep", "good", "-g", "context=8192,65536", "-p", "model", "dbrx", "--out", "runs", "--html"
    )
    assert result.exit_code == 0, result.output
    lines = sorted(line.split()[:2] for line in result.stdout.splitlines()[:2])
    assert lines == [["context=65536", "finished"], ["context=8192", "finished"]]
    assert result.stdout.splitlines()[-1] == "2 of 2 runs finished: runs/results.csv"
    folder = book.root / "runs"
    rows = list(csv.DictReader((folder / "results.csv").open(encoding="utf-8")))
    assert {row["budget"] for row in rows} == {
        str(next(one.default for one in KNOWN if one.name == "budget"))
    }
    assert [(row["run"], row["model"], row["cache [GiB]"], row["status"]) for row in rows] == [
        ("1", "dbrx", "1.0", "finished"),
        ("2", "dbrx", "8.0", "finished"),
    ]
    assert all(0 < float(row["seconds"]) < 60 for row in rows)
    said = read_notebook(folder / rows[1]["notebook"])["cells"][6]["outputs"][0]["data"]["text/markdown"]
    assert said == "It takes 8.00 GiB for dbrx."
    assert (folder / "index.html").read_text(encoding="utf-8").count("<img") == 3  # a chart, two figures
    assert {path.name for path in folder.iterdir()} == {
        ".lock", "index.html", "notebooks", "results.csv", "results.parquet", "rows", "sweep.json",
    }  # fmt: skip

    assert cohort("sweep", "--resume", "runs", "--html").exit_code == 0
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    again = cohort("sweep", "good", "-g", "context=1", "--out", "runs")
    assert "already holds a sweep; go on with it by --resume runs" in again.stderr
    assert cohort("sweep", "--resume", "runs").stdout == "2 of 2 runs finished: runs/results.csv\n"
    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == before
    with Store(folder).opened():
        assert "another process works on the sweep" in cohort("sweep", "--resume", "runs").stderr
    (book.root / "data" / "facts.csv").write_text("other", encoding="utf-8")
    assert "has changed since this sweep began" in cohort("sweep", "--resume", "runs").stderr
    (folder / "sweep.json").write_text("{", encoding="utf-8")
    assert "cannot be read" in cohort("sweep", "--resume", "runs").stderr
    assert json.loads(next(iter(before.values())))


DRAWS = """\
import types
import matplotlib.pyplot as plt
from cohort.display import theme
theme.use_theme()
figures = types.ModuleType("cohort.chapters.some.figures")
figures.plt = plt
lines = ["def draw_line(values):", "drawing, axes = plt.subplots()", "axes.plot(values)", "return drawing"]
exec("\\n    ".join(lines), figures.__dict__)
figures.draw_line([1, 2 + context // 2]);"""


def test_figures_are_drawn_where_they_are_asked_for_and_once_where_they_are_the_same(book: Project) -> None:
    notebook = good()
    drawing = code(DRAWS, "drawing", mystnb={"figure": {"caption": "A line.", "name": "fig-line"}})
    notebook["cells"].insert(4, drawing)
    write(book.notebooks / "good.ipynb", notebook)
    shown = {}
    for folder, options in (("without", []), ("with", ["--figures"]), ("page", ["--html"])):
        result = cohort("sweep", "good", "-g", "context=2,3,4", "--out", folder, *options)
        assert result.exit_code == 0, result.output
        cells = [read_notebook(path)["cells"] for path in sorted((book.root / folder).glob("notebooks/*"))]
        found = [cell["outputs"] for run in cells for cell in run if cell["id"] == "drawing"]
        shown[folder] = [[output["data"].get("image/svg+xml") for output in outputs] for outputs in found]
        recorded = [read_record({"cells": run}) for run in cells]
        assert [record["context"]["value"] for record in recorded] == [2, 3, 4]
        assert ((book.root / folder) / "index.html").exists() is (folder == "page")
    assert shown["without"] == [[], [], []]
    assert shown["with"] == shown["page"]
    first, second, third = (drawing for (drawing,) in shown["with"])
    assert first == second != third
    assert (book.root / "page" / "index.html").read_text(encoding="utf-8").count("<img") == 7  # a chart too
    refused = cohort("sweep", "--resume", "without", "--html")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "error: the runs in 'without' draw no figures; start a sweep with --figures in another folder.\n"
    )
