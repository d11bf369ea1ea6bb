"""A model's attention and experts in a few words."""

from __future__ import annotations

from collections import Counter

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.layers import Layer
from cohort.display.words import DASH


def attention_pattern(model: ModelSpec) -> str:
    """Return a model's attention in a few words.

    Parameters
    ----------
    model : ModelSpec
        The model.

    Returns
    -------
    str

    Examples
    --------
    >>> import cohort
    >>> attention_pattern(cohort.model("gemma-2-27b"))
    'GQA, window 4,096 in 23 of 46 layers'
    >>> attention_pattern(cohort.model("falcon-h1-0.5b"))
    'GQA beside linear'
    """
    kinds = Counter(" beside ".join(_kinds(layer)) for layer in model.layers)
    total = len(model.layers)
    parts = [kind if len(kinds) == 1 else f"{kind} in {count}" for kind, count in sorted(kinds.items())]
    parts[-1] += "" if len(kinds) == 1 else f" of {total} layers"
    for name in ("window", "chunk"):
        limits = [length for layer in model.layers if (length := getattr(layer.attention, name, None))]
        if limits:
            where = "" if len(limits) == total else f" in {len(limits)} of {total} layers"
            parts.append(f"{name} {limits[0]:,}{where}")
    return ", ".join(parts)


def _kinds(layer: Layer) -> list[str]:
    """Return the kinds of a layer's mixers, each once, attention first."""
    return list(dict.fromkeys([layer.attention.kind, *(mixer.kind for mixer in layer.mixers)]))


def experts_pattern(model: ModelSpec) -> str:
    """Return a model's experts in a few words; a dash in a dense model.

    Parameters
    ----------
    model : ModelSpec
        The model.

    Returns
    -------
    str

    Examples
    --------
    >>> import cohort
    >>> experts_pattern(cohort.model("deepseek-v2"))
    '6 of 160, 2 shared'
    """
    experts = model.experts
    if experts is None:
        return DASH
    shared = f", {experts.shared} shared" if experts.shared else ""
    return f"{experts.active} of {experts.count}{shared}"
