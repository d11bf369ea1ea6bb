"""Write ``kept.json``: the bytes that autograd keeps of small models of transformers, as they run.

Run from the repository root, with the ``oracle`` extra and peft installed:
``python tests/oracles/make_kept.py``.
Each model reads two sequences on the CPU while `torch.autograd.graph.saved_tensors_hooks` lists the tensors
that it saves. Each storage is counted once. What is no number of a token is left out: parameters and their
copies, tables of positions, indices.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import reference
from make_cases import small

KEPT = Path(__file__).with_name("kept.json")
BATCH, LENGTH = 2, 32
MOE = {"num_experts_per_tok": 2, "moe_intermediate_size": 40}  # widths that fast kernels accept
WINDOW = {"sliding_window": 16}
GEMMA = {"head_dim": 20, "query_pre_attn_scalar": 20, **WINDOW}
PHI3 = {"pad_token_id": 0}
SHORT = {"layer_types": ["conv", "full_attention", "conv"], "block_auto_adjust_ff_dim": False}
NO_DROPOUT = {"attn_pdrop": 0.0, "resid_pdrop": 0.0, "embd_pdrop": 0.0}  # masks have other types on a device
GPT2 = {"model_type": "gpt2", "n_embd": 96, "n_layer": 3, "n_head": 8, "vocab_size": 211, "n_positions": 80}
EAGER = {"attention": "eager"}
AUTOCAST = {"recipe": "autocast"}
LORA = {"adapter_rank": 4}
ATTENTION = {**LORA, "adapter_targets": "attention"}
AGAIN = {"recompute": "full"}


class Case(NamedTuple):
    """A model, and how its step runs: the arguments of `training_memory`, and its kind of attention."""

    name: str
    config: dict[str, Any]
    how: dict[str, Any]


MODELS = {
    "llama": small("llama"),
    "llama, tied": small("llama", tie_word_embeddings=True),
    "qwen2": small("qwen2"),
    "qwen3": small("qwen3", head_dim=20),
    "mistral with a window": small("mistral", **WINDOW),
    "granite": small("granite"),
    "gemma": small("gemma", head_dim=20),
    "gemma2": small("gemma2", **GEMMA),
    "gemma3": small("gemma3_text", **GEMMA),
    "gemma3 with one key": small("gemma3_text", num_key_value_heads=1, **GEMMA),
    "olmo2": small("olmo2"),
    "phi": small("phi"),
    "phi3": small("phi3", **PHI3),
    "opt": {
        "model_type": "opt",
        "hidden_size": 96,
        "ffn_dim": 130,
        "num_hidden_layers": 3,
        "vocab_size": 211,
        "num_attention_heads": 8,
        "max_position_embeddings": 80,
        "word_embed_proj_dim": 96,
        "dropout": 0.0,
    },
    "cohere2": small("cohere2", sliding_window=64),
    "apertus": small("apertus"),
    "gpt2": {**GPT2, **NO_DROPOUT},
    "qwen3_moe": small("qwen3_moe", head_dim=24, num_experts=8, **MOE),
    "mixtral": small("mixtral", intermediate_size=136, num_local_experts=4, num_experts_per_tok=2),
    "gpt_oss": small(
        "gpt_oss", head_dim=24, intermediate_size=136, num_local_experts=8, num_experts_per_tok=2, **WINDOW
    ),
    "deepseek_v2": small(
        "deepseek_v2",
        num_key_value_heads=8,
        kv_lora_rank=32,
        q_lora_rank=None,
        qk_rope_head_dim=16,
        qk_nope_head_dim=24,
        v_head_dim=24,
        n_routed_experts=8,
        n_shared_experts=2,
        first_k_dense_replace=1,
        n_group=1,
        topk_group=1,
        **MOE,
    ),
    "lfm2": small("lfm2", **SHORT),
}
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((name, {}) for name in MODELS if name not in ("gemma2", "gpt_oss", "deepseek_v2")),
    *((name, EAGER) for name in ("llama", "qwen3", "gemma2", "gpt2", "gpt_oss", "deepseek_v2")),
    *((name, AUTOCAST) for name in ("llama", "qwen3", "gemma3", "phi", "olmo2")),
    *((name, LORA) for name in ("llama", "qwen3", "gemma3")),
    ("llama", ATTENTION),
    ("llama", {**LORA, **AUTOCAST}),
    ("llama", {**LORA, **EAGER}),
    ("llama", AGAIN),
    ("llama", {**AGAIN, **AUTOCAST}),
)
CASES = [
    Case(", ".join([name, *map(str, how.values())]), MODELS[name], how) for name, how in STEPS
]  # the values name the step well enough


def count(case: Case) -> dict[str, int]:
    """Return the bytes kept in the layers, and after them: the last normalisation, the head and the loss."""
    import torch

    torch.manual_seed(0)
    model = _model(case)
    own = _own(model)
    kept: dict[int, tuple[int, bool]] = {}
    inside: list[str] = []
    tables: set[int] = set()
    for name, module in model.named_modules():
        if name.rpartition(".")[0].endswith((".layers", ".h")):
            module.register_forward_pre_hook(lambda *_: inside.append("layer"))
            module.register_forward_hook(lambda *_: inside.clear(), always_call=True)
        if name.endswith("rotary_emb"):
            module.register_forward_hook(lambda _m, _i, made: tables.update(map(_place, made)))

    def pack(tensor: Any) -> Any:
        place = _place(tensor)
        if (
            (tensor.is_floating_point() or tensor.dtype == torch.bool)
            and place not in kept
            and not own(tensor)
        ):
            kept[place] = tensor.untyped_storage().nbytes(), bool(inside)
            held.append(tensor)
        return tensor

    held: list[Any] = []  # so that no storage is given twice
    tokens = torch.randint(1, case.config["vocab_size"], (BATCH, LENGTH))
    autocast = case.how.get("recipe") == "autocast"
    context = torch.autocast("cpu", dtype=torch.bfloat16) if autocast else contextlib.nullcontext()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), context:
        model(input_ids=tokens, labels=tokens)
    sizes = [each for place, each in kept.items() if place not in tables]
    return {
        part: sum(size for size, layer in sizes if layer == (part == "layers"))
        for part in ("layers", "after")
    }


def _place(tensor: Any) -> int:
    return int(tensor.untyped_storage().data_ptr())


def _own(model: Any) -> Any:
    """Return what tells parameters and their copies, by their place and their shape."""
    places = {_place(each) for each in [*model.parameters(), *model.buffers()]}
    shapes = {each.shape for each in model.parameters()}
    shapes |= {each.shape[::-1] for each in model.parameters()}
    return lambda tensor: _place(tensor) in places or tensor.shape in shapes or tensor.ndim == 0


def _model(case: Case) -> Any:
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    adapted, autocast = case.how.get("adapter_rank"), case.how.get("recipe") == "autocast"
    model = transformers.AutoModelForCausalLM.from_config(
        reference._settings(case.config),
        dtype=torch.float32 if autocast and not adapted else torch.bfloat16,
        attn_implementation=case.how.get("attention", "sdpa"),
    ).train()
    if case.how.get("recompute") == "full":
        model.gradient_checkpointing_enable()
    if adapted:
        from peft import LoraConfig, get_peft_model

        attention = case.how.get("adapter_targets") == "attention"
        targets = ["q_proj", "k_proj", "v_proj", "o_proj"] if attention else "all-linear"
        model = get_peft_model(model, LoraConfig(r=adapted, target_modules=targets, task_type="CAUSAL_LM"))
    return model


def lines() -> Iterator[str]:
    """Yield each case with its counts, as a line of JSON."""
    for case in CASES:
        yield json.dumps({**case._asdict(), **count(case)})


def main() -> None:
    """Count every case and write the answers, one a line."""
    made = list(lines())
    KEPT.write_text("[\n" + ",\n".join(made) + "\n]\n", encoding="utf-8")
    print(f"{len(made)} counts in {KEPT.name}")


if __name__ == "__main__":
    main()
