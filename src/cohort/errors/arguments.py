"""Arguments of the wrong type, said in a sentence: looked for once a call has failed, so that few pay for it.

A public function says the ranges and names of its arguments by itself, through `cohort.errors`. That each is
of the type in its signature is checked here, for all of a module, and on the way to an error alone.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections import abc
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from cohort.errors import CohortError, ParameterError, shown

SEEN = 1000  # entries of a list that are looked at
LONGEST = 320  # characters
# The call of a function: where it fails, the reason is looked for.
TEMPLATE = """
def make(_function_, _why_):
    def call({takes}):
        try:
            {answer} _function_({gives})
        except Exception as _error_:
            _reason_ = _why_(_function_, {{{given}}}, _error_)
            if _reason_ is None:
                raise
            raise _reason_ from _error_
    return call
"""
MEANT = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR
CACHED = ("cache_clear", "cache_info", "cache_parameters")


class MistypedError(ParameterError):
    """An argument of another type than its function takes."""


def explain(module: str) -> None:
    """Have the public functions, methods and classes of a module say which argument is of the wrong type.

    Where one fails with anything but a CohortError, its arguments are looked at: that one has not the type of
    its annotation, or is a number without bound, or that the values given have no answer, becomes a
    ParameterError, with what failed as its cause. Any other failure is the package's own, and stays what it
    is.

    Parameters
    ----------
    module : str
        Its name; called as the module's last statement.
    """
    names = vars(sys.modules[module])
    for name, value in list(names.items()):
        if name.startswith("_") or getattr(value, "__module__", None) != module:
            continue
        if isinstance(value, type):
            _explain_class(value)
        elif hasattr(value, "__code__") or hasattr(value, "cache_info"):
            names[name] = with_reasons(value)


def _explain_class(kind: type) -> None:
    """Have the methods of a class, and its making, say which argument is of the wrong type."""
    if issubclass(kind, BaseException) or getattr(kind, "_is_protocol", False):
        return
    own = dict(vars(kind))
    for name, value in own.items():
        if name == "__init__" and ("__post_init__" in dir(kind) or "__dataclass_fields__" not in own):
            setattr(kind, name, with_reasons(value))
        elif name.startswith("_"):
            continue
        elif isinstance(value, classmethod | staticmethod):
            setattr(kind, name, type(value)(with_reasons(value.__func__)))
        elif hasattr(value, "__code__"):
            setattr(kind, name, with_reasons(value))


def with_reasons(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that says which of its arguments is of the wrong type.

    Parameters
    ----------
    function : callable
        With annotations.

    Returns
    -------
    callable
        Does the same; its own failure with a wrong argument is a MistypedError.

    Examples
    --------
    >>> def half(number: float) -> float:
    ...     return number / 2
    >>> with_reasons(half)("ten")
    Traceback (most recent call last):
    cohort.errors.arguments.MistypedError: number is 'ten', but must be a number
    """
    code = inspect.unwrap(function).__code__
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    count += bool(code.co_flags & inspect.CO_VARKEYWORDS)
    shape = (code.co_varnames[:count], code.co_posonlyargcount, code.co_argcount, code.co_flags & MEANT)
    call: Callable[..., Any] = _maker(*shape)(function, _why)
    call.__defaults__ = inspect.unwrap(function).__defaults__
    call.__kwdefaults__ = inspect.unwrap(function).__kwdefaults__
    for name in CACHED:
        if hasattr(function, name):
            setattr(call, name, getattr(function, name))
    return wraps(function)(call)


@cache
def _maker(names: tuple[str, ...], positional: int, plain: int, flags: int) -> Callable[..., Any]:
    """Return what makes a function with some parameters that calls another: as fast as calls can be."""
    stars = bool(flags & inspect.CO_VARARGS), bool(flags & inspect.CO_VARKEYWORDS)
    only = len(names) - sum(stars)
    takes, gives = list(names[:plain]), list(names[:plain])
    if positional:
        takes.insert(positional, "/")
    if stars[0]:
        takes.append(f"*{names[only]}")
        gives.append(f"*{names[only]}")
    elif plain < only:
        takes.append("*")
    takes += names[plain:only]
    gives += [f"{name}={name}" for name in names[plain:only]]
    if stars[1]:
        takes.append(f"**{names[-1]}")
        gives.append(f"**{names[-1]}")
    answer = "yield from" if flags & inspect.CO_GENERATOR else "return"
    given = ", ".join(f"{name!r}: {name}" for name in names)
    scope: dict[str, Any] = {}
    exec(TEMPLATE.format(takes=", ".join(takes), gives=", ".join(gives), answer=answer, given=given), scope)
    made: Callable[..., Any] = scope["make"]
    return made


def _why(function: Callable[..., Any], given: dict[str, Any], error: Exception) -> ParameterError | None:
    """Return which argument a failure is due to, or None where it is the function's own."""
    if isinstance(error, CohortError) and not isinstance(error, MistypedError):
        return None
    signature, hints = _described(function)
    for name, value in given.items():
        hint = hints.get(name, Any)
        each = signature.parameters[name]
        if each.kind is each.VAR_POSITIONAL:
            hint = tuple[hint, ...]  # type: ignore[valid-type]
        elif each.kind is each.VAR_KEYWORD:
            hint = dict[str, hint]  # type: ignore[valid-type]
        if not _safely(fits, value, hint):
            return MistypedError(f"{name} is {shown(value)}, but must be {in_words(hint)}"[:LONGEST])
    if isinstance(error, MistypedError):
        return None
    for name, value in given.items():
        if not _safely(is_bounded, value):
            return ParameterError(f"{name} is {shown(value)}, but must be finite")
    return _unanswered(function, given, error)


def _unanswered(
    function: Callable[..., Any], given: dict[str, Any], error: Exception
) -> ParameterError | None:
    """Return in a sentence why there is no answer to arguments of the right types, or None."""
    if isinstance(error, KeyError) and error.args:
        key = error.args[0]
        for name, value in given.items():
            if value is key:
                return ParameterError(f"{name} is {shown(value)}, which is not known")
            if isinstance(value, abc.Mapping) or hasattr(value, "columns"):
                return ParameterError(f"{name} has no {shown(key)}")
    if isinstance(error, AttributeError):
        for name, value in given.items():
            if isinstance(value, str | list | tuple) and error.name in value:
                return ParameterError(f"{name} is {shown(value)}, but {error}")
            if error.obj is value and hasattr(value, "columns"):
                return ParameterError(f"{name} has no {shown(error.name)}")
        return None
    unexpected = re.search(r"(?:unexpected|multiple values for) (?:keyword )?argument '(.*)'", str(error))
    if isinstance(error, TypeError) and unexpected:
        for name, value in given.items():
            if isinstance(value, abc.Mapping) and unexpected[1] in value:
                return ParameterError(
                    f"{name} has {shown(unexpected[1])}, which {function.__name__} takes not"
                )
    if not isinstance(error, ArithmeticError | ValueError | LookupError | RecursionError | OSError):
        return None
    said = ", ".join(f"{name}={shown(value, 30)}" for name, value in given.items() if name != "self")
    return ParameterError(f"{function.__name__}({said[:120]}) has no answer: {error}"[:LONGEST])


def _safely(check: Callable[..., bool], *given: Any) -> bool:
    """Return whether a check holds; an object that cannot even be asked fits nothing."""
    try:
        return check(*given)
    except Exception:
        return False


class _Names(dict[str, Any]):
    """The names of a module; those that only a type checker imports are found where they are defined."""

    def __missing__(self, name: str) -> Any:
        for module in [abc, *(each for key, each in sys.modules.items() if key.startswith("cohort."))]:
            if name in vars(module):
                return vars(module)[name]
        if name in ("np", "pd"):
            return sys.modules[{"np": "numpy", "pd": "pandas"}[name]]
        raise KeyError(name)


def _described(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    """Return the signature of a function, and its annotations as far as they can be read."""
    inner = inspect.unwrap(function)
    names = _Names(inner.__globals__)
    hints = {}
    for name, text in inner.__annotations__.items():
        try:
            hints[name] = eval(text, {}, names) if isinstance(text, str) else text
        except Exception:  # of a library that is not imported
            hints[name] = Any
    return inspect.signature(inner), hints


def _meant(hint: Any) -> Any:
    """Return what an annotation stands for: a named type (as NumPy has for arrays) is what it names."""
    from typing import get_origin

    while True:
        named = hint if hasattr(hint, "__value__") else get_origin(hint)
        if not hasattr(named, "__value__"):
            return hint
        inner = getattr(hint, "__args__", ())
        hint = named.__value__[inner] if inner else named.__value__


def fits(value: object, hint: Any) -> bool:
    """Return whether a value is of the type of an annotation.

    Parameters
    ----------
    value : object
        What was given.
    hint : object
        An annotation, not as text.

    Returns
    -------
    bool
        True too where the annotation says nothing that can be checked.

    Examples
    --------
    >>> fits(3, float), fits(True, float), fits(["a", 1], list[str]), fits(None, int | None)
    (True, False, False, True)
    """
    from numbers import Integral, Real
    from types import UnionType
    from typing import Literal, TypeVar, Union, get_args, get_origin, is_typeddict

    hint = _meant(hint)
    if hint is Any or hint is object or isinstance(hint, TypeVar):
        return True
    if hint is None:
        return value is None
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in inner)
    if origin is Literal:
        return value in inner
    if hint in (int, float):
        return isinstance(value, Integral if hint is int else Real) and not isinstance(value, bool)
    if is_typeddict(hint):
        return isinstance(value, dict) and hint.__required_keys__ <= value.keys()
    if getattr(hint, "_is_protocol", False):
        return all(hasattr(value, name) for name in dir(hint) if not name.startswith("_"))
    kind = origin or hint
    if kind is abc.Callable:
        return callable(value)
    if not isinstance(kind, type):
        return True
    if not isinstance(value, kind):
        return False
    return _filled(value, kind, inner)


def _filled(value: Any, kind: type, inner: tuple[Any, ...]) -> bool:
    """Return whether what a container holds is of the types of its annotation."""
    from itertools import islice

    if not inner or not hasattr(value, "__len__"):  # what can be gone through once is left alone
        return True
    if issubclass(kind, abc.Mapping):
        keys, values = inner
        return all(fits(key, keys) and fits(each, values) for key, each in islice(value.items(), SEEN))
    if kind is tuple and inner[-1] is not ...:
        return len(value) == len(inner) and all(map(fits, value, inner))
    if issubclass(kind, abc.Iterable) and kind.__module__ in ("builtins", "collections.abc"):
        return all(fits(each, inner[0]) for each in islice(value, SEEN))
    return True


def is_bounded(value: object) -> bool:
    """Return whether a number, or all numbers of a list, are finite and within what a float holds.

    Parameters
    ----------
    value : object
        What was given.

    Returns
    -------
    bool
        True where it is no number.

    Examples
    --------
    >>> is_bounded([1.0, float("nan")]), is_bounded(10**400), is_bounded("nan")
    (False, False, True)
    """
    from math import isfinite
    from numbers import Real

    if isinstance(value, Real):
        try:
            return isfinite(value)
        except OverflowError:
            return False
    if isinstance(value, dict):
        return all(map(is_bounded, value.values()))
    return not isinstance(value, list | tuple) or all(map(is_bounded, value[:SEEN]))


WORDS = {int: "an integer", float: "a number", str: "text", bool: "True or False", bytes: "bytes"}
MANY = {int: "integers", float: "numbers", str: "texts", bool: "truth values"}


def in_words(hint: Any) -> str:
    """Return an annotation in words.

    Parameters
    ----------
    hint : object
        An annotation, not as text.

    Returns
    -------
    str

    Examples
    --------
    >>> in_words(float | None), in_words(list[str]), in_words(dict[str, int])
    ('a number or None', 'a list of texts', 'a mapping of text to an integer')
    """
    from types import UnionType
    from typing import Union, get_args, get_origin

    hint = _meant(hint)
    origin, inner = get_origin(hint), get_args(hint)
    kind = origin or hint
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(in_words, inner)))
    if hint is None or hint is type(None):
        return "None"
    if hint in WORDS:
        return WORDS[hint]
    if kind is abc.Callable:
        return "a function"
    if isinstance(kind, type) and issubclass(kind, os.PathLike):
        return "a Path"
    if isinstance(kind, type) and issubclass(kind, abc.Mapping):
        return f"a mapping of {in_words(inner[0])} to {in_words(inner[1])}" if inner else "a mapping"
    if kind is tuple and inner and inner[-1] is not ...:
        return f"({', '.join(map(in_words, inner))})"
    if kind in (list, tuple, set, frozenset) or getattr(kind, "__module__", "") == "collections.abc":
        return f"a list of {MANY.get(inner[0]) or in_words(inner[0])}" if inner else "a list"
    return f"a {getattr(kind, '__name__', hint)}"


# The checks themselves are no exception; they cannot say so, since this module stands on theirs.
explain("cohort.errors")
