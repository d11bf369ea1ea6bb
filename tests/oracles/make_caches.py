"""Write ``caches.json``: what the caches of reference implementations hold, number by number.

Run from the repository root, with the ``oracle`` extra installed: ``python tests/oracles/make_caches.py``.
Each small model of transformers reads a text and one more token, and the tensors that its attention then
works on are counted: keys and values as the cache hands them out, compressed entries, keys of indexers, and
states.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import reference
from make_cases import change, small

CACHES = Path(__file__).with_name("caches.json")
LATENT = {
    "kv_lora_rank": 28, "q_lora_rank": 44, "qk_rope_head_dim": 10, "qk_nope_head_dim": 14, "v_head_dim": 18,
    "num_key_value_heads": 8, "moe_intermediate_size": 36, "n_routed_experts": 6, "num_experts_per_tok": 2,
    "first_k_dense_replace": 1, "n_group": 1, "topk_group": 1,
}  # fmt: skip
UNREAD = {  # by DeepSeek-V4, whose class calls the width of an expert intermediate_size too
    "intermediate_size", "kv_lora_rank", "qk_nope_head_dim", "v_head_dim", "first_k_dense_replace", "n_group",
    "topk_group",
}  # fmt: skip
INDEX = {"index_n_heads": 3, "index_head_dim": 14, "index_topk": 7}
LINEAR = {
    "num_hidden_layers": 4, "head_dim": 20, "num_experts": 6, "num_experts_per_tok": 2,
    "moe_intermediate_size": 36, "shared_expert_intermediate_size": 44, "linear_num_key_heads": 2,
    "linear_num_value_heads": 6, "linear_key_head_dim": 14, "linear_value_head_dim": 18,
    "linear_conv_kernel_dim": 3,
}  # fmt: skip
COMPRESSED = change(
    {each: size for each, size in small("deepseek_v4", **{**LATENT, **INDEX}).items() if each not in UNREAD},
    num_key_value_heads=1, head_dim=20, o_groups=4, o_lora_rank=6, hc_mult=2, sliding_window=5,
    num_hidden_layers=4, compress_ratios=[0, 4, 128, 4],
)  # fmt: skip
GEMMA4 = small(
    "gemma4_text", num_hidden_layers=6, head_dim=20, global_head_dim=28, hidden_size_per_layer_input=0,
    num_global_key_value_heads=1, sliding_window=16, attention_k_eq_v=True,
)  # fmt: skip

MODELS = {
    "grouped queries": small("llama"),
    "a window in every layer": small("mistral", sliding_window=16),
    "a window in every second layer": small("gemma2", head_dim=20, sliding_window=16),
    "learned sinks, which store nothing": small(
        "gpt_oss", head_dim=20, num_local_experts=6, num_experts_per_tok=2, sliding_window=16
    ),
    "shared values, which are cached all the same": GEMMA4,
    "a latent vector with an indexer": small("deepseek_v32", **{**LATENT, **INDEX}),
    "a window, short and long blocks": COMPRESSED,
    "gated delta layers": small("qwen3_next", **LINEAR),
    "linear layers": small(
        "minimax", num_hidden_layers=4, head_dim=20, num_local_experts=6, num_experts_per_tok=2
    ),
}
CONTEXTS = (3, 16, 40, 300)


def count(config: dict[str, Any], context: int) -> dict[str, int]:
    """Return the numbers in the cache of one sequence while its last token is read: ``cached``, ``state``."""
    import torch

    torch.manual_seed(0)
    model = reference.instantiate(config, device="cpu").eval()
    model.set_experts_implementation("eager")  # the fast ones refuse odd widths
    tokens = torch.randint(1, config["vocab_size"], (1, context))
    handed: dict[int, int] = {}
    with torch.no_grad():
        output = model(tokens[:, :-1], use_cache=True)
        cache = output.past_key_values
        cache.update = _watched(cache.update, handed)
        model(tokens[:, -1:], past_key_values=cache, use_cache=True)
    cached, state = sum(handed.values()), 0
    for layer in cache.layers:
        cached += _size(getattr(layer, "indexer_keys", None))
        cached += _size(getattr(layer, "compressed_kv", None))
        cached += _size(getattr(layer, "conv_states", None))
        waiting = ("buffer_kv", "buffer_gate", "overlap_kv", "overlap_gate")  # for their block to be full
        state += sum(_size(getattr(layer, name, None)) for name in ("recurrent_states", *waiting))
    state += sum(each.numel() for each in getattr(cache, "linear_cache", []) if len(each))
    return {"cached": cached, "state": state}


def _watched(update: Callable[..., Any], handed: dict[int, int]) -> Callable[..., Any]:
    """Return `update`, noting for each layer how many numbers it hands to the attention."""

    def watched(keys: Any, values: Any, layer: int, *arguments: Any, **named: Any) -> Any:
        returned = keys, values = update(keys, values, layer, *arguments, **named)
        same = keys.shape == values.shape and bool((keys == values).all())  # one vector that is both
        handed[layer] = keys.numel() + (0 if same else values.numel())
        return returned

    return watched


def _size(states: Any) -> int:
    if states is None:
        return 0
    if isinstance(states, dict):
        return sum(_size(each) for each in states.values())
    return sum(_size(each) for each in states) if isinstance(states, (list, tuple)) else states.numel()


def main() -> None:
    """Count every model at every context and write the answers, one a line."""
    lines = [
        json.dumps({"name": name, "context": context, "config": config, **count(config, context)})
        for name, config in MODELS.items()
        for context in CONTEXTS
    ]
    CACHES.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    print(f"{len(lines)} caches in {CACHES.name}")


if __name__ == "__main__":
    main()
