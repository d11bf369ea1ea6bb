"""From a config, in whatever dialect and however nested, to the fields of its text decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from cohort.architecture.configs.classes import check_classes, stem, stems
from cohort.architecture.configs.fields import ALIASES
from cohort.architecture.configs.nested import DRAFTERS, FLAT, MUST_STATE, NESTED, TEXT_KEYS
from cohort.errors import ConfigError, shown

_FLAGS = (None, True, False)  # in the order in which a rule for ties has them


class TextPart(NamedTuple):
    """The fields of a text decoder, its ``model_type``, and whether they lay in a larger config."""

    values: Mapping[str, Any]
    family: Any
    nested: bool


def in_dialect(config: Mapping[str, Any], families: Iterable[str]) -> Mapping[str, Any]:
    """Return a config that has no ``model_type`` with one.

    Parameters
    ----------
    config : mapping
        A config without it. Mistral's own form is known by its fields, others by their ``architectures``.
    families : iterable of str
        The families that a class may be of.

    Returns
    -------
    mapping
        The config itself where nothing tells it.
    """
    if {"dim", "n_layers", "hidden_dim"} <= config.keys():
        mixed = config.get("moe")
        more = mixed if isinstance(mixed, Mapping) else {}
        own = {name: value for name, value in config.items() if name != "moe"}
        return {"model_type": "mixtral" if more else "mistral", "sliding_window": None, **own, **more}
    classes = config.get("architectures")
    names = [each for each in classes if isinstance(each, str)] if isinstance(classes, (list, tuple)) else []
    for name in names:
        found = [family for family in families if stem(name) in stems(family)]
        if found:
            shortest = min(found, key=lambda family: (family not in NESTED, len(family)))
            return {**config, "model_type": shortest}
    return config


def text_part(
    config: Mapping[str, Any], families: Mapping[str, Any], tied_alone: Callable[[str], Any]
) -> TextPart:
    """Return the text decoder of a config.

    Parameters
    ----------
    config : mapping
        A config with its ``model_type``.
    families : mapping
        What is known by ``model_type``.
    tied_alone : callable
        Returns whether a family ties its matrices where its config does not say.

    Returns
    -------
    TextPart
        The config itself where it is one of a decoder alone.

    Raises
    ------
    ConfigError
        If the text config is missing or lacks a size, the model only drafts for another, or the flags that
        tie matrices contradict each other.
    """
    family = config.get("model_type")
    if isinstance(family, str) and family in DRAFTERS:
        raise ConfigError(f"{family} drafts for another model and reads its caches: it is not counted alone")
    known = NESTED.get(family) if isinstance(family, str) else None
    key = next((each for each in TEXT_KEYS if isinstance(config.get(each), Mapping)), None)
    if key is None:
        if known is None:
            return TextPart(config, family, False)
        if family not in FLAT:
            raise ConfigError(f"the field 'text_config' is missing, but {family} needs it")
        check_classes(config, str(family), stems(str(family)) | stems(known.text))
        return TextPart({**config, "model_type": known.text}, known.text, True)
    if known is not None:
        check_classes(config, str(family), stems(str(family)))
    inner = config[key]
    if any(isinstance(inner.get(each), Mapping) for each in TEXT_KEYS):
        named = {"model_type": None, **inner}
        if known is not None:
            named["model_type"] = inner.get("model_type") or family
        return text_part(named, families, tied_alone)
    text = inner.get("model_type") or (known.text if known else None)
    if not isinstance(text, str) or text not in families:
        return TextPart(inner, text, True)
    for name in MUST_STATE.get(family, "").split() if isinstance(family, str) else ():
        if not any(each in inner for each in ALIASES.get(name, (name,))):
            raise ConfigError(f"the field {name!r} is missing in {key!r}, but {family} needs it")
    outside, inside = _tie(config), _tie(inner)
    if known is None:
        tied = _agreed(outside, inside, tied_alone(text))
    else:
        if inside is None and text != known.text:
            inside = tied_alone(text)
        tied = _by_rule(known.tie, outside, inside)
    return TextPart({**inner, "tie_word_embeddings": tied}, text, True)


def _tie(part: Mapping[str, Any]) -> bool | None:
    value = part.get("tie_word_embeddings")
    if value is not None and not isinstance(value, bool):
        raise ConfigError(f"the field 'tie_word_embeddings' is {shown(value, 40)}, but must be true or false")
    return value


def _agreed(outside: bool | None, inside: bool | None, alone: Any) -> Any:
    """Return whether matrices are tied in a release of which no rule is known: where both flags agree."""
    if outside is not None and inside is not None and outside != inside:
        raise ConfigError(
            f"'tie_word_embeddings' is {str(outside).lower()} outside the text config and "
            f"{str(inside).lower()} inside it: make them agree"
        )
    return next((flag for flag in (outside, inside) if flag is not None), alone)


def _by_rule(rule: str, outside: bool | None, inside: bool | None) -> bool:
    """Return whether matrices are tied, by the rule of a release's class for all nine pairs of flags."""
    tied = rule[3 * _FLAGS.index(outside) + _FLAGS.index(inside)]
    if tied == "?":
        raise ConfigError(
            "'tie_word_embeddings' is false, which is not counted for this model_type: it must be true"
        )
    return tied == "1"
