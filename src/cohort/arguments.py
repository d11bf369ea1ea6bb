"""Arguments of the wrong type, said in a sentence: looked for once a call has failed, so that none pays for it.

A public function says the ranges and names of its arguments by itself, through `cohort.errors`. That each is of
the type in its signature is checked here, for all of a module, and on the way to an error alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any

from cohort.errors import CohortError, ParameterError, shown

if TYPE_CHECKING:
    from inspect import Signature

SEEN = 1000  # entries of a list that are looked at
LONGEST = 320  # characters
CACHED = ("cache_clear", "cache_info", "cache_parameters")


class MistypedError(ParameterError):
    """An argument of another type than its function takes."""


def explain(module: str) -> None:
    """Have the public functions, methods and classes of a module say which argument is of the wrong type.

    A function that fails with anything but a CohortError is asked again: where an argument has not the type
    of its annotation, or is a number without bound, or the arithmetic has no result, that is said. Any other
    failure is one of the package, and stays what it is.

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
            names[name] = explained(value)


def _explain_class(kind: type) -> None:
    """Have the methods of a class, and its making, say which argument is of the wrong type."""
    if issubclass(kind, BaseException) or getattr(kind, "_is_protocol", False):
        return
    own = dict(vars(kind))
    for name, value in own.items():
        if name == "__init__" and ("__post_init__" in dir(kind) or "__dataclass_fields__" not in own):
            setattr(kind, name, explained(value))
        elif name.startswith("_"):
            continue
        elif isinstance(value, classmethod | staticmethod):
            setattr(kind, name, type(value)(explained(value.__func__)))
        elif hasattr(value, "__code__"):
            setattr(kind, name, explained(value))


def explained(function: Callable[..., Any]) -> Callable[..., Any]:
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
    >>> explained(half)("ten")
    Traceback (most recent call last):
    cohort.arguments.MistypedError: number is 'ten', but must be a number
    """
    from inspect import isgeneratorfunction

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except MistypedError as error:
            raise _why(function, args, kwargs, error) or error from None
        except CohortError:
            raise
        except Exception as error:
            reason = _why(function, args, kwargs, error)
            if reason is None:
                raise
            raise reason from error

    @wraps(function)
    def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from function(*args, **kwargs)
        except CohortError:
            raise
        except Exception as error:
            reason = _why(function, args, kwargs, error)
            if reason is None:
                raise
            raise reason from error

    for name in CACHED:
        if hasattr(function, name):
            setattr(call, name, getattr(function, name))
    return steps if isgeneratorfunction(function) else call


def _why(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
) -> ParameterError | None:
    """Return which argument a failure is due to, or None where it is the function's own."""
    signature, hints = _described(function)
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:  # too many or too few: said by the interpreter
        return None
    for name, value in given.items():
        hint = hints.get(name, Any)
        each = signature.parameters[name]
        if each.kind is each.VAR_POSITIONAL:
            hint = tuple[hint, ...]
        elif each.kind is each.VAR_KEYWORD:
            hint = dict[str, hint]  # type: ignore[valid-type]
        if not _safely(fits, value, hint):
            return MistypedError(f"{name} is {shown(value)}, but must be {in_words(hint)}"[:LONGEST])
    if isinstance(error, MistypedError):
        return None
    for name, value in given.items():
        if not _safely(is_bounded, value):
            return ParameterError(f"{name} is {shown(value)}, but must be finite")
    if isinstance(error, ArithmeticError):
        said = ", ".join(f"{name}={shown(value, 30)}" for name, value in given.items() if name != "self")
        return ParameterError(f"{function.__name__} has no result for {said}"[:LONGEST])
    return None


def _safely(check: Callable[..., bool], *given: Any) -> bool:
    """Return whether a check holds; an object that cannot even be asked fits nothing."""
    try:
        return check(*given)
    except Exception:
        return False


@lru_cache(maxsize=256)
def _described(function: Callable[..., Any]) -> tuple[Signature, dict[str, Any]]:
    """Return the signature of a function, and its annotations as far as they can be read."""
    from collections import abc
    from inspect import signature, unwrap

    inner = unwrap(function)
    names = {**vars(abc), **inner.__globals__}
    hints = {}
    for name, text in inner.__annotations__.items():
        try:
            hints[name] = eval(text, names) if isinstance(text, str) else text
        except Exception:  # a name that only a type checker imports
            hints[name] = Any
    return signature(inner), hints


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
    from collections import abc
    from numbers import Integral, Real
    from types import UnionType
    from typing import Literal, TypeVar, Union, get_args, get_origin

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
    if getattr(hint, "_is_protocol", False):
        return all(hasattr(value, name) for name in vars(hint) if not name.startswith("_"))
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
    from collections import abc
    from itertools import islice

    if not inner or not isinstance(value, abc.Sized):
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
    from collections import abc
    from types import UnionType
    from typing import Union, get_args, get_origin

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
    if isinstance(kind, type) and issubclass(kind, abc.Mapping):
        return f"a mapping of {in_words(inner[0])} to {in_words(inner[1])}" if inner else "a mapping"
    if kind is tuple and inner and inner[-1] is not ...:
        return f"({', '.join(map(in_words, inner))})"
    if kind in (list, tuple, set, frozenset) or getattr(kind, "__module__", "") == "collections.abc":
        return f"a list of {MANY.get(inner[0]) or in_words(inner[0])}" if inner else "a list"
    return f"a {getattr(kind, '__name__', hint)}"
