"""Directions in which runs leave a law open: which coefficients, why, and a law that stands on the valley.

A direction is flat where coefficients can move together and no predicted loss moves with them. It is read off
the singular values of the losses' slopes by the logarithms of the coefficients, at the best point that the
search has reached. One coefficient for each flat direction is then held, and the others are fitted again with
the certificate that any fit has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np

from cohort.errors import CohortError
from cohort.errors.arguments import explain
from cohort.errors.names import listed
from cohort.fitting.objective import Runs
from cohort.fitting.profiles import allowed
from cohort.fitting.search import LEAST_E, Minima, Search
from cohort.fitting.terms import Array

USUAL = 0.35  # an exponent that a published law of this kind might have
LEAST = {"k": 0.02}  # of an exponent: below it, its power is a constant to the runs
LEAST_EXPONENT = 1e-3
FLAT = 1e-7  # of the largest singular value: below it rounding hides what a coefficient does
PART = 0.1  # of the largest part that a coefficient has in a flat direction
NEXT_TO_NONE = 1e-6  # of the lowest loss
ELSEWHERE = 1.5  # times the exponent of a law: another law, and not the same within rounding
LEVEL = 0.95
EQUAL = 1e-7  # relative: objectives at which end points count as equally good
RAY = 0.01  # of the spread of ln D: how far tokens may be from a power of size and still follow it


@dataclass(frozen=True, eq=False)
class Valley:
    """A law among many that meet the runs equally well.

    Attributes
    ----------
    search : Search
        What was asked, with one coefficient held for each direction that is flat.
    found : Minima
        The minima of the others.
    flat : tuple of str
        Coefficients that the runs leave open.
    held : tuple of str
        Those of them that are held.
    """

    search: Search
    found: Minima
    flat: tuple[str, ...]
    held: tuple[str, ...]


def valley(search: Search, found: Minima) -> Valley | None:
    """Return the best law that stands on a flat direction, certified across it.

    Parameters
    ----------
    search : Search
        What was asked.
    found : Minima
        Where its descents ended; none of them is certified.

    Returns
    -------
    Valley or None
        None where no law is found even with all but one coefficient held.
    """
    point, edge = _lowest(search, found)
    if point is None:
        return None
    names = search.free_names
    for count in range(1, len(names)):
        held, flat = _flat_coefficients(search, point, count)
        at = _holding(search, point, {**edge, **{name: float(_place(search, point, name)) for name in held}})
        starts = np.concatenate([point[None], search.starts])
        minima = at.minima(at.objective(), starts, np.tile(search.runs.weights, (len(starts), 1)))
        if minima.certified.any() and search.within(minima.full[[minima.best]])[0]:
            swapped = {"A", "B", "alpha", "beta"} & set(names) if follows(search.runs) else set()
            best = minima.full[minima.best]
            if is_law(search, best) and not undetermined(at, best):
                named = search.form.printed_names({*flat, *edge, *swapped})
                return Valley(at, minima, named, tuple(at.held))
    return None


def is_law(search: Search, point: Array) -> bool:
    """Return whether the law at a point has coefficients, and losses of the runs, that are numbers.

    Parameters
    ----------
    search : Search
        What was asked.
    point : ndarray, shape (p,)
        The point.

    Returns
    -------
    bool
        False where one is beyond any number.
    """
    runs = search.runs
    given = {"unique_tokens": runs.unique, "bits": runs.bits}
    further = {search.form.extra: given[search.form.extra]} if search.form.extra else {}
    try:
        law = search.form.law(**search.form.coefficients(point, runs))
        return bool(np.isfinite(law.loss(runs.parameters, runs.tokens, **further)).all())
    except (CohortError, OverflowError):
        return False


def _place(search: Search, point: Array, name: str) -> float:
    return float(point[search.form.place(name)])


def _holding(search: Search, point: Array, held: dict[str, float]) -> Search:
    """Return a search with coordinates held; an irreducible loss that has all but vanished is none."""
    if "E" in held and held["E"] < np.log(LEAST_E * search.runs.losses.min()):
        held = {**held, "E": -np.inf}
    return replace(search, held={**search.held, **held})


def _lowest(search: Search, found: Minima) -> tuple[Array | None, dict[str, float]]:
    """Return the best end point whose exponents are above zero, and which of them are held at the least.

    Of end points that are equally good it is the one whose exponents are the most usual.
    """
    ends: list[tuple[Minima, dict[str, float]]] = [(found, {})]
    places = [search.form.place(name) for name in search.form.above_zero]
    positive = (found.full[:, places] > 0).all(axis=1)
    value = np.where(np.isfinite(found.value), found.value, np.inf)
    if not positive.any() or value.min() < value[positive].min() * (1 - EQUAL):
        ends += _faces(search)
    value = np.concatenate([each.value for each, _ in ends])
    full = np.concatenate([each.full for each, _ in ends])
    which = np.repeat(np.arange(len(ends)), len(search.starts))
    sound = np.isfinite(value) & (full[:, places] > 0).all(axis=1) & ~np.isnan(full).any(axis=1)
    if not sound.any():
        return None, {}
    value = np.where(sound, value, np.inf)
    alike = np.flatnonzero(value <= value.min() * (1 + EQUAL) + search.exact)
    unusual = np.abs(np.log(full[alike][:, places] / USUAL)).sum(axis=1) + 10 * (which[alike] > 0)
    best = int(alike[unusual.argmin()])
    return full[best], ends[which[best]][1]


def _faces(search: Search) -> list[tuple[Minima, dict[str, float]]]:
    """Return the ends of descents with exponents held at the least, one or several at a time."""
    ends = []
    names = sorted(name for name in search.form.above_zero if name in search.free_names)
    weights = np.tile(search.runs.weights, (len(search.starts), 1))
    for face in chain.from_iterable(combinations(names, k) for k in range(1, len(names) + 1)):
        held = {name: LEAST.get(name, LEAST_EXPONENT) for name in face}
        at = replace(search, held={**search.held, **held})
        ends.append((at.minima(at.objective(), search.starts, weights), held))
    return ends


def _slopes(search: Search, point: Array) -> tuple[list[str], Array]:
    """Return the free coefficients, and what a step in the logarithm of each does to ln L (f, n)."""
    names = search.free_names
    objective = search.objective()
    vanished = np.isneginf(point)  # E alone: its slope is by E over the lowest loss, not by its logarithm
    point = np.where(vanished, np.log(NEXT_TO_NONE * search.runs.losses.min()), point)
    above = np.where(np.isfinite(objective.fixed), point - objective.fixed, 0.0)
    theta = (above @ np.linalg.pinv(objective.free).T)[None]
    slopes = objective.jacobian(theta)[0]
    places = [search.form.place(name) for name in names]
    factors = [
        (1 / NEXT_TO_NONE if vanished[place] else 1.0)
        if search.form.is_logarithm(name)
        else max(abs(point[place]), LEAST_EXPONENT)
        for name, place in zip(names, places, strict=True)
    ]
    return names, np.nan_to_num(slopes * np.array(factors)[:, None])


def _flat_coefficients(search: Search, point: Array, count: int) -> tuple[list[str], list[str]]:
    """Return coefficients to hold, one a direction of the flattest, and all that take part in them."""
    names, slopes = _slopes(search, point)
    vectors = np.linalg.svd(slopes, full_matrices=True)[0]
    flattest = vectors[:, -count:].copy()
    part = np.linalg.norm(flattest, axis=1)
    flat = [name for name, each in zip(names, part, strict=True) if each > PART * part.max()]
    held: list[str] = []
    for _ in range(count):  # Gram and Schmidt, the largest part first
        part = np.linalg.norm(flattest, axis=1)
        row = int(part.argmax())
        held.append(names[row])
        along = flattest[row] / part[row]
        flattest = flattest - np.outer(flattest @ along, along)
    return held, flat


def undetermined(search: Search, point: Array) -> bool:
    """Return whether some direction is flat but for rounding at a point that looks like a minimum.

    Parameters
    ----------
    search : Search
        What was asked.
    point : ndarray, shape (p,)
        The point.

    Returns
    -------
    bool
        True where a coefficient, or several together, change no predicted loss.
    """
    values = np.linalg.svd(_slopes(search, point)[1], compute_uv=False)
    return len(values) < len(search.free_names) or bool(values[-1] < FLAT * values[0])


def rivals(search: Search, found: Minima) -> tuple[str, ...]:
    """Return the coefficients that another minimum, as good within the noise, has elsewhere.

    Parameters
    ----------
    search : Search
        What was asked.
    found : Minima
        Where its descents ended.

    Returns
    -------
    tuple of str
        In the order of the form; empty where one minimum stands alone.
    """
    limit = allowed(search, float(found.value[found.best]), LEVEL)
    good = found.full[found.certified & (found.value <= limit)]
    best = found.full[found.best]
    exponents = [name for name in search.form.names if name in search.form.above_zero]
    away = [np.abs(np.log(good[:, p] / best[p])) for p in map(search.form.place, exponents)]
    if not away or max(map(np.max, away)) < np.log(ELSEWHERE):
        return ()
    other = good[int(np.max(away, axis=0).argmax())]
    mine, theirs = (search.form.coefficients(each, search.runs) for each in (best, other))
    return search.form.printed_names(
        name for name in search.free_names if abs(np.log(theirs[name] / mine[name])) > np.log(ELSEWHERE)
    )


def why(runs: Runs, flat: Sequence[str]) -> str:
    """Return in words what the runs lack, from the runs alone.

    Parameters
    ----------
    runs : Runs
        The runs.
    flat : sequence of str
        The coefficients that they leave open.

    Returns
    -------
    str
        A clause, with no full stop.
    """
    for column, one, what in (
        (runs.x, "one size", "size"),
        (runs.y, "one number of tokens", "the number of tokens"),
        (runs.z, "one compute", "compute"),
    ):
        if np.ptp(column) < 1e-9:
            return f"all runs have {one}, so what {what} does cannot be seen"
    if follows(runs):
        return "tokens follow size in all runs, so what one does cannot be told from what the other does"
    for values, what in ((runs.parameters, "sizes"), (runs.tokens, "numbers of tokens")):
        if len(np.unique(values)) == 2:
            return f"the runs have two {what} alone, too few for a power law beside a constant"
    return f"the {len(runs.losses)} runs do not fix {listed(flat)}"


def follows(runs: Runs) -> bool:
    """Return whether the tokens of the runs are a power of their sizes.

    Parameters
    ----------
    runs : Runs
        The runs.

    Returns
    -------
    bool
        True where none is further off than a hundredth of the spread of ln D.
    """
    slope, level = np.polyfit(runs.x, runs.y, 1) if np.ptp(runs.x) > 0 else (0.0, 0.0)
    return bool(np.abs(runs.y - slope * runs.x - level).max() < RAY * np.ptp(runs.y))


explain(__name__)
