"""Hostile calls: what is given, under which limits, and whether what comes back makes sense."""

import collections.abc
import contextlib
import inspect
import math
import random
import resource
import signal
import traceback
import types
import typing
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile.inventory import Callee

from cohort.errors import CohortError
from cohort.errors.arguments import fits

SECONDS = 2  # of processor time
WAITING = 20  # seconds on the clock: nothing waits for a pipe
BYTES = 500 * 2**20
LONGEST = 400  # characters of a sentence


class Unprintable:
    """An object that cannot be shown, compared or measured."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = object.__hash__

    def __len__(self) -> int:
        raise RuntimeError("no length")


def nested(depth: int) -> list[Any]:
    """Return lists within lists."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


# Each is made anew, so that no call spoils the next.
POOL: tuple[Callable[[], Any], ...] = (
    *(
        (lambda value=value: value)
        for value in (
            None, True, False, 0, 1, -1, 2, 7, 10**6, -(10**9), 2**63, 10**30, 10**400, 10**5000,
            0.0, -0.0, 0.5, -1.5, 1e-320, 1e300, -1e300, math.nan, math.inf, -math.inf, 1j,
            "", " ", "a\nb", "\x00", "\x1b[2J", "\u202e", "\ud800", "nan", "1e999", "../../x", "x" * 100_000,
            "llama-3-8", "h100", "bf-16", "besirogl", "USSR", "<script>alert(1)</script>", "=1+1", "%s{0}",
            b"", b"\xff\xfe", (), (1,), (None,), ("a", "b"), frozenset({1}), range(3), ...,
            Path("nowhere"), Path("."), Path("/dev/null"),
        )
    ),
    object, Unprintable, list, dict, lambda: [1, "a", None], lambda: [math.nan], lambda: [-1.0, 0.0],
    lambda: {"a": 1}, lambda: {1: 2}, lambda: {"": None}, lambda: nested(50), lambda: nested(5_000),
    lambda: iter(()), lambda: [[1, 2], [3]], lambda: ["llama-3-8b", 7], lambda: [Unprintable()],
    lambda: bytearray(b"a"),
)  # fmt: skip

# What a parameter takes of which no example is known, by its name; the rest comes from its type.
PLAIN: dict[type, tuple[Any, ...]] = {
    int: (1, 2, 8, 64),
    float: (0.5, 1.0, 1e9),
    str: ("llama-3-8b", "bf16", "USA", "H100 SXM 80GB"),
    bool: (True, False),
}


class Caller:
    """Calls of callees, with arguments that are drawn from those known to work and from hostile ones."""

    def __init__(self, found: list[Callee], objects: dict[type, list[Any]]) -> None:
        self.objects = objects
        self.by_name: dict[str, list[Any]] = collections.defaultdict(list)
        for callee in found:
            for call in callee.calls:
                for name, value in call.items():
                    if name != "self" and len(self.by_name[name]) < 12:
                        self.by_name[name].append(value)

        self.made: dict[type, list[Any]] = {}
        for callee in found:
            if callee.owner is not None and not any(issubclass(each, callee.owner) for each in objects):
                self.made[callee.owner] = list(self.making(callee))

    def making(self, callee: Callee) -> Iterator[Any]:
        """Yield objects of a class of which no example has any, made from what may well work."""
        draw = random.Random(callee.name)
        for _ in range(20):
            given = {
                name: self.working(callee.hints.get(name), name, draw)
                for name, each in callee.signature.parameters.items()
                if name != "self" and each.default is inspect.Parameter.empty
            }
            hints = [callee.hints.get(name, Any) for name in given]
            if Any not in hints and all(map(fits, given.values(), hints)):
                with contextlib.suppress(Exception):
                    yield callee.owner(**given)

    def working(self, hint: Any, name: str, draw: random.Random) -> Any:
        """Return a value that a parameter may well take."""
        hint = None if hint is Any else hint
        origin, inner = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, types.UnionType):
            return self.working(draw.choice(inner), name, draw)
        if origin is collections.abc.Callable or hint is collections.abc.Callable:
            return draw.choice(self.by_name[name]) if self.by_name[name] else None
        if origin is tuple and inner and inner[-1] is not ...:
            return tuple(self.working(each, "", draw) for each in inner)
        if origin is not None and isinstance(origin, type):
            if issubclass(origin, collections.abc.Mapping):
                return {self.working(inner[0], "", draw): self.working(inner[1], "", draw)}
            items = [self.working(inner[0], "", draw) for _ in range(draw.randint(1, 3))] if inner else []
            return tuple(items) if origin is tuple else items
        if getattr(hint, "_is_protocol", False):
            hint = None
        fitting = [
            each for each in self.by_name[name] if not isinstance(hint, type) or isinstance(each, hint)
        ]
        if fitting:
            return draw.choice(fitting)
        if hint in PLAIN:
            return draw.choice(PLAIN[hint])
        if isinstance(hint, type):
            kept = [
                each for kind, values in self.objects.items() if issubclass(kind, hint) for each in values
            ]
            return draw.choice(kept) if kept else None
        return draw.choice(self.by_name[name]) if self.by_name[name] else None

    def arguments(self, callee: Callee, draw: random.Random) -> dict[str, Any]:
        """Return arguments, at least one of them hostile where there is any."""
        known = draw.choice(callee.calls) if callee.calls else {}
        parameters = [
            each for each in callee.signature.parameters.values() if each.name not in ("self", "cls")
        ]
        share = draw.choice((0.15, 0.4, 1.0))
        spoilt = draw.choice(parameters).name if parameters else ""
        given: dict[str, Any] = {}
        for each in parameters:
            if each.name == spoilt or draw.random() < share:
                given[each.name] = self.hostile(each, callee, draw)
            elif each.name in known:
                given[each.name] = known[each.name]
            elif each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
                continue
            elif each.default is inspect.Parameter.empty or draw.random() < 0.3:
                given[each.name] = self.working(callee.hints.get(each.name), each.name, draw)
        if "self" in callee.signature.parameters and callee.owner is None:
            given["self"] = known.get("self", ...)
        return given

    def hostile(self, parameter: inspect.Parameter, callee: Callee, draw: random.Random) -> Any:
        """Return what a parameter does not expect, or something of the right type from anywhere."""
        if draw.random() < 0.2:
            value = self.working(callee.hints.get(parameter.name), "", draw)
        else:
            value = draw.choice(POOL)()
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return (value,)
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            names = {
                "model",
                "pue",
                "nonsense",
                "grid_g_per_kwh",
                "context",
            } - callee.signature.parameters.keys()
            return {draw.choice(sorted(names)): value}
        return value

    def own(self, callee: Callee) -> list[Any]:
        """Return objects that have a method."""
        kind = callee.kind or object
        found = [each for values in self.objects.values() for each in values if isinstance(each, kind)]
        return found or self.made.get(kind, [])[:4]


def bound(
    callee: Callee, given: dict[str, Any], caller: Caller, draw: random.Random
) -> Callable[[], Any] | None:
    """Return the call of a callee with arguments, or None for a method of which no object is known."""
    function = callee.owner or callee.function
    arguments = dict(given)
    if "self" in arguments:
        owner = arguments.pop("self")
        if owner is ...:
            kept = caller.own(callee)
            if not kept:
                return None
            owner = draw.choice(kept)
        # As its class has it: the method of another class may take other arguments.
        function = types.MethodType(callee.function, owner)
    positional, keywords, after = [], {}, False
    for each in callee.signature.parameters.values():
        if each.name in ("self", "cls"):
            continue
        if each.name not in arguments:
            after = True
            continue
        value = arguments[each.name]
        if each.kind is each.VAR_POSITIONAL:
            positional += value
        elif each.kind is each.VAR_KEYWORD:
            keywords.update(value)
        elif each.kind is each.KEYWORD_ONLY or (after and each.kind is not each.POSITIONAL_ONLY):
            keywords[each.name] = value
        else:
            positional.append(value)
    return lambda: function(*positional, **keywords)


class TooSlowError(BaseException):
    """A call took too long; no handler of the package takes it for its own."""


@contextlib.contextmanager
def limits() -> Iterator[None]:
    """Bound time and memory of what is done within."""

    def stop(number: int, frame: object) -> None:
        raise TooSlowError

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + BYTES, hard))
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, WAITING)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        for number, handler in before.items():
            signal.signal(number, handler)


def fault(call: Callable[[], Any], given: dict[str, Any], may_be_slow: bool = False) -> str:
    """Return what is wrong with how a call ends, or nothing; what may not be slow is slow twice."""
    for _ in range(1 if may_be_slow else 2):  # also where the machine stood still for a while
        with contextlib.suppress(TooSlowError):
            return _fault(call, given)
    return "" if may_be_slow else f"takes over {SECONDS} s"


def _fault(call: Callable[[], Any], given: dict[str, Any]) -> str:
    try:
        with limits(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call()
            if inspect.isgenerator(result):
                for _ in zip(range(1000), result, strict=False):
                    pass
    except CohortError as error:
        return ill_worded(str(error))
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | TooSlowError):
            raise
        if failed_in(error, given):
            return ""
        return f"{type(error).__name__}: {said(error)}"
    if isinstance(result, float) and math.isnan(result) and not any(map(holds_nan, given.values())):
        return "an answer that is not a number"
    return ""


def holds_nan(value: Any) -> bool:
    """Whether an argument is no number itself, so that the answer may be none either."""
    if isinstance(value, list | tuple):
        return any(map(holds_nan, value[:100]))
    if isinstance(value, dict):
        return any(map(holds_nan, value.values()))
    return isinstance(value, float) and not math.isfinite(value)


def failed_in(error: BaseException, given: dict[str, Any]) -> bool:
    """Whether an error is that of a function that was given."""
    codes = {getattr(each, "__code__", None) for each in given.values()} - {None}
    return any(frame.f_code in codes for frame, _ in traceback.walk_tb(error.__traceback__))


def said(error: BaseException) -> str:
    """Return what an error says, in short."""
    try:
        return str(error)[:150]
    except Exception:
        return "what cannot be shown"


def ill_worded(message: str) -> str:
    """Return what is wrong with a sentence, or nothing."""
    if not message or not message.isprintable():
        return f"no line of text: {message[:200]!r}"
    return f"{len(message)} characters: {message[:60]!r}" if len(message) > LONGEST else ""


def place(error_of: Callable[[], Any]) -> str:
    """Return where a call fails, for whoever mends it."""
    try:
        with limits():
            error_of()
    except BaseException as error:
        own = [each for each in traceback.extract_tb(error.__traceback__) if "/cohort/" in each.filename]
        return f"{own[-1].filename.partition('/src/')[2]}:{own[-1].lineno}" if own else "at the call"
    return ""
