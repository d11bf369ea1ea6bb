"""Which variants of a chapter run at each push: a pairwise set of them, chosen by what they change."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any

import pytest

Changes = frozenset[str]


def pairwise(cases: Sequence[Changes]) -> list[int]:
    """Return the places of few cases in which all parameters that any two cases change together are changed.

    The case that adds most pairs is taken first, and of several the first; a parameter alone is a pair too.
    """
    pairs = [set(combinations_with_replacement(sorted(case), 2)) for case in cases]
    left: set[tuple[str, str]] = set().union(*pairs)
    chosen: list[int] = []
    while left:
        best = max(range(len(pairs)), key=lambda place: len(pairs[place] & left))
        chosen.append(best)
        left -= pairs[best]
    return sorted(chosen)


def varied(names: str | tuple[str, ...], cases: Sequence[tuple[Any, ...]], ids: Sequence[str]) -> Any:
    """Parametrise a test with variants, of which all but a pairwise set wait for the weekly run.

    The first value of each case is a dict of parameters.
    """
    now = pairwise([frozenset(case[0]) for case in cases])
    return pytest.mark.parametrize(
        names,
        [
            pytest.param(*case, id=name, marks=() if place in now else pytest.mark.weekly)
            for place, (case, name) in enumerate(zip(cases, ids, strict=True))
        ],
    )
