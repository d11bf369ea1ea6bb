"""What the panels ask and answer: the chapters' defaults, the package's numbers, its own refusals."""

import ast
import csv
import io
import json
import math
import re
import shlex
import subprocess
import sys
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from panel_inputs import NAMES, asked, texts

import cohort
from cohort.chapters.decide import assistant
from cohort.chapters.serving_roofline import figures as roofline_figures
from cohort.errors import CohortError, UnknownNameError
from cohort.experts import choosing
from cohort.footprint.accounts import BOUNDARIES, BOUNDARY_WORDS
from cohort.panels import ask, defaults, experts, live, memory, panel, panels, serving
from cohort.panels.inputs import RefusedError
from cohort.panels.markup import answer_html
from cohort.panels.states import changed, fragment, from_fragment, papermill
from cohort.planning import Demand, Limits, plan
from cohort.planning.options import BEST, FAILURES
from cohort.runner.notebook.document import read_notebook
from cohort.runner.parameter_cells import Text, convert, read_parameters
from cohort.units import GIB

ROOT = Path(__file__).parents[3]
NOTEBOOKS = ROOT / "notebooks"


def chapters(name):
    return [chapter for _, chapter in panel(name).chapters]


def parameters(chapter):
    return {
        each.name: each for each in read_parameters(chapter, read_notebook(NOTEBOOKS / f"{chapter}.ipynb"))
    }


def told(name, **given):
    return json.loads(live.respond(json.dumps({"panel": name, "inputs": given})))


def number(found, label):
    return next(each.value for each in found.numbers if each.label == label)


@pytest.mark.parametrize("name", panels())
def test_defaults_are_those_of_the_chapter(name):
    found = 0
    for chapter in chapters(name):
        known = parameters(chapter)
        for own in panel(name).inputs:
            parameter = own.parameter_of(chapter)
            if not parameter:
                continue
            usual = known[parameter].default
            usual = tuple(usual) if isinstance(usual, list) else usual
            # The chapter's own word for "not given" is 0; a field is empty then.
            assert own.default == usual or (own.empty and own.default is None), (name, own.name)
            found += 1
    assert found >= 3


@pytest.mark.parametrize("name", panels())
def test_the_forms_are_whole(name):
    inputs = panel(name).inputs
    assert len({own.name for own in inputs}) == len(inputs)
    for own in inputs:
        assert own.read(own.written(own.default)) == own.default
        assert own.label and own.help.endswith(".")
        assert not own.wording or len(own.wording) == len(own.allowed)
        assert own.kind not in ("name", "names") or own.names in NAMES
        assert not any(own.slider) or own.low <= own.slider[0] < own.slider[1] <= own.high
        other, among = own.only
        if other:
            assert set(among) < set(next(each for each in inputs if each.name == other).allowed)


def test_memory_is_what_the_package_counts():
    found = ask("memory", model="mixtral-8x7b-v0.1", context=10_000, batch=3, dtype="fp8", devices="2")
    spec = cohort.model("mixtral-8x7b-v0.1")
    budget = cohort.serving.memory_budget(spec, "H100 SXM 80GB", 2, context=10_000, batch=3,
                                          weight_dtype="bf16", kv_dtype="fp8")  # fmt: skip
    assert number(found, "cache of all sequences") == spec.kv_cache_bytes(10_000, 3, 1)
    assert number(found, "weights of a device") == budget.weight_bytes
    assert number(found, "cache of a device") == budget.cache
    assert found.drawings[0].series[0].y[0] == budget.weight_bytes / GIB


def test_fewest_devices_hold_it_and_half_of_them_do_not():
    found = ask("memory")
    count = number(found, "devices")
    assert count == 4
    assert not ask("memory", devices="2").sentences[0].count(" fits on ")
    longest = number(found, "longest context")
    assert " fits on 4 " in ask("memory", context=int(longest), devices="4").sentences[0]
    assert "does not fit" in ask("memory", context=int(longest) + 64, devices="4").sentences[0]


def test_a_pasted_config_is_the_model():
    text = (ROOT / "data" / "configs" / "qwen3-8b.json").read_text(encoding="utf-8")
    pasted, named = ask("memory", config=text), ask("memory", model="qwen3-8b")
    assert [each.value for each in pasted.numbers] == [each.value for each in named.numbers]
    assert "config.json" in pasted.python and "config.json" in papermill("memory", pasted.values)
    assert ask("serving", config=text).numbers[0].value == ask("serving", model="qwen3-8b").numbers[0].value


def test_serving_is_what_the_package_says():
    found = ask("serving", concurrency=16, kv_dtype="fp8", usd_per_hour=4.0)
    alone = cohort.serving.serve("llama-3-70b", "H100 SXM 80GB", 4, 16, input_tokens=1024, output_tokens=256,
                                 kv_dtype="fp8", engine="vLLM")  # fmt: skip
    assert number(found, "time per token") == alone.tpot_s
    assert number(found, "price of a million tokens") == alone.usd_per_million_tokens(4.0)
    assert math.fsum(found.drawings[0].series[0].y) == pytest.approx(1e3 * alone.tpot_s)
    speeds, throughput = found.drawings[1].series
    assert list(speeds.y) == sorted(speeds.y, reverse=True)
    assert throughput.y[throughput.x.index(16)] == alone.output_tokens_per_s / 4


def test_the_parts_of_a_token_are_called_as_in_the_chapter():
    assert {part: name for part, (_, name) in serving.PARTS.items()} == {
        part: name for part, (name, _) in roofline_figures.PARTS.items()
    }
    assert tuple(BOUNDARY_WORDS) == BOUNDARIES


def test_an_interval_is_stored_for_the_fit_alone():
    low, high = cohort.scaling.fitted_interval(5.76e23)
    fitted, published = ask("data"), ask("data", law="besiroglu")
    assert low < number(fitted, "best size") < high
    assert "52 billion to 110 billion" in fitted.numbers[0].note
    assert "no interval" in published.numbers[0].note
    assert number(published, "best size") == pytest.approx(
        cohort.law("besiroglu").compute_optimal(5.76e23).parameters
    )


def test_a_model_pays_back_where_the_lines_cross():
    found = ask("data", question="model")
    use = number(found, "pays back after")
    own, law = (8.03e9, 1.5e13), cohort.scaling.fitted_law()
    same = law.compute_optimal(loss=law.loss(*own))
    assert use == law.break_even_tokens(*own)
    assert 6 * own[0] * own[1] + 2 * own[0] * use == pytest.approx(same.flop + 2 * same.parameters * use)
    large = ask("data", question="model", parameters=1e12, tokens=1e10)
    assert number(large, "pays back after") is None and "no use" in large.sentences[0]


def test_experts_are_those_of_the_closed_form():
    found = ask("experts", model="mixtral-8x7b-v0.1", tokens=2, skew=0)
    assert number(found, "experts that are read") == 3.5
    other = ask("experts", experts=64, active=4, tokens=100, skew=1.0)
    shares = choosing.chosen_shares(64, 4, 1.0)
    assert number(other, "experts that are read") == cohort.experts.coverage(64, 4, 100, shares)
    assert number(other, "dropped") == 100 * cohort.experts.dropped(64, 4, 100, 1.25, shares)
    assert math.fsum(other.drawings[1].series[0].y) == pytest.approx(64)
    assert experts.mixture_sizes(defaults("experts")) == (160, 6, "DeepSeek-V2")


def test_a_footprint_is_the_package_s_at_every_boundary():
    found = ask("footprint", question="hours", accelerator_hours=1e6, grid="France", pue=1.2)
    ladder = found.drawings[0].series[0]
    for boundary, tonnes, low, high in zip(BOUNDARIES, ladder.y, ladder.low, ladder.high, strict=True):
        alone = cohort.footprint.training(accelerator="H100 SXM 80GB", accelerator_hours=1e6, grid="France",
                                          boundary=boundary, pue=1.2)  # fmt: skip
        assert 1000 * tonnes == pytest.approx(alone.co2e_kg)
        assert low <= tonnes <= high
    year = ask("footprint", answers_per_day=1000)
    assert number(year, "CO2e of a year") == pytest.approx(365_000 * number(year, "CO2e of an answer"))


@pytest.mark.slow
def test_a_choice_is_the_chapter_s():
    known = {name: each.default for name, each in parameters("decide").items()}
    demand = Demand(known["input_tokens"], known["output_tokens"], requests_per_s=known["requests_per_s"])
    limits = Limits(first_token_s=known["first_token_s"], token_s=known["token_ms"] / 1e3)
    alone = plan(known["model"], known["accelerators"], demand, limits, **assistant.TYPES)
    found = ask("choose", apart=True)
    assert number(found, "price of a million tokens") == alone.cheapest.usd_per_million_tokens
    assert number(found, "ways that keep every limit") == alone.kept
    frontier, prices, ways = found.drawings
    points = sorted((x, y) for one in frontier.series for x, y in zip(one.x, one.y, strict=True))
    assert points == sorted(
        (each.tokens_per_s_per_user, each.tokens_per_s_per_accelerator) for each in alone.frontier
    )
    table = assistant.cheapest_each(cohort.model(known["model"]), known["accelerators"], demand, limits)
    for column, ends in (("usd", "y"), ("low", "low"), ("high", "high")):
        assert list(getattr(prices.series[0], ends)) == pytest.approx(list(table[column]))
    assert sum(ways.series[0].y) == alone.tried
    assert {row[0].split(":")[0].lower() for row in found.table[1:]} <= {
        ", ".join(some).lower() for some in powerset(BEST.values())
    }


def powerset(of):
    several = list(of)
    return [some for size in range(len(several) + 1) for some in combinations(several, size)]


LIMITED = {
    "accelerators": {"most": 1},
    "price": {"usd_per_hour": 1},
    "carbon": {"grams": 1e-5},
    "time": {"token_ms": 1},
    "context": {"model": "llama-3-8b", "input_tokens": 10_000},
    "memory": {"model": "deepseek-v3", "accelerators": "L4", "copy": 1},
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_choice_says_which_limit_leaves_nothing(kind):
    found = ask("choose", **{"accelerators": "H200", **LIMITED[kind]})
    assert number(found, "ways that keep every limit") == 0 and not found.table
    assert found.sentences[0].startswith("Nothing here serves ")
    (ways,) = (one for one in found.drawings if one.name == "ways")
    counts = dict(zip(ways.series[0].x, ways.series[0].y, strict=True))
    assert counts[FAILURES[kind]] > 0 and counts["keep every limit"] == 0


def test_a_choice_keeps_to_its_largest_copy_and_says_so():
    for copy in (1, 4):
        found = ask("choose", accelerators="H200", weights="fp8", copy=copy)
        largest = max(each.way.devices for each in eval(found.python, {"cohort": cohort}).options)
        assert largest <= copy
        assert f"more than {copy} accelerator" in found.sentences[-1]


REFUSED = [
    ("memory", {"model": "lama-3"}, "model", "did you mean 'llama-3-8b'"),
    ("memory", {"model": ""}, "model", "must be a name"),
    ("memory", {"model": "./secret.json"}, "model", "reads no files"),
    ("memory", {"model": "/etc/hosts"}, "model", "reads no files"),
    ("memory", {"config": "{"}, "config", "not JSON"),
    ("memory", {"config": "[1]"}, "config", "no object of fields"),
    ("memory", {"config": '{"model_type": "unheard-of"}'}, "config", "unheard-of"),
    ("memory", {"context": "many"}, "context", "must be a number"),
    ("memory", {"context": "1.5"}, "context", "an integer"),
    ("memory", {"batch": "0"}, "batch", "from 1 to"),
    ("memory", {"devices": "3"}, "devices", "unknown devices"),
    ("serving", {"accelerator": "H100"}, "accelerator", "did you mean 'H100 SXM 80GB'"),
    ("serving", {"tensor_parallel": "16"}, "tensor_parallel", "from 1 to 8 devices"),
    ("serving", {"tensor_parallel": "3"}, "tensor_parallel", "must divide the 64 attention heads"),
    ("serving", {"usd_per_hour": "nan"}, "usd_per_hour", "must be from"),
    ("serving", {"expert_parallel": "maybe"}, "expert_parallel", "yes or no"),
    ("data", {"flop": "1e40"}, "flop", "from 1e+17 to 1e+30 FLOP"),
    ("data", {"law": "mine"}, "law", "unknown law"),
    ("experts", {"model": "llama-3-8b"}, "model", "which is dense"),
    ("experts", {"experts": "4", "active": "5"}, "active", "at most the 4 experts"),
    ("footprint", {"grid": "Frnce"}, "grid", "did you mean 'France'"),
    ("footprint", {"boundary": "with_development"}, "boundary", "no development"),
    ("footprint", {"pue": "0.5"}, "pue", "from 1 to 10"),
    ("footprint", {"concurrency": "99999"}, "", "fits no group"),
    ("choose", {"accelerators": "H100, H200"}, "accelerators", "did you mean 'H100 SXM 80GB'"),
    ("choose", {"accelerators": "H200,"}, "accelerators", "must be a name"),
    ("choose", {"accelerators": "H200, L4, L40S, B200, B300"}, "accelerators", "from 1 to 4"),
    ("choose", {"accelerators": "M3 Ultra (80-core)"}, "accelerators", "16-bit peak"),
    ("choose", {"requests_per_s": "0"}, "requests_per_s", "must be from"),
    ("choose", {"token_ms": "soon"}, "token_ms", "must be a number"),
    ("choose", {"most": "0"}, "most", "from 1 to"),
    ("choose", {"grams": "-1"}, "grams", "must be from"),
    ("choose", {"place": "Frnce"}, "place", "did you mean 'France'"),
    ("choose", {"copy": "65"}, "copy", "from 1 to 64"),
    (
        "choose",
        {"copy": "64", "accelerators": "GB200, GB300, B300", "model": "deepseek-v3", "apart": "yes"},
        "copy",
        "ways, but a page tries at most 2,500",
    ),
    ("choose", {"weights": "int2"}, "weights", "unknown weights"),
]


@pytest.mark.parametrize(("name", "given", "field", "words"), REFUSED, ids=lambda one: str(one)[:40])
def test_a_refusal_is_the_package_s_own_beside_its_field(name, given, field, words):
    with pytest.raises(RefusedError, match=re.escape(words)) as refused:
        ask(name, **given)
    assert list(refused.value.fields) == [field]
    assert told(name, **given) == {"errors": refused.value.fields}


def test_several_refusals_stand_each_at_its_own_field():
    assert set(told("memory", model="x", context="y")["errors"]) == {"model", "context"}


def test_what_a_hidden_field_holds_does_no_harm():
    assert told("data", question="model", flop="rubbish")["answer"]
    assert told("data", question="budget", tokens="rubbish")["answer"]


def test_unknown_panels_and_inputs_are_refused():
    with pytest.raises(UnknownNameError, match="known: memory"):
        panel("wealth")
    with pytest.raises(CohortError, match="unknown input 'contxt'; did you mean 'context'"):
        ask("memory", contxt=1)
    assert told("memory", contxt="1")["errors"][""].startswith("unknown input")


@cache
def states():
    return [(name, given) for name, given in asked(200, seed=7) if not told(name, **given).get("errors")]


@pytest.mark.slow
def test_most_random_inputs_can_be_answered():
    assert len(states()) > 120
    assert {name for name, _ in states()} == set(panels())


@pytest.mark.slow
def test_a_link_brings_back_its_state():
    for name, given in states():
        found = ask(name, **given)
        link = fragment(name, found.values)
        owner, back = from_fragment(link)
        assert owner == name
        again = ask(name, **back)
        assert again.as_dict() == found.as_dict()
        assert fragment(name, again.values) == link


@pytest.mark.slow
def test_a_command_gives_a_chapter_what_it_takes():
    for name, given in states():
        values = ask(name, **given).values
        words = shlex.split(papermill(name, values))
        chapter = Path(words[1]).stem
        assert words[0] == "papermill" and chapter in chapters(name)
        known = parameters(chapter)
        rest = iter(words[3:])
        for flag in rest:
            if flag == "-y":  # several names, as YAML
                (key, several), *others = yaml.safe_load(next(rest)).items()
                assert not others and isinstance(several, list)
                convert(known[key], Text(",".join(several)))
                continue
            assert flag == "-p"
            convert(known[next(rest)], Text(next(rest)))
    assert papermill("experts", {**defaults("experts"), "tokens": 8, "skew": 0.0}).endswith(
        "-p concurrency 8 -p skew 0"
    )
    choice = {**defaults("choose"), "accelerators": ("H200", "L4"), "place": "SE"}
    assert papermill("choose", choice).endswith("""out.ipynb -y 'accelerators: ["H200", "L4"]'""")


VALUE_OF = {"memory": lambda b: b.weight_bytes, "experts": lambda read: read, "serving": lambda usd: usd}
SHOWN = {
    "memory": "weights of a device",
    "serving": "price of a million tokens",
    "experts": "experts that are read",
}


@pytest.mark.parametrize("name", panels())
def test_the_line_of_python_gives_the_same(name):
    for given in ({}, *(given for owner, given in states() if owner == name and not given.get("config"))):
        found = ask(name, **given)
        ast.parse(found.python, mode="eval")
        result = eval(found.python, {"cohort": cohort})
        if name in SHOWN:
            assert VALUE_OF[name](result) == number(found, SHOWN[name])
        elif name == "footprint":
            label = "CO2e of an answer" if found.values["question"] == "answers" else "CO2e"
            assert result.co2e_kg == number(found, label)
        elif name == "choose":
            assert result.kept == number(found, "ways that keep every limit")
            if result.cheapest is not None:
                assert result.cheapest.usd_per_million_tokens == number(found, "price of a million tokens")
        elif found.values["question"] == "budget":
            assert result.parameters == number(found, "best size")
        else:
            assert result == (number(found, "pays back after") or math.inf)
        if given and len(given) > 6:
            break


WRONG = re.compile(r"\b(?:nan|inf|None|True|False)\b|-?\d+\.\d{9}|\de[+-]\d")


@pytest.mark.slow
def test_answers_are_whole_and_drawings_are_svg():
    for name, given in states():
        found = ask(name, **given)
        said = " ".join(
            [*found.sentences, *(f"{each.text} {each.note}" for each in found.numbers)]
            + [cell for row in found.table for cell in row]
        )
        assert not WRONG.search(said), said
        assert found.sentences and found.numbers and found.drawings
        for drawing in found.drawings:
            root = ElementTree.fromstring(drawing.svg)
            assert root.get("role") == "img" and root.get("aria-label") == drawing.caption
            _, _, wide, high = map(float, root.get("viewBox").split())
            assert not re.search(r"nan|inf|e-\d", re.sub(r">[^<]*<|aria-label=\"[^\"]*\"", "", drawing.svg))
            for shape in root.iter():
                for place, most in (("x", wide), ("cx", wide), ("y", high), ("cy", high)):
                    assert -1 <= float(shape.get(place, 0)) <= most + 1
            for one in drawing.series:
                assert len(one.x) == len(one.y) > 0
                assert all(isinstance(each, int | float) and math.isfinite(each) for each in one.y)


def test_what_a_reader_pastes_is_only_shown():
    bad = '<img src=x onerror="alert(1)">'
    config = json.loads((ROOT / "data" / "configs" / "llama-3-8b.json").read_text(encoding="utf-8"))
    errors = told("memory", model=bad)["errors"]
    assert bad in errors["model"]  # as text, which the page sets as text
    found = ask("memory", config=json.dumps({**config, "_name_or_path": bad}))
    assert "<img" not in answer_html(found)


def test_the_table_of_numbers_reads_back():
    found = ask("footprint", grid="SE")
    rows = list(csv.DictReader(io.StringIO(found.csv())))
    assert {row["of"] for row in rows} == {"input", "answer", "ladder"}
    assert next(row["y"] for row in rows if row["label"] == "grid") == "SE"
    kept = [float(row["y"]) for row in rows if row["of"] == "ladder"]
    assert kept == list(found.drawings[0].series[0].y)
    assert all(row["low"] for row in rows if row["of"] == "ladder")


def test_only_what_differs_stands_in_a_link():
    values = {**defaults("data"), "tokens": 1e10}  # which the question does not ask for
    assert changed(panel("data"), values) == []
    assert fragment("data", values) == "data"
    assert fragment("memory", {**defaults("memory"), "model": "a b&c"}) == "memory?model=a+b%26c"


@pytest.mark.slow
def test_the_lines_of_python_need_no_more_than_the_package():
    lines = [ask(name).python for name in panels()] + [ask("data", question="model").python]
    code = "import cohort\n" + "\n".join(f"print({line})" for line in lines)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(ROOT / "src")})  # fmt: skip
    assert len(done.stdout.splitlines()) == len(lines)


ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
for name in ("numpy", "pandas", "matplotlib", "IPython", "click", "jinja2"):
    sys.modules[name] = None
from cohort.panels import live
live.names()
for line in sys.stdin:
    print(live.respond(line))
"""


@pytest.mark.slow
def test_panels_need_the_standard_library_alone():
    asked_for = texts(25, seed=3)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ALONE, str(ROOT / "src")],
        input="\n".join(asked_for), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        json.loads(live.respond(text)) for text in asked_for
    ]


def test_ways_of_the_table_are_those_of_the_package():
    spec = cohort.model("llama-3-8b")
    table = ask("memory", model="llama-3-8b", context=8192).table
    assert [row[0] for row in table[1:3]] == ["as it is", "multi-head"]
    assert len(table) == 1 + len(memory.WAYS)
    assert table[2][2] == str(spec.kv_cache_bytes(8192) * 4 // spec.kv_cache_bytes(8192))


def test_energy_that_is_not_known_is_not_shown():
    """The data hold no rated power of Trainium1."""
    found = ask("choose", model="qwen3-vl-2b", accelerators="Trainium1", first_token_s="5")
    labels = {each["label"] for each in found.as_dict()["numbers"]}
    assert "accelerators" in labels
    assert "energy of an answer" not in labels
