"""Names of models as hubs, files and people spell them: with organisation, address, tuning and storage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from cohort.errors.arguments import explain
from cohort.registry import facts
from cohort.registry.names import Match, Names, aliases, key

REMEDY = "give the path of its config.json, or one of cohort.models()"

_ADDRESS = re.compile(
    r"(?:hf://(?:models/)?|(?:https?://)?(?:www\.)?(?!\S+?/(?:datasets|spaces)/)"
    r"(?:huggingface\.co|hf\.co|hf-mirror\.com|modelscope\.cn/models|modelscope\.ai/models|ollama\.com/library)/)",
    re.IGNORECASE,
)
# What follows the name in an address: a folder of a revision, a revision, a query, a place on the page.
_AFTER = re.compile(r"/(?:tree|blob|resolve|raw|discussions|commits?|files?|summary)(?:/.*)?$|[@?#].*$")
_ORGANISATION = re.compile(r"^(?:models--)?.*(?:/|--)(?=[^/])")

# What a name says of the numbers that the weights are stored in, and of the form of the file.
_STORED = (
    r"(?:i?q\d(?:[_-](?:k|[01]|xx?s|nl|s|m|l|xl))*|q\df\d+(?:_\d)?|w\d{1,2}a\d{1,2}(?:kv\d+)?|gptq|awq|gguf|"
    r"ggml|exl[23]|\d(?:\.\d+)?[-_ ]?bpw|mlx|mlc|onnx|openvino|coreml|bnb|bitsandbytes|unsloth|ud|hqq|eetq|"
    r"aqlm|marlin|autoround|auto[-_]round|qat|quantized|quantised|dynamic|safetensors|hf|i1|gs?\d{2,3}|\d{2,3}g|"
    r"(?:nv|mx)?fp(?:4|6|8|16|32)|bf16|f16|f32|int[248]|nf4|\d[-_ ]?bits?)"
)
# What it says of training after the first: the shape stays.
_TUNED = r"(?:instruct|instruction|it|chat|base|pt|pretrained|sft|dpo|rlhf|think|thinking|reasoning)"
_PART = r"[-_.:\s(]+{}(?=$|[-_.:\s)])"
_PATTERNS = tuple(re.compile(_PART.format(part), re.IGNORECASE) for part in (_STORED, _TUNED))


def is_address(text: str) -> bool:
    """Return whether a text is the address of a model on a hub.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_address("https://huggingface.co/google/gemma-2-27b"), is_address("google/gemma-2-27b")
    (True, False)
    """
    return bool(_ADDRESS.match(text.strip()))


def without_organisation(text: str) -> str:
    """Return the name of a model without the address and the organisation before it.

    Parameters
    ----------
    text : str
        A spelling of a name.

    Returns
    -------
    str

    Examples
    --------
    >>> without_organisation("https://huggingface.co/google/gemma-2-27b-it/tree/main")
    'gemma-2-27b-it'
    """
    text = text.strip()
    if is_address(text):
        text = _AFTER.sub("", _ADDRESS.sub("", text, count=1))
    return _ORGANISATION.sub("", text.rstrip("/"), count=1)


def shortened(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return a name in three lengths: whole, without its storage, and without its tuning as well.

    Parameters
    ----------
    text : str
        A name without its organisation.

    Returns
    -------
    list of pairs
        The three texts, each with the parts that it lacks, as they were spelt and in their order.

    Examples
    --------
    >>> [name for name, _ in shortened("Llama-3-8B-Instruct-AWQ")]
    ['Llama-3-8B-Instruct-AWQ', 'Llama-3-8B-Instruct', 'Llama-3-8B']
    """
    found: list[tuple[str, tuple[str, ...]]] = [(text, ())]
    whole, dropped = text, []
    for pattern in _PATTERNS:
        dropped += pattern.findall(text)
        text = pattern.sub("", text)
        found.append((text, tuple(part.lstrip("-_.:( \t\n") for part in sorted(dropped, key=whole.index))))
    return found


def _titles() -> Iterator[tuple[str, str]]:
    """Yield further spellings of each model: its title, and name and title after the developer's name."""
    for row in facts.rows("models"):
        developer = row["developer"]
        makers = dict.fromkeys((developer, developer.split()[0]))
        for spelling in (
            row["title"],
            *(f"{maker} {row[form]}" for maker in makers for form in ("model", "title")),
        ):
            yield spelling, row["model"]


@lru_cache(maxsize=2)
def _read(stamp: tuple[int, ...]) -> tuple[Names, Names, dict[str, str]]:
    """Return the models by all spellings, by those without tuning and storage, and notes by key."""
    names = facts.config_names()
    titles = [(spelling, name) for spelling, name in _titles() if name in names]
    others = [(spelling, name) for spelling, name in aliases("model") if name in names]
    notes = {key(row["alias"]): row["note"] for row in facts.rows("aliases") if row["kind"] == "model"}
    whole = Names("model", names, titles, others, remedy=REMEDY)
    return whole, Names("model", names, titles, others, spell=_without_tuning), notes


def _without_tuning(spelling: str) -> str:
    return key(shortened(spelling)[-1][0])


@lru_cache(maxsize=1024)
def _find(given: str, stamp: tuple[int, ...]) -> Match:
    if given in facts.config_names():
        return Match(given)
    whole, short, notes = _read(stamp)
    texts = shortened(without_organisation(given))
    for names in (whole, short):
        for text, dropped in texts:
            found = names.meant(key(text))
            if len(found) == 1:
                return Match(found[0], dropped, notes.get(key(text), ""))
            if found:
                raise whole.refusal(given, found)
    raise whole.refusal(given, part=texts[-1][0])


def find_model(given: str) -> Match:
    """Return the registered model that a name means.

    Parameters
    ----------
    given : str
        A name in any usual spelling: case and separators do not matter, and an organisation or the address of
        a hub may stand before it. What it says of tuning and of storage is left out where no model has it in
        its name, since it leaves the shape as it is.

    Returns
    -------
    Match
        The model's name, and what was left out.

    Raises
    ------
    UnknownNameError
        If it means no registered model, or several; the message names the nearest, or those.

    Examples
    --------
    >>> find_model("meta-llama/Meta-Llama-3-8B-Instruct")
    Match(name='llama-3-8b', left_out=('Instruct',), note='')

    See Also
    --------
    cohort.model : The model itself.
    """
    return _find(given, facts.models_stamp())


explain(__name__)
