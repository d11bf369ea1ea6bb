"""Count the weights of text decoders by instantiating the classes of transformers on the meta device.

The arbiter of the counts: nothing here comes from the package under test.

Conventions
-----------
total
    Every registered parameter of the text decoder, its embeddings and its head; a tied matrix once. No buffers,
    no vision or audio towers and no projectors into the decoder, no multi-token-prediction heads.
active
    ``total`` less the routed experts that one text token does not visit. A routed tensor belongs to a module
    of experts and has one slice for each expert (its first dimension), or is one of a list of expert modules;
    of ``E`` slices ``k`` are visited, so ``numel * (E - k) / E`` is idle. Router, shared experts and zero
    experts (which hold no weights) are visited by every token.
embedding
    The input embedding where it is not tied to the head (0 where it is): what a token merely looks up.
"""

from __future__ import annotations

import copy
import re
import warnings
from typing import Any

import torch
import transformers
from torch import nn
from transformers import AutoConfig
from transformers.models.auto import modeling_auto
from transformers.models.llama import modeling_llama  # noqa: F401  (imported before a process is forked)
from transformers.models.qwen2_vl import modeling_qwen2_vl  # noqa: F401

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity(50)

NOT_DECODER_ONLY = dict.fromkeys(
    [
        "bart",
        "bigbird_pegasus",
        "blenderbot",
        "blenderbot-small",
        "marian",
        "mbart",
        "mvp",
        "pegasus",
        "plbart",
        "prophetnet",
        "trocr",
        "whisper",
        "musicgen",
        "musicgen_melody",
    ],
    "decoder half of an encoder-decoder",
) | dict.fromkeys(
    [
        "bert",
        "bert-generation",
        "big_bird",
        "camembert",
        "data2vec-text",
        "electra",
        "ernie",
        "megatron-bert",
        "rembert",
        "roberta",
        "roberta-prelayernorm",
        "roc_bert",
        "roformer",
        "xlm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xlnet",
        "xmod",
        "reformer",
    ],
    "encoder with an optional causal mask",
)
NOT_TEXT_DECODER = dict.fromkeys(
    ["florence2", "pix2struct", "t5gemma2", "udop", "pp_formulanet", "vision-encoder-decoder"],
    "encoder-decoder",
) | {
    "blip": "captioner whose decoder is a BERT with cross-attention",
    "git": "captioner whose decoder is a BERT",
    "pi0": "policy of a robot: no language head",
    "kyutai_speech_to_text": "speech stream: its embedding holds the audio codebooks",
}
BOTH = {  # of the causal mapping, though their config nests a text config: counted as multimodal
    "dots3_note", "emu3", "fuyu", "gemma3", "gemma3n", "gemma4", "gemma4_unified", "git", "got_ocr2", "llama4",
    "mllama", "moss_transcribe_diarize", "phi4_multimodal", "qwen3_5", "qwen3_5_moe", "qwen4_exp",
}  # fmt: skip
SPEECH = {"audioflamingo3", "musicflamingo"}  # decoders of text that only the mapping of sequences lists
DRAFTERS = {"gemma4_assistant", "gemma4_unified_assistant"}  # heads that draft for another model

OUTSIDE = {  # parameters that are no part of the text decoder, where it is not a module of its own
    "phi4_multimodal": r"embed_tokens_extend|image_embed|audio_embed",
    "chameleon": r"vqmodel",
    "evolla": r"protein_encoder|sequence_compressor",
    "idefics": r"vision_model|perceiver_resampler",
    "git": r"image_encoder|visual_projection|img_temporal",
    "fuyu": r"vision_embed_tokens",
    "*": r"(^|\.)(mtp|mtp_layers|nextn\w*)\.",
}
INSIDE = {  # prefixes of the text decoder, where the class does not say which it is
    "qwen2_5_omni": ("thinker.model.language_model.", "thinker.model.embed_tokens", "thinker.lm_head", "thinker.model.layers", "thinker.model.norm"),
    "qwen3_omni_moe": ("thinker.model.language_model.", "thinker.lm_head", "thinker.model.layers", "thinker.model.norm"),
}  # fmt: skip
TOP_K = (
    "num_experts_per_tok",
    "top_k",
    "top_k_experts",
    "moe_topk",
    "moe_k",
    "num_experts_per_token",
    "moe_top_k",
)


def types() -> dict[str, dict[str, Any]]:
    """Return every causal and multimodal type of the installed transformers: its class, kind and status."""
    found: dict[str, dict[str, Any]] = {}
    causal = dict(modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    wide = dict(modeling_auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES)
    wide |= dict(modeling_auto.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)
    speech = dict(modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES)
    wide |= {name: speech[name] for name in SPEECH if name in speech}
    for name, cls in causal.items():
        if name in BOTH and name in wide:
            continue
        kind = "excluded" if name in NOT_DECODER_ONLY else "decoder"
        found[name] = {"class": _one(cls), "kind": kind, "reason": NOT_DECODER_ONLY.get(name, "")}
        if name in DRAFTERS:
            found[name]["reason"] = "drafts for another model: its projections are counted too"
    for name, cls in wide.items():
        kind = "excluded" if name in NOT_TEXT_DECODER else "multimodal"
        if name == "mistral4":
            kind = "decoder"
        found[name] = {"class": _one(cls), "kind": kind, "reason": NOT_TEXT_DECODER.get(name, "")}
    return dict(sorted(found.items()))


def _one(cls: Any) -> str:
    return cls if isinstance(cls, str) else cls[0]


def _without_timm() -> None:
    """Let towers of timm be empty modules: the text decoder beside them is all that is counted."""
    from transformers.models.timm_wrapper import modeling_timm_wrapper

    def empty(self: Any, config: Any) -> None:
        modeling_timm_wrapper.TimmWrapperPreTrainedModel.__init__(self, config)
        self.timm_model = nn.Module()
        self.post_init()

    modeling_timm_wrapper.TimmWrapperModel.__init__ = empty
    modeling_timm_wrapper.TimmWrapperPreTrainedModel._timm_model_supports_gradient_checkpointing = (
        lambda self: False
    )


def settings(config: dict[str, Any]) -> Any:
    """Return the configuration object of a config, as loading a ``config.json`` makes it."""
    fields = copy.deepcopy(config)
    fields.pop("quantization_config", None)
    return AutoConfig.for_model(fields.pop("model_type"), **fields)


def instantiate(config: dict[str, Any], cls: str | None = None) -> Any:
    """Return the model of a config without weights."""
    _without_timm()
    given = settings(config)
    cls = cls or types()[config["model_type"]]["class"]
    with torch.device("meta"):
        return getattr(transformers, cls)(given)


def parameters(model: Any, family: str, kind: str) -> dict[str, Any]:
    """Return the distinct named parameters of the text decoder."""
    named = dict(model.named_parameters())  # lists a tied weight once
    outside = re.compile("|".join(OUTSIDE[name] for name in (family, "*") if name in OUTSIDE))
    if family in INSIDE:
        named = {name: value for name, value in named.items() if name.startswith(INSIDE[family])}
    elif kind == "multimodal" and family not in OUTSIDE:
        decoder = model.get_decoder()
        if decoder is None or decoder is model:
            raise LookupError("the class does not say which of its modules is the text decoder")
        parts = [decoder, model.get_input_embeddings(), model.get_output_embeddings()]
        wanted = {id(value) for part in parts if part is not None for value in part.parameters()}
        named = {name: value for name, value in named.items() if id(value) in wanted}
    return {name: value for name, value in named.items() if not outside.search(name)}


def routing(model: Any) -> list[dict[str, Any]]:
    """Return each module of routed experts: its name, the experts it holds and how many a token visits."""
    found, modules = [], dict(model.named_modules())
    for name, module in modules.items():
        kind, parent = type(module).__name__, modules.get(name.rpartition(".")[0])
        last = name.rpartition(".")[2]
        if kind == "JetMoeParallelExperts":
            owner = parent
            found.append(
                {"name": name, "experts": module.num_experts, "k": owner.router.top_k, "by": "router"}
            )
        elif kind == "DogeCDMoE":
            for part in ("down_embed", "up_embed"):
                found.append(
                    {"name": f"{name}.{part}", "experts": module.num_experts, "k": module.top_k, "by": kind}
                )
        elif last == "experts" and kind != "JetMoeMoA" and any(True for _ in module.parameters()):
            is_list = isinstance(module, nn.ModuleList)
            count = len(module) if is_list else getattr(module, "num_experts", None)
            if not isinstance(count, int):
                count = max(
                    (value.shape[0] for value in module.parameters() if value.dim() == 3), default=None
                )
            if _zero(model):
                count = model.config.get_text_config().n_routed_experts
            k, by = _visited(parent, model, name)
            found.append({"name": name, "experts": count, "k": k, "by": by, "list": is_list})
    return found


def _visited(parent: Any, model: Any, name: str) -> tuple[int, str]:
    for where, owner in [("block", parent), *((f"block.{n}", m) for n, m in parent.named_children())]:
        for field in TOP_K:
            value = getattr(owner, field, None)
            if isinstance(value, int) and not isinstance(value, bool):
                return value, f"{where}.{field}"
    config = model.config.get_text_config()
    for field in TOP_K:
        value = getattr(config, field, None)
        if isinstance(value, list):
            value = value[int(re.search(r"layers\.(\d+)\.", name)[1])]
        if isinstance(value, int):
            return value, f"config.{field}"
    raise LookupError(f"how many experts does a token visit in {name}?")


def count(config: dict[str, Any], kind: str | None = None, cls: str | None = None) -> dict[str, Any]:
    """Count the weights of the text decoder of a config: total, active, embedding, and how it routes."""
    family = config["model_type"]
    kind = kind or types()[family]["kind"]
    return count_model(instantiate(config, cls), family, kind)


def count_model(model: Any, family: str, kind: str) -> dict[str, Any]:
    """Count the weights of the text decoder of a model."""
    named = parameters(model, family, kind)
    idle, unused, routes, notes = 0, 0, [], set()
    groups = routing(model)
    for group in groups:
        under = [(n, v) for n, v in named.items() if n.startswith(group["name"] + ".")]
        if not under:
            continue
        experts, k = group["experts"], group["k"]
        stacked = {experts, experts + _zero(model)}
        whole = group.get("list") or family == "dbrx"  # whose experts are rows of one matrix
        routed = [v for n, v in under if whole or (v.dim() >= 2 and v.shape[0] in stacked)]
        size, visited = sum(v.numel() for v in routed), k
        if _zero(model):
            empty = [v for v in routed if v.shape[0] == experts + _zero(model)]
            unused += sum(v.numel() // v.shape[0] * _zero(model) for v in empty)
            size -= sum(v.numel() // v.shape[0] * _zero(model) for v in empty)
            notes.add("active: all visited experts taken as real; the class also allocates zero experts")
        if family.startswith("ernie4_5_vl") and ".vision_moe." in group["name"]:
            visited = 0
            notes.add("a text token visits no vision expert")
        if k > experts:
            notes.add("a token would visit more experts than there are")
        if size * max(0, experts - visited) % max(1, experts):
            raise LookupError(f"the experts of {group['name']} differ in size")
        idle += size * max(0, experts - visited) // max(1, experts)
        routes.append((experts, k, group["by"]))
    total = sum(value.numel() for value in named.values())
    embedding = _embedding(model, named)
    return {
        "total": total - unused,
        "active": total - unused - idle,
        **({"allocated": total} if unused else {}),
        "embedding": embedding,
        "routing": sorted({(e, k, by) for e, k, by in routes}),
        "note": "; ".join(sorted(notes)),
    }


def _zero(model: Any) -> int:
    return getattr(model.config.get_text_config(), "zero_expert_num", 0) or 0


def _embedding(model: Any, named: dict[str, Any]) -> int:
    model = getattr(model, "thinker", model)
    try:
        table, head = model.get_input_embeddings(), model.get_output_embeddings()
    except NotImplementedError:
        return -1
    ids = {id(value) for value in named.values()}
    tied = {id(value) for value in head.parameters()} if head is not None else set()
    if table is None:
        return -1
    return sum(v.numel() for v in table.parameters() if id(v) in ids and id(v) not in tied)
