"""The fields of a config: one name for each, checked as they are read; what nothing reads is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cohort.architecture.decoder import MAX_LAYERS
from cohort.errors import ConfigError, integer, shown
from cohort.numeric import LIMIT

ABSENT: Any = object()

# Other names that families and releases give to a field; one dictionary serves all.
ALIASES = {
    name: (name, *others.split())
    for name, others in {
        "hidden_size": "d_model n_embd n_embed dim embed_dim",
        "num_hidden_layers": "n_layers n_layer num_layers num_blocks layers",
        "num_attention_heads": "n_heads n_head num_heads attention_heads",
        "num_key_value_heads": "num_kv_heads n_kv_heads num_attention_groups",
        "head_dim": "attention_head_dim dim_head key_size",
        "intermediate_size": "ffn_dim n_inner ffn_hidden_size dim_ff dff hidden_dim ffw_size",
        "moe_intermediate_size": "expert_ffn_hidden_size",
        "shared_width": "shared_expert_intermediate_size shared_intermediate_size share_expert_dim "
        "share_expert_dims moe_shared_expert_intermediate_size shared_experts_intermediate_size",
        "n_routed_experts": "num_experts num_local_experts moe_num_experts",
        "num_experts_per_tok": "num_experts_per_token moe_topk moe_k moe_top_k top_k_experts "
        "experts_per_token",
        "n_shared_experts": "num_shared_experts moe_num_shared_experts",
        "layer_types": "layers_block_type",
        "sliding_window_pattern": "_sliding_window_pattern",
        "sliding_window": "attention_window_size",
        "tie_word_embeddings": "tie_embedding tied_embeddings",
        "max_position_embeddings": "n_positions max_seq_len max_sequence_length "
        "context_length max_seq_length",
    }.items()
}
_FIELD = {other: name for name, others in ALIASES.items() for other in others}
# Sizes that make a model: a config of its own must state them. Only a nested one leaves out what equals the
# defaults of its class, because that is how the reference implementation writes it.
_SIZES = """hidden_size num_hidden_layers num_attention_heads intermediate_size vocab_size n_routed_experts
    moe_intermediate_size"""
STATED = frozenset(_SIZES.split())

# Fields that move no count in any family: tokens, numerics, training, initialisation, scales, towers.
_INERT = re.compile(
    r"_|.*(_token_id|_token_ids|_token_index|_tokens?_ids|dropout|_dropout_prob|_dropout_p|_pdrop|_eps|_epsilon"
    r"|_multipliers?|_scaling|_scaling_factor|_softcap(ping)?|_soft_cap|_coef|_coeff|_range|_dtype|_alpha_factor"
    r"|_beta_factor|_alpha|_beta|_act|_activation|_scale|_method|_func|_theta|_bias_max|_init|_noise|_floor"
    r"|_temperature|_kernels|_limits?|_penalty|_loss|_clip)$"
    r"|(rope|rotary|mrope|vision|visual|audio|image|video|vq|vit|mm|speech|tts|mtp|init|initializer|summary"
    r"|perceiver|resampler|routed_scal|mup|scale|logits?|forced|bad_words|begin_suppress|layernorm"
    r"|partial_rotary|original_max|freeze|transformers|quantization|router_(aux|jitter|z|dtype)"
    r"|output_(attentions|hidden_states|scores|router_logits|gate_type)|time_step_(floor|limit|max|min|init))(_.*|$)"
)
_NAMES = """
    activation activation_function activation_sparsity_pattern afn alibi altup_active_idx
    apply_residual_connection_post_layernorm architectures attention_softmax_in_fp32 attention_types
    attn_temperature_tuning attn_uses_sequence_id auto_map block_dim chunk_size chunk_size_feed_forward
    clip_qkv cross_attention_hidden_size do_sample dtype early_stopping embedding_fraction
    encoder_no_repeat_ngram_size ep_size expert_selection_fn finetuning_task full_attn_mod hc_sinkhorn_iters
    id2label ignore_index initial_context_length interpolate_factor is_decoder is_encoder_decoder
    kda_safe_gate keep_window_size label2id language_model_only learned_pos_emb linear_allow_neg_eigval
    linear_dt_max linear_dt_min max_inference_chunksize max_length max_window_layers min_length
    moe_loss_weight moe_norm_min moe_normalize_expert_weights moe_renormalize moe_shared_expert_overlap n_ctx
    n_group no_bias no_repeat_ngram_size norm_after norm_reduction_force_float32 norm_topk_prob
    num_beam_groups num_beams num_expert_group num_hash_layers num_image_tokens num_logits_to_keep
    num_mtp_layers num_mtp_modules num_nextn_predict_layers num_query_groups num_return_sequences
    num_reward_heads pad_id position_embedding position_embedding_type prefix prefix_lm pretraining_tp
    problem_type pruned_heads query_pre_attn_scalar remove_invalid_values reorder_and_upcast_attn
    rescale_every rescale_prenorm_residual residual_in_fp32 return_dict return_dict_in_generate route_norm
    seed seq_aux slow_but_exact sparsity suppress_tokens task_specific_params temperature tie_encoder_decoder
    tokenizer_class top_k top_p topk_group torchscript typical_p unsloth_version use_associative_scan
    use_bfloat16 use_bidirectional_attention use_cache use_expert_bias use_gemma_norm use_grouped_topk
    use_long_context use_mambapy use_mem_eff_path use_mem_rope use_mrope use_mtp use_routing_bias
    use_unified_vision_chunk zero_expert_type
"""
_INERT_NAMES = frozenset(_NAMES.split())


@lru_cache(maxsize=4096)
def moves_nothing(name: str) -> bool:
    """Whether a field moves no count, in any family.

    Parameters
    ----------
    name : str
        The field.

    Returns
    -------
    bool
        True for tokens, numerics, training, initialisation, scales and towers.
    """
    return name in _INERT_NAMES or _INERT.match(name) is not None


class Fields:
    """The fields of one config, checked as they are read.

    Parameters
    ----------
    values : mapping
        The config.
    family : str
        Its ``model_type``.
    absent : mapping
        What stands for a field that is not there, by the family's reference implementation.
    drafting : bool
        Whether lists of layers also name drafting layers behind them, which are cut off.
    """

    __slots__ = ("absent", "drafting", "family", "found", "twice", "used", "values")

    def __init__(
        self, values: Mapping[str, Any], family: str, absent: Mapping[str, Any], drafting: bool = False
    ) -> None:
        self.values, self.family, self.absent, self.drafting = values, family, absent, drafting
        self.found, self.twice = {**absent, **values}, set[str]()  # by their first names; given under two
        renamed: set[str] = set()
        for each in values:
            name = _FIELD.get(each)
            if name is not None and name != each:
                if name in values or name in renamed:
                    self.twice.add(name)
                self.found[name] = values[each]
                renamed.add(name)
        self.used: set[str] = {"model_type"}

    def raw(self, name: str) -> Any:
        """Return a field as it is, under any of its names; `ABSENT` where it has none and no default.

        Parameters
        ----------
        name : str
            The field, under the first of its names.

        Returns
        -------
        object
            The value.
        """
        self.used.add(name)
        return self._agreed(name) if name in self.twice else self.found.get(name, ABSENT)

    def _agreed(self, name: str) -> Any:
        values = self.values
        given = [(each, values[each]) for each in ALIASES[name] if values.get(each) is not None]
        for each, value in given[1:]:
            if value != given[0][1]:
                raise ConfigError(
                    f"{each!r} is {shown(value, 20)}, but another name of it says {shown(given[0][1], 20)}"
                )
        return given[0][1] if given else None

    def given(self, name: str) -> str:
        """Return the name under which a field was given.

        Parameters
        ----------
        name : str
            The field, under the first of its names.

        Returns
        -------
        str
            One of its names; the first where it is not given.
        """
        names = ALIASES.get(name, (name,))
        return next((each for each in names if self.values.get(each) is not None), names[0])

    def size(self, name: str, low: int = 1, high: int = LIMIT) -> int:
        """Return a size that must be there.

        Parameters
        ----------
        name : str
            The field, under the first of its names.
        low, high : int
            The least and the greatest it may be.

        Returns
        -------
        int
            The size.

        Raises
        ------
        ConfigError
            If it is missing, null or out of range.
        """
        value = self.raw(name)
        if type(value) is int and low <= value <= high:
            return value
        if value is None or value is ABSENT:
            state = "missing" if value is ABSENT else "null"
            names = ALIASES.get(name, (name,))
            shown_as = next((each for each in names if each in self.values), names[0])
            raise ConfigError(f"the field {shown_as!r} is {state}, but {self.family} needs it")
        return integer(f"the field {self.given(name)!r}", value, low, high, ConfigError)

    def optional(self, name: str, low: int = 1) -> int | None:
        """Return a size, or None where it is null, or absent without a default.

        Parameters
        ----------
        name : str
            The field, under the first of its names.
        low : int
            The least it may be.

        Returns
        -------
        int or None
            The size.
        """
        value = self.raw(name)
        return None if value is None or value is ABSENT else self.size(name, low)

    def flag(self, name: str) -> bool:
        """Return a boolean; what is neither there nor has a default is false.

        Parameters
        ----------
        name : str
            The field, under the first of its names.

        Returns
        -------
        bool
            The value.

        Raises
        ------
        ConfigError
            If it is neither true nor false.
        """
        value = self.raw(name)
        if value is True or value is False:
            return value
        if value is None or value is ABSENT:
            return bool(self.absent.get(name, False))
        raise ConfigError(f"the field {name!r} is {shown(value, 40)}, but must be true or false")

    def must(self, name: str, value: Any) -> None:
        """Raise where a field is set to anything but what others say already, or what alone is counted.

        Parameters
        ----------
        name : str
            The field, under the first of its names.
        value : object
            What it may say.

        Raises
        ------
        ConfigError
            If it says anything else.
        """
        given = self.raw(name)
        if given is not None and given is not ABSENT and (type(given) is not type(value) or given != value):
            only = f"only {shown(value, 30)} is counted"
            raise ConfigError(f"the field {self.given(name)!r} is {shown(given, 30)}, but {only}")

    def part(self, name: str) -> Fields:
        """Return a nested table of fields, empty where it is absent; whoever reads it calls `unread`.

        Parameters
        ----------
        name : str
            The field, under the first of its names.

        Returns
        -------
        Fields
            The fields of the table.

        Raises
        ------
        ConfigError
            If it is no object.
        """
        value = self.raw(name)
        if value is None or value is ABSENT:
            value = {}
        if not isinstance(value, Mapping):
            raise ConfigError(f"the field {name!r} is {shown(value, 40)}, but must be an object")
        return Fields(value, self.family, {})

    def by_layer(self, name: str, count: int) -> list[Fields]:
        """Return what a field says for each layer: a list, or a table by numbers of one digit or of two.

        Parameters
        ----------
        name : str
            The field, under the first of its names.
        count : int
            How many layers there are.

        Returns
        -------
        list of Fields
            Empty ones for layers of which nothing is said.

        Raises
        ------
        ConfigError
            If an entry is no object, or a list has another length.
        """
        value = self.raw(name)
        listed = isinstance(value, (list, tuple))
        if listed and len(value) != count:
            raise ConfigError(f"the field {name!r} must hold an entry for each of {count} layers")
        table: Mapping[Any, Any] = dict(enumerate(value)) if listed else self.part(name).values
        none = Fields({}, self.family, {})
        found = []
        for layer in range(count):
            each = table.get(layer if listed else str(layer), table.get(f"{layer:02}"))
            if each is not None and not isinstance(each, Mapping):
                raise ConfigError(f"{name!r} holds {shown(each, 30)} for layer {layer}: give an object")
            found.append(Fields(each, self.family, {}) if each else none)
        return found

    def listed(self, name: str, count: int | None, allowed: str, holds: Iterable[Any]) -> list[Any] | None:
        """Return a list, one entry a layer, of what it may hold; None where it is absent, null or empty.

        Parameters
        ----------
        name : str
            The field, under the first of its names.
        count : int or None
            How many entries there must be.
        allowed : str
            What it may hold, for the error.
        holds : iterable
            What it may hold.

        Returns
        -------
        list or None
            The entries.

        Raises
        ------
        ConfigError
            If it has another length or holds anything else.
        """
        value = self.raw(name)
        if value is None or value is ABSENT or value == [] or value == ():
            return None
        known = tuple(holds)
        if self.drafting and count is not None and isinstance(value, (list, tuple)):
            more = self.optional("num_nextn_predict_layers", low=0) or 0
            value = value[:count] if len(value) == count + more else value
        if not isinstance(value, (list, tuple)) or (count is not None and len(value) != count):
            size = f"{len(value)} entries" if isinstance(value, (list, tuple)) else shown(value, 30)
            raise ConfigError(f"the field {self.given(name)!r} has {size}, but must hold {allowed}")
        for each in value:
            if not any(each is one or (type(each) is type(one) and each == one) for one in known):
                raise ConfigError(f"{self.given(name)!r} holds {shown(each, 30)}, but must hold {allowed}")
        return list(value)

    def indices(self, name: str) -> frozenset[int] | None:
        """Return a list of layer numbers; one beyond the last layer names none. None where it is absent.

        Numbers in a text are apart by commas (Step 3.5).

        Parameters
        ----------
        name : str
            The field, under the first of its names.

        Returns
        -------
        frozenset of int or None
            Numbers from 0.

        Raises
        ------
        ConfigError
            If it is no list of such numbers.
        """
        value = self.raw(name)
        if isinstance(value, str) and re.fullmatch(r"\s*\d+(\s*,\s*\d+)*\s*", value):
            value = [int(each) for each in value.split(",")]
        if value is None or value is ABSENT:
            return None
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"the field {name!r} is {shown(value, 40)}, but must be a list of layers")
        return frozenset(integer(f"a layer in {name!r}", each, 0, LIMIT, ConfigError) for each in value)

    # The fields that nearly all families share.

    @property
    def layers(self) -> int:
        """Number of layers."""
        return self.size("num_hidden_layers", high=MAX_LAYERS)

    @property
    def hidden(self) -> int:
        """Width of the residual stream."""
        return self.size("hidden_size")

    @property
    def heads(self) -> int:
        """Query heads."""
        return self.size("num_attention_heads")

    def kv_heads(self) -> int:
        """Return the key-value heads: null means as many as heads, absent the family's default."""
        return self.optional("num_key_value_heads") or self.heads

    def divided(self) -> int:
        """Return hidden size / heads, where the one must be a multiple of the other."""
        if self.hidden % self.heads:
            raise ConfigError(f"hidden size ({self.hidden}) must be a multiple of the heads ({self.heads})")
        return self.hidden // self.heads

    def unread(self, inert: frozenset[str]) -> None:
        """Raise for a field that is set and that nothing has read, unless it is known to move no count.

        Parameters
        ----------
        inert : frozenset of str
            Fields that the family may leave unread.

        Raises
        ------
        ConfigError
            If there is such a field.
        """
        for name, value in self.values.items():
            if not value or name in self.used or _FIELD.get(name) in self.used or name in inert:
                continue
            if isinstance(name, str) and moves_nothing(name):
                continue
            raise ConfigError(
                f"the field {shown(name, 40)} is {shown(value, 20)}, which {self.family} is not known to "
                "read: remove it or name another model_type"
            )
