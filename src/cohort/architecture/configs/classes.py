"""The names of model classes that ``architectures`` may hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from cohort.errors import ConfigError, shown

_HEADS = (
    "forcausallm", "lmheadmodel", "forconditionalgeneration", "forvisiontext2text", "forproteintext2text",
    "forblockdiffusion", "reasoningv3",
)  # fmt: skip
# Stems of classes that do not follow from the model_type.
_OWN = {
    "exaone": "llama", "internlm3": "llama", "iquestcoder": "llama", "gpt-sw3": "gpt2", "glmga": "glm46v",
    "inkling_mm_model": "inkling", "minimax_m3_vl": "minimaxm3sparse", "nemotron-nas": "decilm",
    "nemo_speechlm": "nemotron35transcribe", "nemotron_h_omni": "nemotronhomni", "pp_chart2table": "gotocr2",
    "sarvam_mla": "deepseekv3", "sarvam_moe": "glm4moe", "shieldgemma2": "gemma3", "kimi_k2": "deepseekv3",
    "hunyuan_v1_dense": "hunyuandensev1",
    "hunyuan_v1_moe": "hunyuanmoev1", "minimax_text_01": "minimax", "minimax_m1": "minimax minimaxtext01",
}  # fmt: skip


@cache
def stem(name: str) -> str:
    """Return the name of a class without what says that it has a head.

    Parameters
    ----------
    name : str
        A class, such as ``LlamaForCausalLM``.

    Returns
    -------
    str
        In lower case, such as ``llama``; empty where nothing says that the class has a head.
    """
    folded = name.replace("_", "").lower()
    headless = next((folded.removesuffix(head) for head in _HEADS if folded.endswith(head)), "")
    return headless.replace("text", "")


@cache
def stems(family: str) -> frozenset[str]:
    """Return the stems of the classes that a family has.

    Parameters
    ----------
    family : str
        A ``model_type``.

    Returns
    -------
    frozenset of str
        As `stem` gives them.
    """
    folded = "".join(each for each in family.lower() if each not in "_-.")
    own = folded.replace("text", "").removesuffix("model")
    return frozenset({own, *_OWN.get(family, "").split()})


def check_classes(config: Mapping[str, Any], family: str, expected: frozenset[str]) -> None:
    """Check that ``architectures`` names only classes that the family is expected to have.

    Parameters
    ----------
    config : mapping
        A config; one without ``architectures`` passes.
    family : str
        Its ``model_type``, for the error.
    expected : frozenset of str
        The stems that its classes may have.

    Raises
    ------
    ConfigError
        If a class has no language head, or is of another family.
    """
    classes = config.get("architectures")
    if not classes:
        return
    if not isinstance(classes, (list, tuple)):
        raise ConfigError(f"the field 'architectures' is {shown(classes, 40)}, but must be a list of names")
    for each in classes:
        if not isinstance(each, str) or not stem(each):
            raise ConfigError(
                f"'architectures' holds {shown(each, 50)}, which has no language head: {family} has one"
            )
        if stem(each) not in expected:
            raise ConfigError(
                f"'architectures' holds {shown(each, 50)}, which is not of model_type {family!r}"
            )
