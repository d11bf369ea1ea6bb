"""A Hugging Face ``config.json`` as a `ModelSpec`: one small reader per family.

Fields and defaults are those of the families' reference implementations in transformers
:cite:p:`wolf2020transformers`. The sizes that make a model have no defaults here: one that is absent is an
error. A new family is one more reader, decorated with the ``model_type`` values that it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.families import deepseek, dense, gemma, others, qwen  # noqa: F401 (they register)
from cohort.architecture.families.fields import _READERS, Fields
from cohort.errors import ConfigError, nearest, shown

# Releases with towers for images or sound keep the text decoder's fields in `text_config`, at times without
# its own model_type. Of some, the outer field alone says whether matrices are tied, with this default.
_TEXT_OF = {
    "gemma3": "gemma3_text",
    "gemma4": "gemma4_text",
    "llama4": "llama4_text",
    "mistral3": "mistral",
    "qwen3_5_moe": "qwen3_5_moe_text",
}


_TIED_OUTSIDE = {"gemma3": True, "gemma4": True, "mistral3": True, "qwen3_5_moe": False}


def supported_families() -> list[str]:
    """Return the supported ``model_type`` values, those of multimodal releases included."""
    return sorted({*_READERS, *_TEXT_OF})


def read(config: Mapping[str, Any], name: str | None = None) -> ModelSpec:
    """Return the model that a config describes.

    Parameters
    ----------
    config : mapping
        In the form of a Hugging Face ``config.json``; of a multimodal release, the ``text_config`` is read.
    name : str, optional
        What to call the model; the config's ``model_type`` by default.

    Returns
    -------
    ModelSpec
        The text decoder.

    Raises
    ------
    ConfigError
        If the family is not supported, or a field is missing or describes no model.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(f"a config must be an object of fields, but is {shown(config)}")
    family = config.get("model_type")
    called = name or (family if isinstance(family, str) else "config")
    if isinstance(config.get("text_config"), Mapping):
        config, family = _text_fields(config, config["text_config"])
    elif isinstance(family, str) and family in _TEXT_OF:
        raise ConfigError(f"{called}: the field 'text_config' is missing, but {family} needs it")
    if not isinstance(family, str) or family not in _READERS:
        raise _unsupported(family, called)
    try:
        return _READERS[family](Fields({**config, "model_type": family}, called))
    except ConfigError as error:
        message = str(error)
        raise ConfigError(message if message.startswith(called) else f"{called}: {message}") from None


def _text_fields(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return the text decoder's fields and family."""
    family = outer.get("model_type")
    release = family if isinstance(family, str) else shown(family)
    fields = dict(inner)
    if release in _TIED_OUTSIDE:
        fields["tie_word_embeddings"] = outer.get("tie_word_embeddings", _TIED_OUTSIDE[release])
    elif release not in _TEXT_OF and "tie_word_embeddings" in outer:
        fields.setdefault("tie_word_embeddings", outer["tie_word_embeddings"])
    return fields, inner.get("model_type") or _TEXT_OF.get(release)


def _unsupported(family: object, name: str) -> ConfigError:
    supported = ", ".join(supported_families())
    if family is None:
        return ConfigError(f"{name}: the field 'model_type' is missing; supported: {supported}")
    close = nearest(family, supported_families(), 1) if isinstance(family, str) else []
    hint = f"did you mean {close[0]!r}? " if close else ""
    return ConfigError(f"{name}: model_type {shown(family)} is not supported; {hint}supported: {supported}")


__all__ = ["Fields", "read", "supported_families"]
