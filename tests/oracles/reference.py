"""Parameter counts by reference implementations: the arbiter of the counts in ``cohort``.

Nothing here comes from the package under test. Families that transformers implements are instantiated on
the meta device, which allocates no weights, and their registered parameters are counted. Families that
only exist as remote code or on paper are counted from a list of their tensors.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MULTIMODAL = {
    "gemma3": "Gemma3ForConditionalGeneration",
    "gemma4": "Gemma4ForConditionalGeneration",
    "llama4": "Llama4ForConditionalGeneration",
    "mistral3": "Mistral3ForConditionalGeneration",
    "qwen3_5_moe": "Qwen3_5MoeForConditionalGeneration",
}
"""Releases with a nested ``text_config``, and the class that holds both towers."""

SAME_ARCHITECTURE = {
    "kimi_k2": "deepseek_v3",
    "mimo": "qwen2",
    "minimax_m1": "minimax",
    "minimax_text_01": "minimax",
}
"""Model types whose remote code is a copy of a class in transformers, heads that draft aside."""

OUTSIDE_THE_DECODER = {
    *("vision_tower", "vision_model", "multi_modal_projector", "embed_vision", "visual"),
    *("audio_tower", "embed_audio"),
}
ATTENTION_TYPES = ("linear_attention", "full_attention")
EXPERT_COUNTS = ("n_routed_experts", "num_local_experts", "num_experts")


@dataclass(frozen=True)
class Tensor:
    """A weight of a model: its size, and the role that decides in which counts it appears."""

    elements: int
    routed: bool = False
    input_embedding: bool = False


@dataclass(frozen=True)
class Reference:
    """The distinct weights of a text decoder, and how its router chooses among the experts."""

    implementation: str
    tensors: list[Tensor]
    experts: int = 1
    experts_per_token: int = 1


def count(config: Mapping[str, Any]) -> dict[str, int]:
    """Count the weights of the text decoder that ``config`` describes.

    Returns ``total``, ``active`` (without the routed experts that one token does not visit) and
    ``active_without_embedding`` (also without an input embedding that is not tied to the head).
    """
    return totals(build(config))


def totals(reference: Reference) -> dict[str, int]:
    """Sum the tensors of a reference implementation in the three ways that the package reports."""
    total = sum(tensor.elements for tensor in reference.tensors)
    routed = sum(tensor.elements for tensor in reference.tensors if tensor.routed)
    embedding = sum(tensor.elements for tensor in reference.tensors if tensor.input_embedding)
    idle, remainder = divmod(routed * (reference.experts - reference.experts_per_token), reference.experts)
    if remainder:
        raise ValueError(f"the routed experts do not hold the same number of weights: {reference}")
    active = total - idle
    return {"total": total, "active": active, "active_without_embedding": active - embedding}


def build(config: Mapping[str, Any]) -> Reference:
    """Find the reference implementation of ``config`` and list its weights."""
    listing = TENSOR_LISTS.get(config["model_type"])
    return listing(config) if listing else _instantiate(config)


def needs_transformers(config: Mapping[str, Any]) -> bool:
    """Tell whether ``config`` is counted by instantiating a class of transformers."""
    return config["model_type"] not in TENSOR_LISTS


# Families that transformers implements ----------------------------------------------------------------


def instantiate(config: Mapping[str, Any], device: str = "meta") -> Any:
    """Make the model that ``config`` describes, without weights unless a device can hold them."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()  # odd configs draw many remarks about token ids
    settings = _settings(config)
    with torch.device(device):
        if config["model_type"] in MULTIMODAL:
            return getattr(transformers, MULTIMODAL[config["model_type"]])(settings)
        return transformers.AutoModelForCausalLM.from_config(settings)


def _instantiate(config: Mapping[str, Any]) -> Reference:
    import transformers

    model = instantiate(config)
    experts, experts_per_token = _routing(model.config.get_text_config())
    name = f"transformers {transformers.__version__} {type(model).__name__}"
    return Reference(name, list(_parameters(model)), experts, experts_per_token)


def known_as(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of ``config`` under the type and the names that transformers has for them."""
    fields = copy.deepcopy(dict(config))
    fields["model_type"] = SAME_ARCHITECTURE.get(fields["model_type"], fields["model_type"])
    # How a release stores its weights does not change which weights the class registers.
    fields.pop("quantization_config", None)
    if "attn_type_list" in fields:  # MiniMax's own name for the kinds of its layers
        fields["layer_types"] = [ATTENTION_TYPES[number] for number in fields.pop("attn_type_list")]
    return fields


def _settings(config: Mapping[str, Any]) -> Any:
    from transformers import AutoConfig

    fields = known_as(config)
    # The default padding token of a family lies outside the small vocabularies of odd configs.
    for part in (fields, fields.get("text_config")):
        if part is not None:
            part.setdefault("pad_token_id", None)
    return AutoConfig.for_model(fields.pop("model_type"), **fields)


def _routing(settings: Any) -> tuple[int, int]:
    if settings.model_type == "dbrx":
        return settings.ffn_config.moe_num_experts, settings.ffn_config.moe_top_k
    for name in EXPERT_COUNTS:
        experts = getattr(settings, name, None)
        if experts:
            chosen = getattr(settings, "top_k_experts", None) or settings.num_experts_per_tok
            return experts, chosen
    return 1, 1


def _parameters(model: Any) -> Iterator[Tensor]:
    decoder = model if hasattr(model, "lm_head") else model.language_model
    embedding = decoder.get_input_embeddings().weight
    tied = decoder.get_output_embeddings().weight is embedding
    for name, parameter in model.named_parameters():  # lists a tied weight once
        parts = set(name.split("."))
        if parts.isdisjoint(OUTSIDE_THE_DECODER):
            yield Tensor(
                parameter.numel(),
                routed="experts" in parts,
                input_embedding=parameter is embedding and not tied,
            )


# Families without a class in transformers ---------------------------------------------------------------


def _arctic(config: Mapping[str, Any]) -> Reference:
    """Tensors of ``modeling_arctic.py``, the remote code of Snowflake/snowflake-arctic-instruct.

    No tensor has a bias. A layer whose one-based number is a multiple of ``moe_layer_frequency`` routes; with
    ``parallel_attn_mlp_res`` it also has a dense MLP, as wide as the hidden state, with a norm of its own.
    """
    hidden, width = config["hidden_size"], config["intermediate_size"]
    heads, experts = config["num_attention_heads"], config["num_local_experts"]
    key_width = hidden // heads * (config.get("num_key_value_heads") or heads)

    def layer(number: int) -> Iterator[Tensor]:
        yield _matrix(hidden, hidden)  # q_proj
        yield _matrix(hidden, key_width)  # k_proj
        yield _matrix(hidden, key_width)  # v_proj
        yield _matrix(hidden, hidden)  # o_proj
        yield Tensor(hidden)  # input_layernorm
        yield Tensor(hidden)  # post_attention_layernorm
        if number % config.get("moe_layer_frequency", 2):
            yield _matrix(3, hidden, width)  # mlp.w1, w2, w3
            return
        yield _matrix(hidden, experts)  # gate
        yield _matrix(experts, 3, hidden, width, routed=True)  # experts.*.w1, w2, w3
        if config.get("parallel_attn_mlp_res", False):
            yield Tensor(hidden)  # residual_layernorm
            yield _matrix(3, hidden, hidden)  # residual_mlp.w1, w2, w3

    layers = [tensor for number in range(1, config["num_hidden_layers"] + 1) for tensor in layer(number)]
    ends = [
        *_embeddings(config["vocab_size"], hidden, tied=config.get("tie_word_embeddings", False)),
        Tensor(hidden),  # norm
    ]
    name = "tensor list of modeling_arctic.py (Snowflake/snowflake-arctic-instruct)"
    return Reference(name, layers + ends, experts, config.get("num_experts_per_tok", 1))


def _phi3small(config: Mapping[str, Any]) -> Reference:
    """Tensors of ``modeling_phi3_small.py``, the remote code of microsoft/Phi-3-small-8k-instruct.

    Every linear layer and every norm has a bias; block-sparse and dense layers have the same tensors.
    """
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    width = _phi3small_width(config)
    qkv = (heads + 2 * config.get("num_key_value_heads", 8)) * (hidden // heads)
    layer = [
        _matrix(hidden, qkv),  # query_key_value
        Tensor(qkv),
        _matrix(hidden, hidden),  # dense
        Tensor(hidden),
        _matrix(hidden, 2 * width),  # up_proj
        Tensor(2 * width),
        _matrix(width, hidden),  # down_proj
        Tensor(hidden),
        _matrix(2, hidden),  # input_layernorm
        _matrix(2, hidden),  # post_attention_layernorm
    ]
    ends = [
        *_embeddings(config["vocab_size"], hidden, tied=config.get("tie_word_embeddings", True)),
        _matrix(2, hidden),  # final_layernorm
    ]
    name = "tensor list of modeling_phi3_small.py (microsoft/Phi-3-small-8k-instruct)"
    return Reference(name, layer * config["num_hidden_layers"] + ends)


def _phi3small_width(config: Mapping[str, Any]) -> int:
    width, multiplier = config.get("ff_intermediate_size", 14336), config.get("ff_dim_multiplier")
    if (width is None) == (multiplier is None):
        raise ValueError("exactly one of ff_intermediate_size and ff_dim_multiplier must be given")
    if width is not None:
        return width
    width = multiplier * (config["hidden_size"] // 3) * 2
    return math.ceil(width / 256) * 256 if config.get("gegelu_pad_to_256", True) else width


def _chinchilla(config: Mapping[str, Any]) -> Reference:
    """Tensors after Hoffmann et al. (2022), table A9, and Rae et al. (2021).

    Four attention projections and a fifth for the relative positions, an MLP without a gate, RMSNorm with a
    gain, no biases, input and output embeddings shared.
    """
    hidden = config["d_model"]
    layer = [
        _matrix(5, hidden, config["n_heads"] * config["key_size"]),
        _matrix(2, hidden, config["ffw_size"]),
        _matrix(2, hidden),  # two norms
    ]
    ends = [
        *_embeddings(config["vocab_size"], hidden, tied=config.get("tie_word_embeddings", True)),
        Tensor(hidden),  # final norm
    ]
    return Reference("tensor list after Hoffmann et al. 2022, table A9", layer * config["n_layers"] + ends)


def _matrix(*shape: int, routed: bool = False) -> Tensor:
    return Tensor(math.prod(shape), routed=routed)


def _embeddings(vocabulary: int, hidden: int, *, tied: bool) -> list[Tensor]:
    if tied:
        return [_matrix(vocabulary, hidden)]
    return [Tensor(vocabulary * hidden, input_embedding=True), _matrix(vocabulary, hidden)]


TENSOR_LISTS = {"arctic": _arctic, "chinchilla": _chinchilla, "phi3small": _phi3small}
