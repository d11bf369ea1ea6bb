"""Limits that are passed, said in words: a text that is longer than a model is offered for."""

from __future__ import annotations

from collections.abc import Iterable

from cohort.architecture import ModelSpec
from cohort.architecture.registered import title
from cohort.display.words import counted
from cohort.errors.arguments import explain
from cohort.serving.memory import offered_context

NAMED = 3  # models that a sentence names


def beyond_offered(models: Iterable[ModelSpec], context: int) -> str:
    """Return a sentence on the models whose offered context a text passes; nothing where none is passed.

    Parameters
    ----------
    models : iterable of ModelSpec
        The models that a chapter counts at this length.
    context : int
        Tokens of a sequence.

    Returns
    -------
    str
        Markdown. A model whose makers and config state no limit passes none.

    Examples
    --------
    >>> import cohort
    >>> beyond_offered([cohort.model("llama-3-8b")], 8192)
    ''
    >>> print(beyond_offered([cohort.model("llama-3-8b")], 65536))
    Llama 3 8B is offered for 8,192 tokens, fewer than 65,536: it is counted here as if it went so far.
    """
    limits = {title(spec): offered_context(spec) for spec in models}
    passed = {name: limit for name, limit in limits.items() if limit is not None and limit < context}
    if not passed:
        return ""
    if len(limits) == 1:
        ((name, limit),) = passed.items()
        return (
            f"{name} is offered for {counted(limit, 'token')}, fewer than {context:,}: it is counted here as "
            "if it went so far."
        )
    short = sorted(passed, key=lambda name: passed[name])[:NAMED]
    named = ", ".join(f"{name} ({passed[name]:,})" for name in short)
    rest = " and others" if len(passed) > NAMED else ""
    are, went = ("is", "it") if len(passed) == 1 else ("are", "they")
    return (
        f"{len(passed):,} of {counted(len(limits), 'model')} {are} offered for fewer than {context:,} "
        f"tokens: {named}{rest}. Here all are counted as if {went} went so far."
    )


explain(__name__)
