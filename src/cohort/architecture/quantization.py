"""How a release stores its weights, by the ``quantization_config`` of its config."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from cohort.architecture.dtypes import Precision, precision
from cohort.architecture.formats import EXPERTS, FP16, MATRICES, WeightFormat, weight_format
from cohort.errors import ConfigError, shown
from cohort.errors.arguments import explain

# What reference implementations call the tensors of a kind, once for each usual name of a module.
_MODULES = {
    "embedding": ("model.embed_tokens",),
    "tied": ("model.embed_tokens",),
    "head": ("lm_head",),
    "attention": ("self_attn.q_proj", "linear_attn.in_proj_qkv"),
    "value": ("self_attn.v_proj",),
    "up": ("mlp.up_proj",),
    "down": ("mlp.down_proj",),
    "shared_up": (
        "mlp.shared_experts.up_proj",
        "mlp.shared_expert.up_proj",
        "block_sparse_moe.shared_experts.up_proj",
    ),
    "shared_down": (
        "mlp.shared_experts.down_proj",
        "mlp.shared_expert.down_proj",
        "block_sparse_moe.shared_experts.down_proj",
    ),
    "expert_up": ("mlp.experts.0.up_proj", "block_sparse_moe.experts.0.w1"),
    "expert_down": ("mlp.experts.0.down_proj", "block_sparse_moe.experts.0.w2"),
    "router": ("mlp.gate", "mlp.router", "block_sparse_moe.gate"),
    "norms": (),
}
EXPERT_DTYPE = "expert_dtype"  # a field beside the others, which `cohort.model` puts among them
_LISTS = ("modules_to_not_convert", "ignore", "ignored_layers", "exclude_modules")
_ALGORITHMS = {"MXFP8": "mxfp8", "FP8": "fp8", "NVFP4": "nvfp4", "MXFP4": "fp4"}  # by the end of a name
_NESTED = re.compile(r"\)[*+{]")  # a repeated group can take for ever
_LONGEST = 500  # characters of a pattern


def released_format(quantization: Mapping[str, Any] | None, dtype: object = None) -> WeightFormat:
    """Return how a release stores its weights.

    Parameters
    ----------
    quantization : mapping, optional
        The ``quantization_config`` of the release, if it has one.
    dtype : str, optional
        The ``torch_dtype`` of the release; 16 bits if none is given.

    Returns
    -------
    WeightFormat

    Raises
    ------
    ConfigError
        If the method or one of its fields is not known.

    Examples
    --------
    >>> released_format({"quant_method": "mxfp4"}).name, released_format(None, "float32").name
    ('mxfp4', 'fp32')

    See Also
    --------
    cohort.architecture.formats.weight_format : A format by its name.
    """
    if not quantization:
        wide = isinstance(dtype, str) and dtype.removeprefix("torch.") in ("float32", "float")
        return weight_format("fp32" if wide else "bf16")
    listed = quantization.get("quantized_layers")
    if isinstance(listed, Mapping) and listed:
        return WeightFormat("mixed", FP16, exceptions=_listed(listed))
    main, kept = _main(quantization), _kept(quantization)
    experts = quantization.get(EXPERT_DTYPE)
    if experts is not None:
        main = _with_experts(main, experts)
    if main.exceptions is not None or not kept:
        return main
    kinds = frozenset(MATRICES) if main.name == "mxfp4" else main.kinds
    return WeightFormat(main.name, main.main, kinds, main.others, _exceptions(kept))


def _with_experts(main: WeightFormat, stored: object) -> WeightFormat:
    """Return a format whose experts have a type of their own, as in DeepSeek-V4."""
    if stored not in ("fp4", "fp8", "bf16"):
        raise ConfigError(
            f"quantization_config stores experts as {shown(stored, 30)}, which is not read: name a format"
        )
    own = precision(str(stored))

    def exceptions(kind: str, layer: int, layers: int) -> Precision | None:
        return own if kind in EXPERTS else None

    return WeightFormat(f"{main.name}, experts {stored}", main.main, main.kinds, main.others, exceptions)


def _main(config: Mapping[str, Any]) -> WeightFormat:
    method = config.get("quant_method")
    algorithm = config.get("quant_algo")
    if method in ("fp8", "fbgemm_fp8", "mxfp4", "gptq", "awq"):
        return _grouped(str(method), config) if method in ("gptq", "awq") else weight_format(str(method))
    if method == "bitsandbytes":
        return weight_format("nf4" if config.get("load_in_4bit") else "int8")
    if isinstance(algorithm, str) and algorithm.upper() in ("FP8", "NVFP4", "MXFP4"):
        return weight_format(algorithm.lower() if algorithm.upper() != "MXFP4" else "fp4")
    groups = config.get("config_groups")
    if isinstance(groups, Mapping) and len(groups) == 1:
        (group,) = groups.values()
        weights = group.get("weights") if isinstance(group, Mapping) else None
        if isinstance(weights, Mapping):
            return _of_bits(weights)
    what = method if algorithm is None else algorithm
    raise ConfigError(
        f"quantization_config has the method {shown(what, 40)}, which is not read: name a weight format"
    )


def _grouped(method: str, config: Mapping[str, Any]) -> WeightFormat:
    bits, group = (
        config.get("bits", config.get("w_bit", 4)),
        config.get("group_size", config.get("q_group_size", 128)),
    )
    if (
        bits not in (2, 3, 4, 8)
        or not isinstance(group, int)
        or isinstance(group, bool)
        or not (group == -1 or group > 0)
    ):
        raise ConfigError(
            f"quantization_config has bits {shown(bits, 20)} and group_size {shown(group, 20)}, but {method} "
            "has 2, 3, 4 or 8 bits and a size above 0, or -1"
        )
    scales = 16 + bits if group > 0 else 0
    return WeightFormat(method, Precision(f"int{bits}", bits, max(group, 1), scales))


def _of_bits(weights: Mapping[str, Any]) -> WeightFormat:
    """Return the format of a group of compressed-tensors or ModelOpt, by bits, kind and size of a group."""
    bits, kind, group = weights.get("num_bits"), weights.get("type", "int"), weights.get("group_size")
    if (
        bits not in (4, 8)
        or kind not in ("int", "float")
        or not (group is None or (type(group) is int and group > 0))
    ):
        raise ConfigError(
            f"quantization_config has {shown(bits, 20)} bits, type {shown(kind, 20)} and groups of "
            f"{shown(group, 20)}: 4 or 8 bits, int or float, are read"
        )
    if kind == "float":
        return weight_format("fp8" if bits == 8 else "nvfp4" if group == 16 else "fp4")
    return WeightFormat(
        "int4" if bits == 4 else "int8", Precision(f"int{bits}", bits, group or 1, 16 if group else 0)
    )


def _kept(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the patterns of the modules that stay as they were."""
    found: list[str] = []
    for name in _LISTS:
        listed = config.get(name) or ()
        if not isinstance(listed, (list, tuple)) or not all(isinstance(each, str) for each in listed):
            raise ConfigError(
                f"quantization_config has {name} {shown(listed, 40)}, but it must be a list of names"
            )
        found += listed
    return tuple(dict.fromkeys(found))


def _matcher(pattern: str) -> Callable[[str], bool]:
    if pattern.startswith("re:"):
        source = pattern.removeprefix("re:")
        if len(source) > _LONGEST or _NESTED.search(source):
            raise ConfigError(
                f"quantization_config has the pattern {shown(pattern, 60)}, which is too intricate"
            )
        try:
            return re.compile(source).match  # type: ignore[return-value]
        except re.error:
            raise ConfigError(
                f"quantization_config has the pattern {shown(pattern, 60)}, which is no regular expression"
            ) from None
    if "*" in pattern:
        return lambda name: fnmatchcase(name, pattern) or fnmatchcase(name, f"*{pattern}*")
    return lambda name: f".{pattern}." in f".{name}."


def _names(kind: str, layer: int) -> list[str]:
    """Return what the modules of a kind are called in a layer."""
    start = f"model.layers.{layer}." if layer >= 0 else ""
    return [f"{start}{each}" for each in _MODULES[kind]]


def _exceptions(patterns: Iterable[str]) -> Callable[[str, int, int], Precision | None]:
    """Return which kinds of which layers stay in 16 bits."""
    checks = [_matcher(each) for each in patterns]

    @cache
    def kept(kind: str, layer: int) -> bool:
        names = _names(kind, layer)
        names += [each.replace("model.", "model.language_model.", 1) for each in names if layer >= 0]
        return any(check(name) for name in names for check in checks)

    return lambda kind, layer, layers: FP16 if kept(kind, layer) else None


def _listed(modules: Mapping[str, Any]) -> Callable[[str, int, int], Precision | None]:
    """Return how each kind of each layer is stored, where a release lists its modules one by one."""
    stored: dict[str, Precision] = {}
    for name, how in modules.items():
        algorithm = str(how.get("quant_algo")) if isinstance(how, Mapping) else ""
        found = next((of for end, of in _ALGORITHMS.items() if algorithm.endswith(end)), None)
        if found is None:
            raise ConfigError(
                f"quantization_config stores {shown(name, 60)} as {shown(how, 60)}, which is not read"
            )
        stored[name[name.find("layers.") :] if "layers." in name else name.rpartition(".")[2]] = precision(
            found
        )

    def exceptions(kind: str, layer: int, layers: int) -> Precision | None:
        names = (each.removeprefix("model.") for each in _names(kind, layer))
        return next((stored[name] for name in names if name in stored), None)

    return exceptions


explain(__name__)
