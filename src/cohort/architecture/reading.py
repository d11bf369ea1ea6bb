"""A ``config.json`` as a `ModelSpec`: its fields, and the row of its family.

Fields and defaults are those of the families' reference implementations in transformers
:cite:p:`wolf2020transformers`. A new family is one more row in `cohort.architecture.families`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from cohort.architecture.configs.classes import check_classes, stems
from cohort.architecture.configs.defaults import declared
from cohort.architecture.configs.fields import Fields
from cohort.architecture.configs.nested import NESTED
from cohort.architecture.configs.unwrapping import in_dialect, text_part
from cohort.architecture.decoder import ModelSpec
from cohort.architecture.encoder import image_encoder
from cohort.architecture.families import TABLE
from cohort.architecture.parts.building import build
from cohort.architecture.quantization import EXPERT_DTYPE
from cohort.errors import ConfigError, nearest, shown
from cohort.errors.arguments import explain
from cohort.errors.names import plain_name

LONGEST = 160  # characters of a refusal


def supported_families() -> list[str]:
    """Return the supported ``model_type`` values, those of multimodal releases included."""
    return sorted({*TABLE, *NESTED})


def read(config: Any, name: str | None = None) -> ModelSpec:
    """Return the model that a config describes.

    Parameters
    ----------
    config : mapping or configuration object
        In the form of a Hugging Face ``config.json``, or an object whose ``to_dict`` gives it; of a
        multimodal release, the text decoder is read. Mistral's ``params.json`` is understood as well.
    name : str, optional
        What to call the model; the config's ``model_type`` by default.

    Returns
    -------
    ModelSpec
        The text decoder.

    Raises
    ------
    ConfigError
        If the family is not supported, a field is missing or describes no model, or one is set that the
        family does not know. The message is one sentence of at most 160 characters.
    """
    if not isinstance(config, Mapping) and callable(getattr(config, "to_dict", None)):
        config = config.to_dict()
    if not isinstance(config, Mapping):
        raise ConfigError(f"a config must be an object of fields, but is {shown(config, 60)}")
    family = config.get("model_type")
    called = plain_name(name or (family if isinstance(family, str) else "config"))
    try:
        return _read(config, called)
    except ConfigError as error:
        message = f"{called}: {error}"
        raise ConfigError(message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…") from None


def _read(config: Mapping[str, Any], called: str) -> ModelSpec:
    if config.get("model_type") is None:
        config = in_dialect(config, supported_families())
    values, family, nested = text_part(config, TABLE, _tied_alone)
    if not isinstance(family, str) or family not in TABLE:
        raise _unsupported(family)
    if not nested:
        check_classes(config, family, stems(family))
    row = TABLE[family]
    fields = Fields(values, family, _defaults(family, nested), row.drafting)
    if fields.flag("add_cross_attention"):
        raise ConfigError("'add_cross_attention' is true, but only decoders without an encoder are counted")
    model = build(fields, row, called, *_stored(config, values))
    fields.unread(_may_be_unread(family))
    encoder = image_encoder(config, model.hidden) if nested else None
    return replace(model, encoder=encoder) if encoder else model


@cache
def _defaults(family: str, nested: bool) -> Mapping[str, Any]:
    """Return what stands for the absent fields of a family: its class's defaults, and what its row says."""
    row = TABLE[family]
    return row.defaults({**declared(family).defaults, **row.absent}, nested)


def _tied_alone(family: str) -> Any:
    return _defaults(family, True).get("tie_word_embeddings", TABLE[family].tied)


@cache
def _may_be_unread(family: str) -> frozenset[str]:
    """Return the fields that a family may leave unread: those of its class, and what its row says."""
    return declared(family).names.union(TABLE[family].inert.split())


def _stored(
    config: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, str | None]:
    """Return how the release stores its weights, as the config or its text part says."""
    quantized = config.get("quantization_config") or values.get("quantization_config")
    if isinstance(quantized, Mapping) and values.get(EXPERT_DTYPE):
        quantized = {**quantized, EXPERT_DTYPE: values[EXPERT_DTYPE]}
    dtype = next(
        (part[key] for part in (config, values) for key in ("dtype", "torch_dtype") if part.get(key)), None
    )
    return quantized if isinstance(quantized, Mapping) else None, dtype if isinstance(dtype, str) else None


def _unsupported(family: object) -> ConfigError:
    if family is None:
        return ConfigError("the field 'model_type' is missing, and 'architectures' names no known class")
    if not isinstance(family, str):
        return ConfigError(
            f"the field 'model_type' is {shown(family, 40)}, but must be a name such as 'llama'"
        )
    close = [each for each in nearest(family, supported_families(), 1) if _alike(each, family)]
    hint = (
        f"did you mean {close[0]!r}?"
        if close
        else "give it a row in architecture/families (CONTRIBUTING: Add a family)"
    )
    return ConfigError(f"model_type {shown(family, 40)} is not supported; {hint}")


def _alike(one: str, other: str) -> bool:
    """Whether two names differ by little more than a slip of the hand."""
    import difflib

    return difflib.SequenceMatcher(None, one, other.casefold()).ratio() > 0.8


explain(__name__)
