"""The corrections are complete: what the data contradict is found by rule, and none is judged two ways.

Each rule names the cells of its columns that the tables `model_facts`, `benchmarks`, `training_runs` and the
configs contradict. The corrections must be those cells, no fewer and no more, but for the few that a rule
cannot find, which stand in `BY_HAND` with the reason.
"""

import datetime
import re
from collections.abc import Iterator

import pytest
from reading import table
from rows import each_of

import cohort

Place = tuple[str, str, str]

POST = table("post_tables")
CELL: dict[Place, str] = {(row["table"], row["model"], row["column"]): row["original"] for row in POST}
CORRECTED = {(row["table"], row["model"], row["column"]): row for row in table("corrections")}
COHORT = [row["model"] for row in table("models") if row["group"] == "cohort"]
FACT = {(row["model"], row["field"]): row for row in table("model_facts")}
RUNS = {(row["model_or_run"], row["field"]): row for row in table("training_runs") if not row["part"]}
SCORES = table("benchmarks")
MODELS = {name: cohort.model(name) for name in COHORT}
BENCHMARK = {"mmlu": "MMLU", "gsm8k": "GSM8K", "humaneval": "HumanEval"}
SCALE = {"": 1, "k": 1000, "K": 1000, "M": 1e6, "B": 1e9, "T": 1e12}
UNSURE = ("undisclosed", "contested")

BY_HAND = {
    ("architectures", "mixtral-8x22b-v0.1", "vocabulary"): "the instructed variant has another",
    ("architectures", "gemma-7b", "feedforward_size"): "confirmed: the report prints twice as much",
    ("architectures", "snowflake-arctic", "feedforward_size"): "a dense branch stands beside the experts",
    ("architectures", "deepseek-v2", "feedforward_size"): "the first layer is dense",
    ("benchmarks", "gpt-4", "gsm8k_modifier"): "trained on the training set of the benchmark",
    ("benchmarks", "gpt-3.5-turbo", "release_date"): "the date of another model; no fact of the cohort",
    ("environment", "gemma-7b", "gpus"): "a second model shares the emissions",
} | {
    (name, model, "release_date"): "right of one thing and not of another: report, announcement, weights"
    for name in ("architectures", "benchmarks", "environment")
    for model in ("mixtral-8x22b-v0.1", "phi-3-mini-4k")
}
# Cells that say the same as the fact, or more, in other words.
SAME = {
    ("positional_encoding", "RoPE / LongRoPE", "RoPE"),
    ("attention", "GQA; BlockSparse", "GQA, alternating blocksparse"),
}


def cells(name: str, column: str, models: list[str] = COHORT) -> Iterator[tuple[Place, str, str]]:
    for model in models:
        place = (name, model, column)
        if place in CELL:
            yield place, model, CELL[place]


def number(text: str, thousand: int = 1000) -> float | None:
    """The number that a cell prints, such as 15T, 128k or ~172,800."""
    match = re.fullmatch(r"~?([\d.,]+(?:E\+\d+)?)([kKMBT]?)", text)
    if not match:
        return None
    scale = thousand if match[2] in ("k", "K") else SCALE[match[2]]
    return float(match[1].replace(",", "")) * scale


def dates(name: str) -> set[Place]:
    found, last = set(), ""
    for place, model, text in cells(name, "release_date"):
        last = text or last  # the post merges the cells of a maker
        day = datetime.datetime.strptime(last, "%d-%b-%y").date().isoformat()
        if day != FACT[model, "release_date"]["value"]:
            found.add(place)
    return found


def sizes(column: str) -> set[Place]:
    """Cells whose last printed digit is not that of the exact count."""
    found = set()
    for place, model, text in cells("architectures", column):
        exact = MODELS[model].parameters if column == "total_parameters" else MODELS[model].active_parameters
        digits = len(text.removesuffix("B").partition(".")[2])
        if text and f"{exact / 1e9:.{digits}f}B" != text:
            found.add(place)
    return found


def vocabularies() -> set[Place]:
    return {
        place
        for place, model, text in cells("architectures", "vocabulary")
        if number(text) != MODELS[model].vocabulary
    }


def tokens() -> set[Place]:
    found = set()
    for place, model, text in cells("architectures", "training_tokens"):
        fact = FACT[model, "training_tokens"]
        if not fact["value"] or number(text) != float(fact["value"]) or "T+" in fact["note"]:
            found.add(place)
    return found


def contexts(column: str) -> set[Place]:
    found = set()
    for place, model, text in cells("architectures", column):
        fact = FACT[model, column]
        offered = {float(fact["value"])} if fact["value"] else set()
        if column == "inference_context" and "variant for 128K" in fact["note"]:
            offered.add(131072.0)
        if not offered or {number(part, 1024) for part in text.split("; ")} != offered:
            found.add(place)
    return found


def words(column: str, field: str) -> set[Place]:
    found = set()
    for place, model, text in cells("architectures", column):
        fact = FACT[model, field]
        same = text.lower() == fact["value"].lower() or (column, text, fact["value"]) in SAME
        if not same or fact["status"] in UNSURE:
            found.add(place)
    return found


def feedforward() -> set[Place]:
    return {place for place, _, text in cells("architectures", "feedforward_size") if number(text) is None}


def printed(model: str, column: str) -> list[dict[str, str]]:
    names = {model, "mixtral-8x22b-instruct-v0.1"} if model == "mixtral-8x22b-v0.1" else {model}
    benchmarks = {BENCHMARK[column]} | ({"HumanEval+/MBPP+ mean"} if column == "humaneval" else set())
    return [row for row in SCORES if row["model"] in names and row["benchmark"] in benchmarks]


EVERYONE = list(dict.fromkeys(row["model"] for row in POST if row["table"] == "benchmarks"))


def scores(column: str) -> set[Place]:
    """Cells that no sure source prints while one prints another, and cells whose variant can be mistaken."""
    found = set()
    for place, model, text in cells("benchmarks", column, EVERYONE):
        rows = printed(model, column)
        if not text:
            found.add(place)
            continue
        same = [row for row in rows if float(row["value"]) == float(text)]
        sure = [row for row in rows if row["status"] not in UNSURE]
        of = {row["benchmark"] for row in same}
        variants = {row["variant"] for row in same}
        other = {row["variant"] for row in rows} - variants - {"instruct-sft"}
        outdated = not any(row in sure for row in same) and bool(sure)
        if not same or outdated or BENCHMARK[column] not in of or "base" in variants or other:
            found.add(place)
    return found


def modifiers(column: str) -> set[Place]:
    """Cells whose shots or chain of thought are not those that the source of the score states."""
    found = set()
    for place, model, text in cells("benchmarks", f"{column}_modifier", EVERYONE):
        right = CORRECTED.get(("benchmarks", model, column), {"corrected": ""})["corrected"]
        rows = printed(model, column)
        wanted = [{CELL["benchmarks", model, column]}, set(re.findall(r"\d+\.\d+", right))]
        by_value = [
            [row for row in rows if any(v and float(v) == float(row["value"]) for v in w)] for w in wanted
        ]
        sure = [[row for row in group if row["status"] != "contested"] for group in by_value]
        told = sure[0] or sure[1] or by_value[0] or by_value[1]
        shots = re.match(r"(\d+)-shot", text)
        said = (shots[1] if shots else None, "CoT" if "CoT" in text else "")
        if told and said not in {(row["shots"], row["prompting"]) for row in told}:
            found.add(place)
    return found


def published(model: str, field: str) -> dict[str, str] | None:
    """What a maker publishes of its run."""
    row = RUNS.get((model, field))
    return row if row and row["value"] and row["status"] != "contested" else None


def hours() -> set[Place]:
    found = set()
    for place, model, text in cells("environment", "gpu_hours"):
        row = published(model, "accelerator_hours")
        if row and (number(text) != float(row["value"]) or "at most" in row.values()):
            found.add(place)
    return found


def devices() -> set[Place]:
    return {
        place
        for place, model, text in cells("environment", "gpus")
        if published(model, "accelerator_count") and not text
    }


def emissions() -> set[Place]:
    return {
        place
        for place, model, text in cells("environment", "claimed_emissions")
        if (row := published(model, "co2e_t")) and number(text) != float(row["value"])
    }


def filled(column: str) -> set[Place]:
    """Columns whose every number needs a remark: what the post calls a draw is a rating, and so on."""
    return {place for place, _, text in cells("environment", column) if text}


RULES = {
    **{(name, "release_date"): dates(name) for name in ("architectures", "benchmarks", "environment")},
    **{("architectures", name): sizes(name) for name in ("total_parameters", "active_parameters")},
    ("architectures", "vocabulary"): vocabularies(),
    ("architectures", "training_tokens"): tokens(),
    **{("architectures", name): contexts(name) for name in ("training_context", "inference_context")},
    ("architectures", "attention"): words("attention", "attention_stated"),
    **{
        ("architectures", name): words(name, name)
        for name in ("positional_encoding", "normalisation", "activation", "alignment")
    },
    ("architectures", "feedforward_size"): feedforward(),
    **{("benchmarks", name): scores(name) for name in BENCHMARK},
    **{("benchmarks", f"{name}_modifier"): modifiers(name) for name in BENCHMARK},
    ("environment", "gpu_hours"): hours(),
    ("environment", "gpus"): devices(),
    ("environment", "claimed_emissions"): emissions(),
    **{("environment", name): filled(name) for name in ("power_draw", "flops", "assumed_utilisation")},
}


@each_of("key", RULES, ids="/".join)
def test_the_corrections_are_those_that_the_data_ask_for(key: tuple[str, str]) -> None:
    corrected = {place for place in CORRECTED if (place[0], place[2]) == key}
    assert corrected - set(BY_HAND) == RULES[key] - set(BY_HAND)


def test_what_is_corrected_by_hand_is_corrected_and_no_more() -> None:
    assert set(BY_HAND) <= set(CORRECTED)
    assert {(place[0], place[2]) for place in CORRECTED} <= set(RULES), "a column that no rule looks at"


def test_the_columns_without_a_rule_agree_with_the_configs() -> None:
    of = {
        "hidden_size": lambda spec: spec.hidden,
        "layers": lambda spec: len(spec.layers),
        "heads": lambda spec: spec.attention_heads[-1],
    }
    for column, exact in of.items():
        for _, model, text in cells("architectures", column):
            assert int(text) == exact(MODELS[model]), (model, column)
    for _, model, text in cells("architectures", "mixture_of_experts"):
        assert (text != "no") == (MODELS[model].experts is not None)


def test_a_cell_that_stands_in_several_tables_is_judged_alike() -> None:
    for model in COHORT:
        judged = {
            tuple(CORRECTED[place][name] for name in ("corrected", "kind", "status", "source", "note"))
            if (place := (name, model, "release_date")) in CORRECTED
            else None
            for name in ("architectures", "benchmarks", "environment")
        }
        assert len(judged) == 1, model


def test_equal_cells_with_equal_facts_have_one_kind() -> None:
    """The shots that no source states, the power that is a rating, the vocabulary that is rounded."""
    of_kind = {
        "vocabulary": {"imprecise", "unresolved"},
        "power_draw": {"imprecise"},
        "flops": {"wrong"},
        "assumed_utilisation": {"imprecise"},
        "active_parameters": {"imprecise"},
        "total_parameters": {"imprecise"},
    }
    for place, row in CORRECTED.items():
        assert row["kind"] in of_kind.get(place[2], {row["kind"]}), place
        if not row["corrected"]:
            assert row["kind"] == "undisclosed", place
        if " base" in row["corrected"] and place[2] in BENCHMARK:
            assert row["kind"] in ("misleading", "imprecise"), place


def test_a_fact_that_changes_asks_for_another_correction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        FACT, ("dbrx", "training_tokens"), FACT["dbrx", "training_tokens"] | {"value": "13e12"}
    )
    assert tokens() - RULES["architectures", "training_tokens"] == {
        ("architectures", "dbrx", "training_tokens")
    }
    monkeypatch.setitem(CELL, ("benchmarks", "dbrx", "mmlu"), "73.9")
    assert scores("mmlu") - RULES["benchmarks", "mmlu"] == {("benchmarks", "dbrx", "mmlu")}
    monkeypatch.setitem(CELL, ("environment", "llama-3-8b", "gpu_hours"), "1.4M")
    assert hours() - RULES["environment", "gpu_hours"] == {("environment", "llama-3-8b", "gpu_hours")}
