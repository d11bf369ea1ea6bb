"""Every public function, class and method of the package, found by inspection, with calls that work.

The calls that work come from the examples in the docstrings: they are run once, and what each public function
is given on the way, by whomever, is kept.
"""

import contextlib
import doctest
import importlib
import inspect
import io
import pkgutil
import re
import sys
import tempfile
import types
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

from meter_logs import ramp, smi
from reading import ROOT

import cohort
from cohort.footprint import from_log

# Chapters, pictures and the runner are not called by readers' programs; the command has tests of its own.
LEFT_OUT = ("chapters", "display", "runner", "cli")
KEPT = 4  # calls of each that are known to work


@dataclass
class Callee:
    """Something public that can be called."""

    name: str
    function: Callable[..., Any]
    owner: type | None = None  # what is made, where it is a class
    kind: type | None = None  # whose method it is
    calls: list[dict[str, Any]] = field(default_factory=list)

    @property
    def inner(self) -> Callable[..., Any]:
        return inspect.unwrap(getattr(self.function, "__func__", self.function))

    @cached_property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.inner)

    @cached_property
    def hints(self) -> dict[str, Any]:
        try:
            return get_type_hints(self.inner)
        except Exception:  # a name that only a type checker imports
            return {}


def modules() -> list[types.ModuleType]:
    """Return the modules that are attacked."""
    found = [importlib.import_module(each.name) for each in walked()]
    return sorted(found, key=lambda module: module.__name__)


def walked() -> Iterator[pkgutil.ModuleInfo]:
    for each in pkgutil.walk_packages(cohort.__path__, "cohort.", onerror=lambda name: None):
        if each.name.split(".")[1] not in LEFT_OUT:
            yield each


def documented() -> set[str]:
    """Return the names of the modules whose members the pages of the reference document."""
    pages = "".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "api").glob("*.md")))
    return set(re.findall(r"automodule:: (\S+)", pages))


def callees() -> list[Callee]:
    """Return all that the reference documents, or that a module exports, in the order of its names."""
    found = []
    pages = documented()
    wings = [each for each in modules() if each.__name__.count(".") == 1]
    exported = {id(vars(each).get(name)) for each in wings for name in getattr(each, "__all__", ())}
    for module in modules():
        for name, value in sorted(vars(module).items()):
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            if module.__name__ not in pages and id(value) not in exported:
                continue
            full = f"{module.__name__}.{name}"
            if inspect.isclass(value):
                found += of_class(full, value)
            elif callable(value) and hasattr(value, "__name__"):
                found.append(Callee(full, value))
    return found


def of_class(full: str, kind: type) -> Iterator[Callee]:
    """Yield the making of a class, and its public methods."""
    if getattr(kind, "_is_protocol", False) or issubclass(kind, BaseException):
        return
    if is_dataclass(kind) or "__init__" in vars(kind):
        yield Callee(full, kind.__init__, kind)
    for name, value in sorted(vars(kind).items()):
        if name.startswith("_"):
            continue
        if inspect.isfunction(value):
            yield Callee(f"{full}.{name}", value, kind=kind)
        elif isinstance(value, classmethod | staticmethod):
            bound = getattr(kind, name)
            yield Callee(f"{full}.{name}", bound)


def watched(found: list[Callee]) -> dict[type, list[Any]]:
    """Run the examples of all docstrings, keep what callees are given, and return objects by type."""
    by_code = {each.inner.__code__: each for each in found if hasattr(each.inner, "__code__")}
    objects: dict[type, list[Any]] = defaultdict(list)

    def watch(frame: types.FrameType, event: str, given: object) -> Callable[..., Any] | None:
        callee = by_code.get(frame.f_code)
        if callee is None:
            return None
        frame.f_trace_lines = False
        if event == "return" and len(objects[type(given)]) < KEPT:
            objects[type(given)].append(given)
        elif event in ("call", "return") and len(callee.calls) < KEPT:
            keep(callee, frame.f_locals)
        return watch

    def keep(callee: Callee, known: dict[str, Any]) -> None:
        names = [name for name in callee.signature.parameters if name in known]
        if not (callee.owner and len(callee.calls)):
            callee.calls.append({name: known[name] for name in names})
        for name in names:
            value = known[name]
            kept = objects[type(value)]
            if len(kept) < KEPT:
                kept.append(value)

    for name in cohort.models():  # so that each kind of layer is seen
        objects[type(cohort.model(name))].append(cohort.model(name))
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    tests = [test for module in modules() for test in finder.find(module, module.__name__)]
    with contextlib.redirect_stdout(io.StringIO()):
        sys.settrace(watch)
        try:
            for test in tests:
                runner.run(test, out=lambda _: None)
            with tempfile.TemporaryDirectory() as folder:  # what needs a file has no example
                from_log(smi(Path(folder) / "a.csv", ramp(20)), boundary="with_embodied")
        finally:
            sys.settrace(None)
    for kind in list(objects):
        for value in list(objects[kind]):
            unfold(value, objects, set())
    return objects


def unfold(value: Any, objects: dict[type, list[Any]], seen: set[int]) -> None:
    """Add what an object is made of to the objects by their type."""
    if id(value) in seen:
        return
    seen.add(id(value))
    inside = [getattr(value, each.name, None) for each in fields(value)] if is_dataclass(value) else ()
    for each in [*inside, *(value if isinstance(value, tuple) else ())]:
        kept = objects[type(each)]
        if len(kept) < KEPT and not any(each is other for other in kept):
            kept.append(each)
        unfold(each, objects, seen)
