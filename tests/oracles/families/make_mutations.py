"""Write ``mutations.jsonl``: one field of a small config changed, and what the arbiter then counts.

``python make_mutations.py FOLDER [--cap N] [--seed N] [--types TYPE ...]``. A row names its type, the base (a variant of
``cases.jsonl``), where the field lies, what was done (``set`` or ``drop``) with which value, and the arbiter's
answer: total, active and embedding, or ``raises`` with the reason.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import arbiter
import bases
import forked

SKIP = {"model_type", "architectures", "vocabulary_map", "name", "return_dict"}
ACTS = ("hidden_act", "hidden_activation", "activation_function", "mlp_hidden_act")


def alternatives(name: str, value: Any, kind: str) -> Iterator[Any]:
    """Yield other values of a field, of the same kind and of those that a config may hold in its place."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (v for v in (value + 1, value * 2, max(1, value // 2), value + 2, 0) if v != value)
        if "None" in kind:
            yield None
    elif isinstance(value, float):
        yield value / 2 if value else 0.25
    elif isinstance(value, str):
        if name in ACTS:
            yield "relu" if value != "relu" else "gelu"
    elif isinstance(value, list) and value:
        if len(set(map(str, value))) > 1:
            yield value[::-1]
            yield [value[-1]] * len(value)
        yield [value[0]] * len(value)
        yield value[:-1]
        if all(isinstance(each, int) for each in value):
            yield [value[0] + 1, *value[1:]]
    elif value is None or value == []:
        if "bool" in kind:
            yield True
        if "list[str]" in kind or ("list" in kind and value == []):
            return
        if "int" in kind:
            yield from (2, 24)


def fields(config: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any, str]]:
    """Yield every field of the decoder in a config as the class writes it out: place, name, value, type."""
    written = json.loads(json.dumps(bases.clean(arbiter.settings(config).to_dict()), default=str))
    part = arbiter.settings(config)
    for name in path:
        part = getattr(part, name)
    kinds = {n: str(f.type) for n, f in getattr(type(part), "__dataclass_fields__", {}).items()}
    text = bases.text_of(written, path)
    for name in sorted(set(text) | set(kinds)):
        if name in SKIP or name in bases.NOISE or name.startswith("_") or name.endswith("token_id"):
            continue
        if name not in text and name not in kinds:
            continue
        value = text.get(name)
        if isinstance(value, dict):
            if name.endswith("config") and not name.startswith(("vision", "vq", "protein", "audio", "image")):
                for inner, each in value.items():
                    if inner not in SKIP and inner not in bases.NOISE and not isinstance(each, dict):
                        yield (*path, name), inner, each, type(each).__name__
            continue
        yield path, name, value, kinds.get(name, type(value).__name__)
    for name in getattr(type(part), "attribute_map", {}):
        if name not in text:
            yield path, name, text.get(type(part).attribute_map[name]), "int"
    if path:
        yield (), "tie_word_embeddings", written.get("tie_word_embeddings", False), "bool"


def changed(
    config: dict[str, Any], place: tuple[str, ...], name: str, value: Any, drop: bool
) -> dict[str, Any]:
    """Return a config with one field set or dropped."""
    config = copy.deepcopy(config)
    spot = config
    for part in place:
        spot = spot.setdefault(part, {})
    if drop:
        spot.pop(name, None)
    else:
        spot[name] = value
    return config


def steps(config: dict[str, Any], path: tuple[str, ...]) -> list[tuple[tuple[str, ...], str, Any, bool]]:
    """Return all one-field changes of a config."""
    found = []
    for place, name, value, kind in fields(config, path):
        for other in alternatives(name, value, kind):
            found.append((place, name, other, False))
        spot: Any = config
        for part in place:
            spot = spot.get(part, {}) if isinstance(spot, dict) else {}
        if isinstance(spot, dict) and name in spot:
            found.append((place, name, None, True))
    return found


def answer(config: dict[str, Any]) -> dict[str, Any]:
    """Return the arbiter's count of a config, or why it has none."""
    try:
        config = json.loads(json.dumps(config))
        counted = arbiter.count(config)
    except Exception as error:
        return {
            "raises": f"{type(error).__name__}: {str(error).splitlines()[-1][:120] if str(error) else ''}"
        }
    return {n: v for n, v in counted.items() if n in ("total", "active", "embedding") or (n == "note" and v)}


def main() -> None:
    """Mutate the bases of every type that ``bases.jsonl`` in the folder holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cap", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bases", type=Path)
    parser.add_argument("--out", default="mutations.jsonl")
    parser.add_argument("--types", nargs="*", default=[])
    options = parser.parse_args()
    rows: dict[str, list[dict[str, Any]]] = {}
    for line in (options.bases or options.folder / "bases.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if not options.types or row["type"] in options.types:
            rows.setdefault(row["type"], []).append(row)

    def work(family: str) -> list[dict[str, Any]]:
        found = []
        for row in rows[family]:
            path = tuple(row["path"])
            chosen = steps(row["config"], path)
            cap = options.cap if row["variant"] == "small" else options.cap // 4
            if len(chosen) > cap:
                draw = random.Random(f"{options.seed} {family} {row['variant']}")
                firsts = {}  # every field once, then as many more as there is room for
                for index, (place, name, _, drop) in enumerate(chosen):
                    firsts.setdefault((place, name, drop), index)
                kept = set(firsts.values())
                if len(kept) > cap:
                    kept = set(draw.sample(sorted(kept), cap))
                rest = [i for i in range(len(chosen)) if i not in kept]
                kept |= set(draw.sample(rest, max(0, min(len(rest), cap - len(kept)))))
                chosen = [chosen[i] for i in sorted(kept)]
            for place, name, value, drop in chosen:
                counted = answer(changed(row["config"], place, name, value, drop))
                found.append(
                    {
                        "type": family,
                        "base": row["variant"],
                        "path": list(place),
                        "field": name,
                        "op": "drop" if drop else "set",
                        **({} if drop else {"value": value}),
                        **counted,
                    }
                )
        return found

    with open(options.folder / options.out, "w", encoding="utf-8") as file:
        for family, result, error in forked.each(rows, work, seconds=400):
            if error:
                print(family, error, flush=True)
            for row in result or []:
                file.write(json.dumps(row) + "\n")
            file.flush()


if __name__ == "__main__":
    main()
