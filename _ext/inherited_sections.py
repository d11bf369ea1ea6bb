"""Complete the docstring of an override with the sections of the method whose contract it keeps.

An override says in one line what it counts, and its parameters and what it returns mean what they mean in the
base class. Sphinx takes over a whole docstring where there is none, and nothing where there is one line.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HEAD = re.compile(r"^([A-Z][A-Za-z ]+)\n-{3,}$\n?", re.M)
CONTRACT = ("Parameters", "Returns", "Yields", "Raises")


def sections(text: str) -> dict[str, str]:
    """Split a docstring in NumPy style.

    Parameters
    ----------
    text : str
        The docstring, without common indent.

    Returns
    -------
    dict
        Head of each section -> what stands below it; what comes before the first section is under ``""``.
    """
    lead, *rest = HEAD.split(text)
    return {
        "": lead.strip(),
        **{head: body.strip("\n") for head, body in zip(rest[::2], rest[1::2], strict=True)},
    }


def arguments(function: Callable[..., Any]) -> list[str]:
    """Return the names of a function's parameters, in their order.

    Parameters
    ----------
    function : callable
        The function.

    Returns
    -------
    list of str
    """
    return list(inspect.signature(function).parameters)


def inherited(owner: type, name: str) -> dict[str, str]:
    """Return the sections that a method takes over from those that it overrides.

    Parameters
    ----------
    owner : type
        The class.
    name : str
        A method that it defines.

    Returns
    -------
    dict
        Head -> text, of *Parameters*, *Returns*, *Yields* and *Raises*: each from the nearest base class that
        has it. None is taken from beyond a class whose method has other parameters, or no docstring.
    """
    method = getattr(owner, name)
    found: dict[str, str] = {}
    for base in owner.__mro__[1:]:
        if name not in vars(base):
            continue
        overridden = getattr(base, name)
        text = overridden.__doc__
        if not text or not inspect.isfunction(overridden) or arguments(overridden) != arguments(method):
            break
        for head, body in sections(inspect.cleandoc(text)).items():
            if head in CONTRACT:
                found.setdefault(head, body)
    return found


def completed(text: str, taken: dict[str, str]) -> str:
    """Put sections into a docstring that has none of that name.

    Parameters
    ----------
    text : str
        The docstring.
    taken : dict
        Head -> text.

    Returns
    -------
    str
        What is taken over stands first among the sections, in the usual order.
    """
    own = sections(text)
    both = {**taken, **own}
    order = ["", *(head for head in CONTRACT if head in both)]
    order += [head for head in own if head not in order]
    parts = (f"{head}\n{'-' * len(head)}\n{both[head]}" if head else both[head] for head in order)
    return "\n\n".join(parts) + "\n"


def complete(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Complete the docstring of a method in place, before napoleon reads it."""
    if what != "method" or not inspect.isfunction(obj):
        return
    owner: Any = inspect.getmodule(obj)
    for part in obj.__qualname__.split(".")[:-1]:
        owner = getattr(owner, part, None)
    if inspect.isclass(owner) and obj.__name__ in vars(owner):
        taken = inherited(owner, obj.__name__)
        if taken.keys() - sections("\n".join(lines)).keys():
            lines[:] = completed("\n".join(lines), taken).splitlines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the completion."""
    app.connect("autodoc-process-docstring", complete, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
