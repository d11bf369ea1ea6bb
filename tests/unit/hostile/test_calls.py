"""Every public function under calls that mean no good: an answer, or one sentence."""

import random
from pathlib import Path

import pytest
from hostile.calls import Caller, bound, fault
from hostile.inventory import Callee, callees, watched

from cohort.errors import shown

AT_EACH_PUSH, ONCE_A_WEEK = 4_000, 40_000  # calls, shared by all callees
PARTS = 4  # of the weekly calls, so that the workers share them
UNREACHED = 0.06  # of the callees: methods of objects that no example and no guess makes
# Fits to whole sets of runs: what is given decides how long they take.
SLOW = ("cohort.fitting.panel.",)


@pytest.fixture(scope="module")
def callers() -> tuple[list[Callee], Caller]:
    found = callees()
    return found, Caller(found, watched(found))


def attacked(callers: tuple[list[Callee], Caller], numbers: range, seed: int) -> tuple[list[str], set[str]]:
    """Return what is wrong with how calls ended, and the callees that could not be called."""
    found, caller = callers
    wrong, unreached = [], set()
    for number in numbers:
        callee, draw = found[number % len(found)], random.Random(f"{seed}:{number}")
        given = caller.arguments(callee, draw)
        call = bound(callee, given, caller, draw)
        if call is None:
            unreached.add(callee.name)
            continue
        if ill := fault(call, given, may_be_slow=callee.name.startswith(SLOW)):
            told = ", ".join(f"{name}={shown(value)}" for name, value in given.items())
            wrong.append(f"{callee.name}({told}): {ill}")
    return wrong, unreached


@pytest.mark.slow
def test_a_hostile_call_has_an_answer_or_a_sentence(callers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wrong, unreached = attacked(callers, range(AT_EACH_PUSH), 0)
    assert not wrong, "\n".join(wrong)
    assert len(unreached) < UNREACHED * len(callers[0]), sorted(unreached)


@pytest.mark.weekly
@pytest.mark.parametrize("part", range(PARTS))
def test_many_hostile_calls_have_an_answer_or_a_sentence(callers, part, tmp_path, monkeypatch):
    """Other calls each week; the seed stands in the message."""
    monkeypatch.chdir(tmp_path)
    seed = random.SystemRandom().randrange(10**6)
    calls = range(part * ONCE_A_WEEK // PARTS, (part + 1) * ONCE_A_WEEK // PARTS)
    wrong, _ = attacked(callers, calls, seed)
    assert not wrong, f"seed {seed}:\n" + "\n".join(wrong)


@pytest.mark.slow
def test_all_that_the_reference_documents_is_called(callers):
    names = {callee.name for callee in callers[0]}
    assert {"cohort.planning.search.plan", "cohort.serving.roofline.serve"} <= names
    assert len(names) > 700


def test_the_harness_sees_what_it_looks_for(monkeypatch):
    """A traceback, a sentence of two lines, an answer that is no number, and a call that never ends."""
    from cohort.errors import CohortError

    class TwoLinesError(CohortError):
        def __str__(self) -> str:
            return "a\nb"

    def endless() -> None:
        while True:
            pass

    def two_lines() -> None:
        raise TwoLinesError

    monkeypatch.setattr("hostile.calls.SECONDS", 0.1)
    assert fault(lambda: 1 / 0, {}).startswith("ZeroDivisionError")
    assert fault(two_lines, {}).startswith("no line")
    assert fault(lambda: float("nan"), {}) and not fault(lambda: float("nan"), {"x": float("inf")})
    assert fault(endless, {}).startswith("takes over") and not fault(endless, {}, may_be_slow=True)
    assert fault(lambda: bytearray(10**9), {}).startswith("MemoryError")
    assert not fault(lambda: Path("x"), {})
