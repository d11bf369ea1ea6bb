"""From a config, in whatever dialect and however nested, to the fields of its text decoder and its row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.families.fields import ALIASES, Fields
from cohort.architecture.families.nested import DRAFTERS, FLAT, MUST_STATE, NESTED, OWN_CLASSES, TEXT_KEYS
from cohort.architecture.families.row import Row, build
from cohort.architecture.families.table import TABLE
from cohort.errors import ConfigError, nearest, shown

LONGEST = 160  # characters of a refusal
HEADS = (
    "forcausallm", "lmheadmodel", "forconditionalgeneration", "forvisiontext2text", "forproteintext2text",
    "forblockdiffusion", "reasoningv3",
)  # fmt: skip


def supported_families() -> list[str]:
    """Return the supported ``model_type`` values, those of multimodal releases included."""
    return sorted({*TABLE, *NESTED})


@cache
def _defaults(family: str, nested: bool) -> Mapping[str, Any]:
    """Return what stands for the absent fields of a family: its class's defaults, and what its row says."""
    row = TABLE[family]
    return row.defaults({**_classes().get(family, ({}, ""))[0], **row.absent}, nested)


@cache
def _known(family: str) -> frozenset[str]:
    """Return the fields that a family may leave unread: those of its class, and what its row says."""
    return frozenset(f"{_classes().get(family, ({}, ''))[1]} {TABLE[family].inert}".split())


@cache
def _classes() -> Mapping[str, tuple[Mapping[str, Any], str]]:
    """Return what the reference's config classes declare, by family: defaults, and all names."""
    file = resources.files("cohort.architecture.families").joinpath("defaults.json")
    found: Mapping[str, tuple[Mapping[str, Any], str]] = json.loads(file.read_text(encoding="utf-8"))
    return found


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
    called = name or (family if isinstance(family, str) else "config")
    try:
        return _read(config, called)
    except ConfigError as error:
        start = called if len(called) <= 48 else f"{called[:47]}…"
        message = f"{start}: {error}"
        raise ConfigError(message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…") from None


def _read(config: Mapping[str, Any], called: str) -> ModelSpec:
    config = _dialect(config)
    values, family, nested = _text_part(config)
    if not isinstance(family, str) or family not in TABLE:
        raise _unsupported(family)
    row = TABLE[family]
    if not nested:
        _check_classes(config, family, family, row)
    fields = Fields(values, family, _defaults(family, nested))
    if fields.flag("add_cross_attention"):
        raise ConfigError("'add_cross_attention' is true, but only decoders without an encoder are counted")
    model = build(fields, row, called, *_stored(config, values))
    fields.unread(_known(family))
    return model


def _stored(
    config: Mapping[str, Any], values: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, str | None]:
    """Return how the release stores its weights, as the config or its text part says."""
    quantized = config.get("quantization_config") or values.get("quantization_config")
    dtype = next(
        (part[key] for part in (config, values) for key in ("dtype", "torch_dtype") if part.get(key)), None
    )
    return quantized if isinstance(quantized, Mapping) else None, dtype if isinstance(dtype, str) else None


def _dialect(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a config with its ``model_type``: of Mistral's own form, or by the name of its class."""
    if config.get("model_type") is not None:
        return config
    if {"dim", "n_layers", "hidden_dim"} <= config.keys():
        mixed = config.get("moe")
        more = mixed if isinstance(mixed, Mapping) else {}
        own = {name: value for name, value in config.items() if name != "moe"}
        return {"model_type": "mixtral" if more else "mistral", "sliding_window": None, **own, **more}
    classes = config.get("architectures")
    for each in classes if isinstance(classes, (list, tuple)) else ():
        found = [
            family
            for family in supported_families()
            if isinstance(each, str) and _stem(each) in _stems(family)
        ]
        if found:
            return {
                **config,
                "model_type": min(found, key=lambda family: (family not in NESTED, len(family))),
            }
    return config


def _text_part(config: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any, bool]:
    """Return the fields of the text decoder, its family, and whether they lay in another config."""
    family = config.get("model_type")
    if isinstance(family, str) and family in DRAFTERS:
        raise ConfigError(f"{family} drafts for another model and reads its caches: it is not counted alone")
    known = NESTED.get(family) if isinstance(family, str) else None
    key = next((each for each in TEXT_KEYS if isinstance(config.get(each), Mapping)), None)
    if key is None:
        if known is None:
            return config, family, False
        if family not in FLAT:
            raise ConfigError(f"the field 'text_config' is missing, but {family} needs it")
        _check_classes(config, str(family), known.text, None)
        return {**config, "model_type": known.text}, known.text, True
    if known is not None:
        _check_classes(config, str(family), str(family), None)
    inner = config[key]
    if next((each for each in TEXT_KEYS if isinstance(inner.get(each), Mapping)), None):
        return _text_part(
            {"model_type": None, **inner}
            if known is None
            else {**inner, "model_type": inner.get("model_type") or family}
        )
    text = inner.get("model_type") or (known.text if known else None)
    if not isinstance(text, str) or text not in TABLE:
        return inner, text, True
    for name in MUST_STATE.get(family, "").split() if isinstance(family, str) else ():
        if not any(each in inner for each in ALIASES.get(name, (name,))):
            raise ConfigError(f"the field {name!r} is missing in {key!r}, but {family} needs it")
    values = dict(inner)
    values["tie_word_embeddings"] = _tied(
        config, inner, text, known.tie if known else None, known.text if known else None
    )
    return values, text, True


def _tied(
    outer: Mapping[str, Any], inner: Mapping[str, Any], text: str, rule: str | None, usual: str | None
) -> Any:
    """Return whether matrices are tied, by the flags of the release and of its text config."""
    flags = []
    for part in (outer, inner):
        value = part.get("tie_word_embeddings")
        if value is not None and not isinstance(value, bool):
            raise ConfigError(
                f"the field 'tie_word_embeddings' is {shown(value, 40)}, but must be true or false"
            )
        flags.append(value)
    first, second = flags
    own = _defaults(text, True).get("tie_word_embeddings", TABLE[text].tied)
    if rule is None:
        if first is not None and second is not None and first != second:
            raise ConfigError(
                f"'tie_word_embeddings' is {str(first).lower()} outside the text config and "
                f"{str(second).lower()} inside it: make them agree"
            )
        return own if first is None and second is None else (second if first is None else first)
    if second is None and text != usual:
        second = own
    tied = rule[3 * (None, True, False).index(first) + (None, True, False).index(second)]
    if tied == "?":
        raise ConfigError(
            "'tie_word_embeddings' is false, which is not counted for this model_type: it must be true"
        )
    return tied == "1"


@cache
def _stem(name: str) -> str:
    """Return the name of a class without what says that it has a head; empty where nothing says so."""
    folded = name.replace("_", "").lower()
    return next((folded.removesuffix(head) for head in HEADS if folded.endswith(head)), "").replace(
        "text", ""
    )


@cache
def _stems(family: str) -> frozenset[str]:
    own = (
        "".join(each for each in family.lower() if each not in "_-.")
        .replace("text", "")
        .removesuffix("model")
    )
    row = TABLE.get(family)
    return frozenset({own, *OWN_CLASSES.get(family, "").split(), *(row.classes.split() if row else ())})


def _check_classes(config: Mapping[str, Any], family: str, other: str, row: Row | None) -> None:
    """Raise where ``architectures`` names a class that the family does not expect."""
    classes = config.get("architectures")
    if not classes:
        return
    if not isinstance(classes, (list, tuple)):
        raise ConfigError(f"the field 'architectures' is {shown(classes, 40)}, but must be a list of names")
    for each in classes:
        if not isinstance(each, str) or not _stem(each):
            raise ConfigError(
                f"'architectures' holds {shown(each, 50)}, which has no language head: {family} has one"
            )
        if _stem(each) not in _stems(family) | _stems(other):
            raise ConfigError(
                f"'architectures' holds {shown(each, 50)}, which is not of model_type {family!r}"
            )


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
        else "give it a row in families/table.py (CONTRIBUTING: Add a family)"
    )
    return ConfigError(f"model_type {shown(family, 40)} is not supported; {hint}")


def _alike(one: str, other: str) -> bool:
    """Whether two names differ by little more than a slip of the hand."""
    import difflib

    return difflib.SequenceMatcher(None, one, other.casefold()).ratio() > 0.8
