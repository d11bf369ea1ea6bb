"""What holds of every chapter under any parameters: tried on planted faults, and weekly on 500 drawn sets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from agreement import KIND, unshown
from beyond import LIMITS, head, passing
from extremes import misnamed
from parameter_sets import drawn, own_configs
from synthetic import CHAPTERS, code, make, markdown
from truths import KINDS, faults

from cohort.errors import CohortError
from cohort.fitting import FitError
from cohort.runner.kernels.kernel import attempt
from cohort.runner.notebook.document import has_tag, read_notebook
from cohort.runner.parameter_cells import read_parameters, validate
from cohort.runner.records import MIME

HERE = Path(__file__).parent
BEYOND = 20  # sets that pass each limit, in the weekly run
EACH = 50  # sets of a chapter in the weekly run, 500 of all ten

PLANTED = {
    "no number": ["It takes nan GiB.", "The best is None.", "Growth is inf."],
    "nothing in brackets": ["The models () are shown."],
    "zero of zero": ["It holds for 0 of 0 models.", "Of the 0 runs none is far off."],
    "one of one": ["1 of 1 line rises.", "None of the 1 model has a report."],
    "plural of one": ["A prompt of 1 tokens.", "At 1 tokens a second."],
    "singular of many": ["On 8 device it fits.", "0 answer fits."],
    "zero with a unit": ["It takes 0.00 GiB.", "Serving reaches 0.0% of it.", "In 0.0 days it is repaid."],
    "negative zero": ["The error is -0.0 points."],
    "a hyphen for a minus": ["It lies from -0.97 to 0.08.", "The worst (-25%) is one token's."],
    "exponent": ["At 1e+22 FLOP.", "About 1.8e-05 KiB."],
    "digits run together": ["It costs 3023939 answers."],
    "too many digits": ["It is 9,637.6 times as much.", "It costs 4771.5 thousandths."],
    "a size written out": ["It takes 250,000,000,000,000,029,360,128 FLOP."],
    "number on number": ["That is 1,000,000 trillion tokens."],
    "from a value to itself": ["The loss moves from 2.791 to 2.791.", "A layer reads 2 and then 2 experts."],
    "a machine's name": ["The verdict_attention_memory is known."],
    "less by a negative": ["They did worse by -3.6% at the median."],
    "twice the same word": ["It is the the largest."],
    "spaces or stops": ["It fits  on one device.", "It fits ."],
    "an object": ["Name: dtype: float64.", "It fits: True."],
    "falls to more": [
        "The loss falls from 2.791 to 2.812.",
        "The cost per token drops there from 900 GiB to 1.2 TiB.",
        "The fee sank from 4 to 20%.",
    ],
    "grows to less": [
        "Throughput grows from 1,510 to 38 tokens a second.",
        "It rises from 3 billion (Phi-2) to 400 million (OPT).",
    ],
    "a range from its end": [
        "Its interval runs from 35.5 to 7.64.",
        "The mixtures hold 86 to 63% of it.",
        "The rest lies between 3 h and 20 minutes.",
        "One needs a cache (2 MiB to 24.4 KiB) for it.",
        "It takes 12 to 4 million tokens.",
    ],
    "more by a factor below one": ["It takes 0.8 times longer.", "Half as many, or 0.5 times fewer."],
    "more by a factor of one": ["It takes 1.00 times more memory."],
    "more by a negative": ["That takes -12% less compute."],
    "more of them than there are": ["It holds for 12 of 9 models.", "8 of the 4 experts."],
    "at least more than at most": ["It takes at least 20 devices and at most 8."],
}
TRUE_WORDS = (
    "- One answer of 400 tokens by Llama 3 70B, 64 at once on 8 H100, takes 0.604 Wh; 3 of 14 models do, the "
    "one model does, and 1 token is written in 3.1 ms. None of 2 models is offered for 8,192 tokens. At "
    "5.76 × 10²³ FLOP it advises 17.9 to 20.4; `flop_per_token` is code, so is $1e5$. It falls from 2.791 "
    "to 2.7, as throughput grows from 4 to 26.4 trillion tokens, from 950 million to 1.2 billion a day. The "
    "rest takes 24.4 KiB to 1.25 MiB, 81.8 and 3.43 ms, or 90 s to 2 minutes: 0.24 times as much. The first "
    "takes 2.33 s of the 2 s allowed, 5 of 6 are within 0.9 to 11.7, and 2 of 1.5 trillion tokens are kept. "
    "Of two groups 1 group reads and 1 writes."
)


def shown(text: str, kind: str = "text/markdown") -> dict[str, Any]:
    cell = code("say()", "told")
    cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {kind: text}}]
    return make(markdown("# A page", "title"), cell)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_of_fault_is_found_where_it_is_planted(kind: str) -> None:
    for text in PLANTED[kind]:
        found = faults(shown(text))
        assert ("told", kind) in {(cell, what) for cell, what, _ in found}, (text, found)


def test_nothing_is_found_in_true_words() -> None:
    assert faults(shown(TRUE_WORDS)) == []


def test_tables_and_figures_are_looked_at_too() -> None:
    head = "<table><thead><tr><th>model</th></tr></thead><tbody>{}</tbody></table>"
    (alone,) = faults(shown(head.format(""), "text/html"))
    assert alone[1] == "a table with a head alone"
    (nan,) = faults(shown(head.format("<tr><td>nan</td></tr>"), "text/html"))
    assert nan[1] == "no number"
    assert faults(shown(head.format("<tr><td>macro_avg</td></tr><tr><td>0.0</td></tr>"), "text/html")) == []
    seen = {"texts": ["1e-05"], "overlaps": [("a", "b")], "unscaled": ["tokens: []"]}
    assert [kind for _, kind, _ in faults(make(), [seen])] == [
        "exponent", "labels over each other", "an axis without a scale",
    ]  # fmt: skip


SECTION = "<table><tr><th>model</th><th>tokens (billion)</th></tr><tr><td>A</td><td>162</td></tr></table>"
BRIEF = (
    ("Of 3,000,000 answers one takes 102 tokens.", []),  # as the parameters have them
    # table, figure, record and a name
    ("It takes 162 billion tokens, 44.5 times as much, about 1,200 h and 40.5 KiB in ERNIE 4.5 21B-A3B.", []),
    ("It takes 163 billion tokens in 9 days.", ["163 billion", "9"]),
    (
        "It takes 162 million tokens, 45.5 times as much, or 1.3 × 10³ h.",
        ["162 million", "45.5", "1.3 × 10³"],
    ),
)


@pytest.mark.parametrize(("text", "missed"), BRIEF, ids=["given", "shown", "another number", "another size"])
def test_a_number_in_brief_that_no_section_shows_is_found(text: str, missed: list[str]) -> None:
    brief, table, kept = (code("say()", name) for name in ("brief", "table", "kept"))
    for cell, data in (
        (brief, {"text/markdown": text}),
        (table, {"text/html": SECTION}),
        (
            kept,
            {MIME: {"hours": {"value": 1196.4, "unit": "h"}, "cache": {"value": 3.8624e-5, "unit": "GiB"}}},
        ),
    ):
        cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": data}]
    notebook = make(
        markdown("# A page", "title"),
        code("answers: float = 3e6  # Of 7 days.\ntokens: int = 9  # Of one.", "parameters", "parameters"),
        code("tokens = 102", "given", "injected-parameters"),
        markdown("## In brief", "head"),
        brief,
        markdown("## Why", "why"),
        table,
        kept,
    )
    found = unshown(notebook, [{"texts": ["44.5"]}])
    assert [(cell, kind, what.split(":")[0]) for cell, kind, what in found] == [
        ("brief", KIND, one) for one in missed
    ]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_nothing_is_wrong_with_a_chapter_as_it_is_kept(chapter: Path) -> None:
    assert faults(read_notebook(chapter)) == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_shows_what_it_says_in_brief(chapter: Path) -> None:
    assert unshown(read_notebook(chapter)) == []


ROWS = (("Ada 7B", "24.4", "8,192"), ("Bea", "50.2", "4,096"), ("Ada 7B 1.5B", "1,280", "2,048"))
CACHES = "<table><tr><th>model</th><th>cache (KiB)</th><th>longest (tokens)</th></tr>{}</table>".format(
    "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in ROWS)
)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("A token takes from 24.4 KiB (Ada 7B) to 1.25 MiB (Ada 7B 1.5B).", []),
        ("A token takes the most, 1.25 MiB, in Bea.", ["Ada 7B 1.5B"]),
        ("A token takes from 24.4 KiB (Bea) to 1.25 MiB (Ada 7B 1.5B).", ["Ada 7B"]),
        (
            "A token takes 1.25 MiB at most; for 8,192 tokens Bea takes the least.",
            [],
        ),  # no name; set by a reader
        ("With 24 KiB Bea takes the least, the longest is that of 24.4 GiB.", []),  # digits, another size
    ],
)
def test_another_name_than_the_one_that_a_table_shows_is_found(text: str, right: list[str]) -> None:
    brief, table = (code("say()", name) for name in ("brief", "table"))
    for cell, data in ((brief, {"text/markdown": text}), (table, {"text/html": CACHES})):
        cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": data}]
    parameters = code("context: int = 8192  # Of tokens.", "parameters", "parameters")
    heads = (markdown(f"## {head}", head) for head in ("In brief", "Why"))
    notebook = make(parameters, next(heads), brief, next(heads), table)
    assert [what.rpartition("table: ")[2].rstrip(")") for _, _, what in misnamed(notebook)] == right


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_names_what_its_tables_show(chapter: Path) -> None:
    assert misnamed(read_notebook(chapter)) == []


@pytest.mark.parametrize(("name", "most"), [("the_cohort", "Command R"), ("attention_memory", "Command R")])
def test_another_name_in_a_chapter_is_found(name: str, most: str) -> None:
    text = next(path for path in CHAPTERS if path.stem == name).read_text(encoding="utf-8")
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        for data in (output.get("data", {}) for output in cell.get("outputs", ())):
            if "text/markdown" in data:
                data["text/markdown"] = "".join(data["text/markdown"]).replace(most, "DBRX")
    assert most in {what.rpartition("table: ")[2].rstrip(")") for _, _, what in misnamed(notebook)}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_sets_are_drawn_of_what_a_chapter_declares(chapter: Path) -> None:
    known = read_parameters(chapter.stem, read_notebook(chapter))
    sets = [drawn(chapter, number) for number in range(EACH)]
    assert sets[:3] == [drawn(chapter, number) for number in range(3)]
    for values in sets:
        assert validate(chapter.stem, known, values) == values
    assert {name for values in sets for name in values} == {one.name for one in known}


def watched(chapter: Path) -> dict[str, Any]:
    """A chapter whose figures are looked at as they are drawn, and not written."""
    notebook = json.loads(json.dumps(read_notebook(chapter)))
    cells = notebook["cells"]
    place = next(number for number, cell in enumerate(cells) if has_tag(cell, "parameters"))
    paths = [str(HERE), str(HERE.parent / "unit")]
    cells.insert(
        place + 1, code(f"import sys\nsys.path[:0] = {paths}\nimport watched\nwatched.watch()", "watch")
    )
    cells.append(code("watched.tell()", "tell"))
    return notebook


def ran(chapter: Path, parameters: dict[str, Any], folder: Path) -> tuple[Any, list[Any], str]:
    """Return a chapter under some parameters, what its figures showed, and what stopped it."""
    own_configs(folder)
    tried = attempt(watched(chapter), parameters, name=chapter.stem, cwd=folder)
    if tried.problem is not None or tried.notebook is None:
        return None, [], str(tried.problem)
    (told,) = (cell for cell in tried.notebook["cells"] if cell["id"] == "tell")
    return tried.notebook, json.loads(told["outputs"][0]["text"]), ""


def run(chapter: Path, parameters: dict[str, Any], folder: Path) -> list[Any]:
    """Return what is wrong with a chapter under some parameters; a refusal in one sentence is right."""
    notebook, figures, problem = ran(chapter, parameters, folder)
    if notebook is not None:
        return faults(notebook, figures) + unshown(notebook, figures) + misnamed(notebook)
    is_refused = any(f": {name}: " in problem for name in {FitError.__name__} | refusals(CohortError))
    return [] if is_refused else [problem]


def refusals(kind: type[Exception]) -> set[str]:
    """Return the names of an error and of all that are of its kind."""
    return {kind.__name__}.union(*map(refusals, kind.__subclasses__()))


@pytest.mark.weekly
@pytest.mark.parametrize("number", range(EACH))
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_drawn_parameters_give_true_sentences(tmp_path: Path, chapter: Path, number: int) -> None:
    parameters = drawn(chapter, number)
    assert (parameters, run(chapter, parameters, tmp_path)) == (parameters, [])


@pytest.mark.weekly
@pytest.mark.parametrize("number", range(BEYOND))
@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_that_is_passed_is_said(tmp_path: Path, name: str, number: int) -> None:
    limit = LIMITS[name]
    (chapter,) = (path for path in CHAPTERS if path.stem == limit.chapter)
    parameters = passing(limit, number)
    notebook, figures, problem = ran(chapter, parameters, tmp_path)
    text = problem if notebook is None else head(notebook, figures)
    assert re.search(limit.words, text), (parameters, text)
