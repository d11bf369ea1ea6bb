"""Every causal class of the reference library: recorded counts, and one field changed at a time."""

from __future__ import annotations

import copy
import json
import lzma
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cohort
from cohort.errors import ConfigError

FOLDER = Path(__file__).parent / "families"
TYPES = json.loads((FOLDER / "types.json").read_text(encoding="utf-8"))["types"]
SAMPLE = 3_000  # mutations at each push; all of them once a week
LONGEST = 160  # characters of a refusal

# Shapes in which the reference class reads other fields than the release was made with.
ARBITER_ERRS = {
    ("mimo_v2_flash", "small: released"): "the class ignores hybrid_layer_pattern and the swa_* fields",
}
NO_ROW = "no row yet: a part of its own"
# Types that are refused, all variants of them, and why.
REFUSED = {
    "blt": "bytes in patches: four transformers of which none is the decoder alone",
    "gemma4_assistant": "drafts for another model and reads its caches",
    "gemma4_unified_assistant": "drafts for another model and reads its caches",
    "inkling_text": NO_ROW,
    "inkling2_text": NO_ROW,
    "inkling2_loop_text": NO_ROW,
    "qwen4_exp_text": NO_ROW,
    "evolla": "its decoder attends to proteins",
    "idefics": "cross-attention of a kind of its own",
    "inkling_mm_model": NO_ROW,
    "inkling2": NO_ROW,
    "inkling2_loop": NO_ROW,
    "mistral_large4": NO_ROW,
    "muse_spark": NO_ROW,
    "qwen4_exp": NO_ROW,
}


def rows(name: str) -> list[dict[str, Any]]:
    """Return the recorded rows of a file."""
    return [
        json.loads(line) for line in lzma.decompress((FOLDER / f"{name}.jsonl.xz").read_bytes()).splitlines()
    ]


CASES = rows("cases")
BASES = {(case["type"], case["variant"]): case["config"] for case in CASES}


def mutated(row: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a mutation."""
    config = copy.deepcopy(BASES[row["type"], row["base"]])
    inner = config
    for name in row["path"]:
        inner = inner.setdefault(name, {})
    if row["op"] == "drop":
        inner.pop(row["field"], None)
    else:
        inner[row["field"]] = row["value"]
    return config


def judged(config: dict[str, Any], row: dict[str, Any]) -> str:
    """Return ``exact``, ``refused``, or what is wrong; only a readable refusal may be raised."""
    try:
        model = cohort.model(config)
    except ConfigError as error:
        return (
            "refused"
            if len(str(error)) <= LONGEST and "\n" not in str(error)
            else f"{len(str(error))} characters"
        )
    if "total" not in row:  # the reference raises, or says not how many experts a token visits
        return "counted"
    looked_up = model.active_parameters - model.active_parameters_without_embedding
    counted = {"total": model.parameters, "active": model.active_parameters, "embedding": looked_up}
    wanted = {name: row[name] for name in counted if row.get(name) is not None}
    return "exact" if wanted == {name: counted[name] for name in wanted} else f"{counted} for {wanted}"


def verdicts(
    tried: Iterator[tuple[str, dict[str, Any], dict[str, Any]]],
) -> tuple[Counter[str], dict[str, str]]:
    """Return how often each verdict is given, and what is wrong, by name."""
    seen: Counter[str] = Counter()
    wrong: dict[str, str] = {}
    for name, config, row in tried:
        verdict = judged(config, row)
        seen[verdict if verdict in ("exact", "refused", "counted") else "wrong"] += 1
        if verdict not in ("exact", "refused", "counted"):
            wrong[name] = verdict
    return seen, wrong


def test_every_case_is_exact_or_refused() -> None:
    tried = (
        (f"{case['type']}: {case['variant']}", case["config"], case)
        for case in CASES
        if (case["type"], case["variant"]) not in ARBITER_ERRS
    )
    seen, wrong = verdicts(tried)
    assert wrong == {}
    assert seen["exact"] >= 900


def test_the_types_that_are_counted() -> None:
    exact = {
        kind: {case["type"] for case in CASES if TYPES[case["type"]] == kind and _is_exact(case)}
        for kind in ("decoder", "multimodal")
    }
    missing = {name for name, kind in TYPES.items() if kind in exact and name not in exact[kind]}
    assert missing == set(REFUSED)
    assert len(exact["decoder"]) >= 140
    assert len(exact["multimodal"]) >= 65


def _is_exact(case: dict[str, Any]) -> bool:
    return judged(case["config"], case) == "exact"


def _mutations(lines: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for row in lines:
        if (row["type"], row["base"]) not in ARBITER_ERRS:
            value = "" if row["op"] == "drop" else f" = {row['value']!r}"
            yield f"{row['type']}, {row['base']}: {row['op']} {row['field']}{value}", mutated(row), row


def test_a_changed_field_is_counted_or_named() -> None:
    seen, wrong = verdicts(_mutations(random.Random(0).sample(rows("mutations"), SAMPLE)))
    assert wrong == {}
    assert seen["exact"] >= SAMPLE / 2


@pytest.mark.weekly
def test_every_changed_field_is_counted_or_named() -> None:
    seen, wrong = verdicts(_mutations(rows("mutations")))
    assert wrong == {}
    assert seen.total() >= 10_000
