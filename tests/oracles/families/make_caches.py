"""Write ``caches.jsonl``: what the cache of every small decoder holds: ``python make_caches.py FOLDER [TYPE ...]``.

Each small shape of ``bases.jsonl`` reads a text of 3, 20 and 40 tokens (its window is 16) with random weights, and the
numbers that its cache then keeps are counted. A windowed layer of the reference that is full keeps a token
less than its window, for the next one comes on top: `behind` has the numbers of one token of all such layers.
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
from pathlib import Path
from typing import Any

import arbiter
import forked
import torch
import transformers

CONTEXTS, WINDOW = (3, 20, 40), 16


def tensors(layer: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors that one layer of a cache keeps, by name."""
    found: dict[str, tuple[int, ...]] = {}

    def walk(name: str, value: Any, depth: int) -> None:
        if isinstance(value, torch.Tensor):
            if value.numel() and value.ndim and not name.endswith(("cumulative_length", "cache_position")):
                found[name] = tuple(value.shape)
        elif isinstance(value, dict | list | tuple) and depth:
            entries = value.items() if isinstance(value, dict) else enumerate(value)
            for key, each in entries:
                walk(f"{name}.{key}", each, depth - 1)

    for name, value in vars(layer).items():
        walk(name, value, 2)
    return found


def settings(row: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a shape that can run: latent attention has one key-value head a head."""
    fields = dict(row["config"])
    if "qk_rope_head_dim" in fields and row["type"] != "bailing_hybrid":
        fields.pop("head_dim", None)  # follows from the other sizes; another value would break the rotation
        fields["num_key_value_heads"] = fields["num_attention_heads"]
    return fields


def work(row: dict[str, Any]) -> dict[str, Any]:
    """Return the caches of one small shape."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    fields = settings(row)
    arbiter._without_timm()
    model = getattr(transformers, arbiter.types()[row["type"]]["class"])(
        arbiter.settings(dict(fields))
    ).eval()
    for name in ("set_experts_implementation", "set_attn_implementation"):
        with contextlib.suppress(AttributeError, ValueError, NotImplementedError):
            getattr(model, name)("eager")
    caches = []
    for context in CONTEXTS:
        tokens = torch.randint(3, 200, (1, context))
        with torch.no_grad():
            output = model(input_ids=tokens, use_cache=True)
        cache = getattr(output, "past_key_values", None) or output.cache_params
        held, behind = 0, 0
        for layer in getattr(cache, "layers", [cache]):
            for name, shape in tensors(layer).items():
                held += math.prod(shape)
                full = "Sliding" in type(layer).__name__ and name in ("keys", "values") and context >= WINDOW
                behind += math.prod(shape) // shape[2] if full and shape[2] == WINDOW - 1 else 0
        caches.append({"context": context, "held": held, "behind": behind})
    return {"type": row["type"], "variant": row["variant"], "config": fields, "caches": caches}


def main() -> None:
    """Fill the cache of every decoder, one after another."""
    folder, only = Path(sys.argv[1]), set(sys.argv[2:])
    rows = [json.loads(line) for line in (folder / "bases.jsonl").read_text(encoding="utf-8").splitlines()]
    kinds = arbiter.types()
    chosen = {
        f"{row['type']}|{row['variant']}": row
        for row in rows
        if (not only or row["type"] in only) and kinds[row["type"]]["kind"] == "decoder"
        and row["total"] < 40_000_000 and "biases" not in row["variant"]
    }  # fmt: skip
    with open(folder / "caches.jsonl", "w", encoding="utf-8") as file:
        for name, result, error in forked.each(chosen, lambda key: work(chosen[key]), seconds=60):
            if error:
                print(name, error, flush=True)
            else:
                file.write(json.dumps(result) + "\n")
                file.flush()


if __name__ == "__main__":
    main()
