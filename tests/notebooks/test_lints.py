"""Every chapter keeps the rules, and every rule finds what breaks it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from synthetic import CHAPTERS, code, good, make, markdown, output

from cohort.runner.checking import lints
from cohort.runner.checking.prose import cited_keys, typed_numbers
from cohort.runner.notebook.canonical_form import canonical, notebook_text
from cohort.runner.notebook.document import read_notebook
from cohort.runner.project import find_project

ROOT = find_project(Path(__file__).parent).root


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_keeps_every_rule(path: Path) -> None:
    assert lints.lint_file(path) == []


def test_figures_have_names_of_their_own_throughout_the_book() -> None:
    names = [name for path in CHAPTERS for name in figure_names(read_notebook(path))]
    assert len(names) == len(set(names))


def test_what_is_folded_as_imports_is_one_cell_at_the_head() -> None:
    """Found on cells that compute a table or draw a figure, whose code a reader looks for under its name."""
    for path in CHAPTERS:
        cells = [cell for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code"]
        prompts = [cell["metadata"].get("mystnb", {}).get("code_prompt_show") for cell in cells]
        assert [place for place, text in enumerate(prompts) if text == "Show the imports"] == [1], path.stem


def figure_names(notebook: dict[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        name = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
        if name:
            yield name


def test_constants_in_prose_cite_entries_of_the_bibliography() -> None:
    bibliography = ROOT / "references.bib"
    known = set(re.findall(r"@\w+\{\s*([^,\s]+)", bibliography.read_text(encoding="utf-8")))
    for path in CHAPTERS:
        for cell in read_notebook(path)["cells"]:
            if cell["cell_type"] == "markdown":
                assert set(cited_keys(cell["source"])) <= known


def finished() -> dict[str, Any]:
    """The good notebook as if it had run."""
    notebook = canonical(good())
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
    figure = next(cell for cell in notebook["cells"] if cell["id"] == "figure")
    figure["outputs"] = [output({"image/svg+xml": "<svg/>", "text/plain": "x"})]
    return canonical(notebook)


def test_the_good_notebook_keeps_every_rule(tmp_path: Path) -> None:
    path = tmp_path / "good.ipynb"
    path.write_text(notebook_text(finished()), encoding="utf-8")
    assert lints.lint_file(path) == []


def test_a_file_that_is_not_canonical_or_no_notebook_is_found(tmp_path: Path) -> None:
    path = tmp_path / "good.ipynb"
    path.write_text(notebook_text(finished()).rstrip("\n"), encoding="utf-8")
    assert lints.lint_file(path) == ["good: is not in canonical form; `cohort run good` brings it there."]
    path.write_text("{", encoding="utf-8")
    assert "is not a notebook in JSON" in lints.lint_file(path)[0]


def cell_of(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(cell for cell in notebook["cells"] if cell["id"] == name)
    return found


def source(name: str, new: str) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: cell_of(notebook, name).update(source=new)


def metadata(name: str, **new: Any) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: cell_of(notebook, name)["metadata"].update(new)


def figure(**changes: Any) -> Callable[[dict[str, Any]], None]:
    described = {"figure": {"caption": "A box.", "name": "fig-box"}, "image": {"alt": "An empty box."}}
    return metadata("figure", mystnb={**described, **changes})


def outputs(name: str, *new: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: cell_of(notebook, name).update(outputs=list(new))


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: notebook["cells"].remove(cell_of(notebook, name))


SVG = output({"image/svg+xml": "<svg/>"})


@pytest.mark.parametrize(
    ("rule", "fault", "problem"),
    [
        (lints._short_cells, source("cache", "x = 1\n" * 16), "has 16 lines; at most 15"),
        (lints._short_cells, source("parameters", "x: int = 1  # A.\n" * 16), "has 16 lines; at most 15"),
        (lints._short_lines, source("cache", "x = 1\ny = '" + "x" * 96 + "'"), "line 2 has 102 characters"),
        (lints._short_lines, source("parameters", f"x: str = 'x'  # {'A' * 90}."), "line 1 has"),
        (
            lints._no_nested_fstrings,
            source("cache", """x = f"{f'{y:.2f}' if y else ''}" """),
            "nests an f-string",
        ),
        (lints._no_nested_fstrings, source("sentence", """say(f"{say(f'{y}')}")"""), "nests an f-string"),
        (lints._mostly_code, source("sentence", f'say("{"x" * 500}")'), "cells that call say hold"),
        (lints._no_empty_cells, source("lead", " \n"), "is empty"),
        (lints._no_empty_cells, source("cache", ""), "is empty"),
        (lints._plain_python, source("cache", "%matplotlib inline"), "is not plain Python"),
        (lints._plain_python, source("cache", "!ls"), "is not plain Python"),
        (lints._no_definitions, source("cache", "def f(x):\n    return x"), "defines f"),
        (lints._no_definitions, source("cache", "if True:\n    class A: pass"), "defines A"),
        (lints._no_definitions, source("cache", "async def f(): pass"), "defines f"),
        (lints._no_definitions, source("cache", "f = lambda x: x"), "gives a lambda a name"),
        (lints._no_definitions, source("cache", "(f := lambda x: x)(1)"), "gives a lambda a name"),
        (lints._no_titles, source("cache", "ax.set_title('t')"), "calls set_title"),
        (lints._no_titles, source("cache", "figure.suptitle('t')"), "calls suptitle"),
        (lints._words_between, drop("lead"), "[cache] `cache = context * 131072 / 2**30`: follows code"),
        (lints._words_between, metadata("sentence", tags=[]), "[sentence] `say("),
        (
            lints._words_between,
            source("sentence", "say('x')\nprint('y')"),
            "[sentence] `say('x')`: follows code",
        ),
        (lints._words_between, source("sentence", "x = 1"), "[sentence] `x = 1`: follows code"),
        (lints._words_between, source("imports", "x = 1"), "[imports] `x = 1`: follows code"),
        (lints._words_between, metadata("parameters", tags=[]), "[imports] `from cohort.display"),
        (
            lints._no_stderr,
            outputs("cache", {"output_type": "stream", "name": "stderr", "text": "w"}),
            "is committed with stderr",
        ),
        (
            lints._no_stderr,
            outputs("cache", {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}),
            "is committed with an error",
        ),
        (lints._executed, lambda notebook: cell_of(notebook, "cache").update(execution_count=None), "[None]"),
        (
            lints._executed,
            lambda notebook: cell_of(notebook, "cache").update(execution_count=9),
            "ran as [9]",
        ),
        (lints._no_variant, metadata("cache", tags=["injected-parameters"]), "was injected by papermill"),
        (
            lints._python3_kernel,
            lambda notebook: notebook["metadata"].update(kernelspec={"name": "conda"}),
            "its kernelspec is 'conda'",
        ),
        (lints._python3_kernel, lambda notebook: notebook.update(metadata={}), "its kernelspec is None"),
        (lints._strict_parameters, source("parameters", "x = 1"), "is no parameter"),
        (lints._strict_parameters, metadata("parameters", tags=[]), "has no parameters"),
        (lints._stated_tolerances, metadata("cache", tags=["measured"]), "must state a relative tolerance"),
        (lints._described_figures, figure(figure={"name": "fig-box"}), "has no caption"),
        (lints._described_figures, figure(figure={"caption": "A.", "name": "box"}), "is named 'box'"),
        (lints._described_figures, figure(image={}), "has no alternative text"),
        (lints._described_figures, figure(image={"alt": " "}), "has no alternative text"),
        (lints._described_figures, outputs("figure", SVG, SVG), "draws 2 figures"),
        (lints._described_figures, outputs("figure", output({"image/png": "aGk="})), "is not an SVG"),
        (lints._described_figures, outputs("cache", SVG), "has no caption"),
        (lints._no_typed_numbers, source("lead", "The cache takes 4 GiB."), "'4 GiB' is typed by hand"),
        (lints._no_typed_numbers, figure(image={"alt": "It grows to 40%."}), "alternative text: '40%'"),
        (
            lints._no_typed_numbers,
            figure(figure={"caption": "Up to 3 s.", "name": "fig-box"}),
            "caption or alternative text: '3 s'",
        ),
    ],
)
def test_a_rule_finds_what_breaks_it(
    rule: lints.Rule, fault: Callable[[dict[str, Any]], None], problem: str
) -> None:
    notebook = copy.deepcopy(finished())
    assert list(rule("good", notebook)) == []
    fault(notebook)
    found = list(rule("good", notebook))
    assert found
    assert problem in found[0]
    assert found[0].startswith("good")
    assert set(found) <= set(lints.lint("good", notebook))


def test_a_list_of_parameters_counts_once() -> None:
    names = "\n".join(f'    "{name}",' for name in "abcdefghijklmnopqrst")
    cell = code(f"models: list[str] = [\n{names}\n]  # Rows.\nseed: int = 0  # Seed.", "p", "parameters")
    assert list(lints._short_cells("good", make(cell))) == []
    assert list(lints._short_cells("good", make(code(cell["source"], "p")))) != []


@pytest.mark.parametrize("source", ["f'{x:{width}.2f}'", "f'{x}' + f'{y}'", "f'{say(y)}'", "f'{x!r:>8}'"])
def test_a_format_is_no_nested_fstring(source: str) -> None:
    assert list(lints._no_nested_fstrings("good", make(code(source)))) == []


def test_a_line_of_a_hundred_characters_is_allowed() -> None:
    assert list(lints._short_lines("good", make(code("x" * 100)))) == []
    assert len(list(lints._short_lines("good", make(code("x" * 101))))) == 1


def test_the_share_of_what_is_said_counts_whole_cells_wherever_they_say_it() -> None:
    quiet, said = code("x" * 76, "a"), code("if x:\n    say(words)", "b")
    (problem,) = lints._mostly_code("good", make(quiet | {"source": "x" * 60}, said))
    assert "hold 25% of the code's characters" in problem
    assert list(lints._mostly_code("good", make(quiet | {"source": "x" * 61}, said))) == []
    assert list(lints._mostly_code("good", make(markdown("say(x)"), code("essay(x)")))) == []


def test_every_rule_has_been_broken_above() -> None:
    (marks,) = (mark for mark in test_a_rule_finds_what_breaks_it.pytestmark if mark.name == "parametrize")
    assert {case[0] for case in marks.args[1]} == set(lints.RULES)


def test_two_figures_of_one_name_are_found() -> None:
    notebook = finished()
    twin = copy.deepcopy(cell_of(notebook, "figure")) | {"id": "twin"}
    notebook["cells"] += [markdown("Again.", "again"), twin]
    (problem,) = lints._described_figures("good", notebook)
    assert "[twin]" in problem
    assert "give it a name fig-… of its own" in problem


def test_a_sentence_may_prepare_what_it_says() -> None:
    cells = [code("x = 1", "a"), code("y = x + 1\nsay(f'{y}')", "b", "remove-input"), code("z = 1", "c")]
    assert list(lints._words_between("good", make(*cells))) == []


@pytest.mark.parametrize(
    "words",
    [
        "8 billion parameters",
        "15T tokens",
        "1,024 tokens",
        "5.76e23 FLOP",
        "40 %",
        "40%",
        ".5 %",
        "12 per cent",
        "3× as large",
        "× 10",
        "3x more",
        "4-fold",
        "3 times",
        "USD 5",
        "5 USD",
        "$1.20 to $3.40",
        "€5",
        "80 GB",
        "2\u00a0GiB",
        "3.35 TB/s",
        "300 W",
        "700W",
        "12 kWh",
        "10 tonnes",
        "20 tCO2e",
        "2 m³",
        "5 hours",
        "16 GPU-hours",
        "20 ms",
        "8 nats",
        "128K context",
        "# Heading of 5 GB",
        "| cell | 5 GB |",
        ":::{note}\n5 GB\n:::",
        "```{note}\n5 GB\n```",
        "[a link of 5 GB](https://example.org)",
        "![5 GB](box.svg)",
    ],
)
def test_a_numeral_with_a_unit_is_found(words: str) -> None:
    assert typed_numbers(words)
    assert typed_numbers(f"Some words first: {words}") if "\n" not in words else True


@pytest.mark.parametrize(
    "words",
    [
        "Mixtral 8x22B, Llama 3 8B and GPT-4",
        "in 2024, in the 1970s, on 7 May 2024",
        "Hoffmann et al. (2022)",
        "Figure 3, Section 4 and Table 5",
        "32 layers and 8 experts",
        "16-bit and FP8 weights",
        "an H100 SXM 80GB and an A100 80GB",
        "Qwen2.5 72B",
        "$6ND = 5 GB$",
        "$$\nC = 5 GB\n$$",
        "\\(5 GB\\)",
        "{math}`5 GB`",
        "`5 GB` and ``5 ` GB``",
        "{numref}`fig-5 GB`",
        "```\n5 GB\n```",
        "~~~python\n5 GB\n~~~",
        "```{math}\n5 GB\n```",
        "<!-- 5 GB -->",
        "<span style='width:5%'>x</span>",
        "[a link](https://example.org/5%20GB)",
        "<https://example.org/5%20GB> or https://example.org/5%20GB",
        "1. first\n2. second",
        "two thirds, a hundred tokens",
    ],
)
def test_other_numerals_are_left_alone(words: str) -> None:
    assert typed_numbers(words) == []


def test_a_comment_vouches_for_the_numeral_before_it() -> None:
    cited = "5.76e23 FLOP<!-- cited: hoffmann2022 --> and 15T tokens <!--cited: llama3:2024-->"
    assert typed_numbers(cited) == []
    assert cited_keys(cited) == ["hoffmann2022", "llama3:2024"]
    (problem,) = typed_numbers("4 GB and 5 GB<!-- cited: a -->")
    assert problem.startswith("'4 GB' is typed by hand")
    (problem,) = typed_numbers("5 GB\n<!-- cited: a -->")[1:]
    assert problem == "<!-- cited: a --> vouches for no numeral with a unit before it."
