"""Limits of sizes, integer division rounded up, and the root of a monotone function."""

from __future__ import annotations

import math
from collections.abc import Callable

LIMIT = 2**40  # no size of a model exceeds it
MAX_CONTEXT = 2**40  # tokens
EPSILON = 2.0**-52


STEPS = 200


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a continuous function changes its sign.

    Inverse quadratic interpolation where it is safe, bisection elsewhere :cite:p:`chandrupatla1997root`.

    Parameters
    ----------
    function : callable
        Of one float.
    low, high : float
        Points at which the function has opposite signs, or is zero at one of them.

    Returns
    -------
    float
        The root, within two units of its last place.

    Raises
    ------
    ValueError
        If the function has the same sign at both points.
    """
    a, b = high, low
    fa, fb = function(a), function(b)
    if fa == 0 or fb == 0:
        return a if fa == 0 else b
    if (fa > 0) == (fb > 0):
        raise ValueError(f"the function has the same sign at {low!r} and {high!r}")
    t = 0.5
    for _ in range(STEPS):
        x = a + t * (b - a)
        fx = function(x)
        if (fx > 0) == (fa > 0):
            c, fc = a, fa
        else:
            c, fc, b, fb = b, fb, a, fa
        a, fa = x, fx
        best, least = (a, abs(fa)) if abs(fa) < abs(fb) else (b, abs(fb))
        limit = (2 * EPSILON * abs(best) + 1e-300) / abs(b - a) if b != a else 1.0
        if least == 0 or limit > 0.5:
            return best
        t = min(max(_interpolated(a, b, c, fa, fb, fc), limit), 1 - limit)
    return best


def _interpolated(a: float, b: float, c: float, fa: float, fb: float, fc: float) -> float:
    """Return the next point as a share of the way from `a` to `b`."""
    if not all(map(math.isfinite, (fa, fb, fc))) or fc == fb:
        return 0.5
    xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
    if not (phi * phi < xi and (1 - phi) ** 2 < 1 - xi):
        return 0.5
    return fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)


def ceil_div(numerator: int, denominator: int) -> int:
    """Return a quotient of integers, rounded up."""
    return -(-numerator // denominator)
