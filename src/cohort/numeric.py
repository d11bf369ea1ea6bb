"""Limits of sizes, integers rounded up, a root, the excess of a binomial number, and least squares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from cohort.errors import ParameterError
from cohort.errors.arguments import explain

LIMIT = 2**40  # no size of a model exceeds it
SMOOTH = 1e4  # deviation from which the sum over a binomial number is taken for an integral
# Places and weights of Gauss's rule of five, between -1 and 1.
GAUSS = (
    (0.0, 128 / 225),
    *(
        (sign * math.sqrt(5 - 2 * math.sqrt(10 / 7)) / 3, (322 + 13 * math.sqrt(70)) / 900)
        for sign in (-1, 1)
    ),
    *(
        (sign * math.sqrt(5 + 2 * math.sqrt(10 / 7)) / 3, (322 - 13 * math.sqrt(70)) / 900)
        for sign in (-1, 1)
    ),
)
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
    ParameterError
        If the function has the same sign at both points.

    Examples
    --------
    >>> round(root(lambda x: x * x - 2, 0, 2), 12)
    1.414213562373
    """
    a, b = high, low
    fa, fb = function(a), function(b)
    if fa == 0 or fb == 0:
        return a if fa == 0 else b
    if (fa > 0) == (fb > 0):
        raise ParameterError(f"the function has the same sign at {low!r} and {high!r}")
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


def least(function: Callable[[float], float], low: float, high: float, points: int = 64) -> float:
    """Return where a function with one valley is least.

    A grid finds the valley, sections in the golden ratio its floor.

    Parameters
    ----------
    function : callable
        Of one float; may be infinite.
    low, high : float
        Ends of the search.
    points : int
        Of the grid.

    Returns
    -------
    float
        The place, to about eight digits.

    Examples
    --------
    >>> round(least(lambda x: (x - 2) ** 2, -50, 50), 6)
    2.0
    """
    step = (high - low) / points
    place = min(range(points + 1), key=lambda k: function(low + k * step))
    a, b = low + max(place - 1, 0) * step, low + min(place + 1, points) * step
    ratio = (math.sqrt(5) - 1) / 2
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    fc, fd = function(c), function(d)
    while b - a > 1e-10 * (1 + abs(a)):
        if fc <= fd:
            b, d, fd = d, c, fc
            c = b - ratio * (b - a)
            fc = function(c)
        else:
            a, c, fc = c, d, fd
            d = a + ratio * (b - a)
            fd = function(d)
    return (a + b) / 2


def ceil_div(numerator: int, denominator: int) -> int:
    """Return a quotient of integers, rounded up.

    Parameters
    ----------
    numerator, denominator : int
        What is divided, and by what.

    Returns
    -------
    int
        The least integer that is not below the quotient.

    Examples
    --------
    >>> ceil_div(7, 2)
    4
    """
    return -(-numerator // denominator)


def binomial_excess(trials: int, probability: float, room: int) -> float:
    """Return the expectation of what a binomial number exceeds a bound by.

    Parameters
    ----------
    trials : int
        Trials.
    probability : float
        Of each.
    room : int
        The bound.

    Returns
    -------
    float
        At least 0.

    Examples
    --------
    >>> binomial_excess(trials=2, probability=0.5, room=1)
    0.25
    """
    mean = trials * probability
    if room >= trials or probability <= 0:
        return 0.0
    if probability >= 1:
        return float(trials - room)
    deviation = math.sqrt(mean * (1 - probability))
    reach = 12 * deviation + 40
    if room < mean:  # the smaller tail is the one below: add what is missing there
        step, beyond, span = -1, mean - room, min(reach - (mean - room), room)
    else:
        step, beyond, span = 1, 0.0, min(reach, trials - room)
    if span < 1:
        return beyond
    if deviation > SMOOTH:
        return beyond + _smooth_tail(trials, probability, room, step * span, deviation)
    return beyond + _tail(trials, probability, room, room + step * math.floor(span), step)


def _tail(trials: int, probability: float, room: int, end: int, step: int) -> float:
    """Return the sum of distances from a bound, each by its probability, in one direction from it.

    The terms rise to one peak and fall from there: after one that leaves the sum as it is, none counts.
    """
    value = room + step
    ratio = probability / (1 - probability)
    weight = _binomial(trials, probability, value)
    total = 0.0
    while True:
        before, total = total, total + abs(value - room) * weight
        if value == end or total == before:
            return total
        weight *= (trials - value) / (value + 1) * ratio if step > 0 else value / (trials - value + 1) / ratio
        value += step


def _smooth_tail(trials: int, probability: float, room: int, span: float, deviation: float) -> float:
    """Return what `_tail` does where its terms are too many to add: an integral, less what it has too much.

    By Gauss's rule in steps of a quarter of a deviation. The sum of a function that is 0 at its first place
    falls short of its integral by a twelfth of its slope there (Euler and Maclaurin); what is next counts
    less than 1e-16.
    """
    panels = math.ceil(4 * abs(span) / deviation)
    half = span / panels / 2
    terms = (
        share * distance * half * _binomial(trials, probability, room + distance)
        for panel in range(panels)
        for node, share in GAUSS
        for distance in [half * (2 * panel + 1 + node)]
    )
    return math.fsum(terms) - _binomial(trials, probability, room) / 12


def _binomial(trials: int, probability: float, value: float) -> float:
    """Return the probability of one value, also between integers :cite:p:`loader2000binomial`.

    What is small is computed as such, and not as a difference of logarithms of factorials.
    """
    if value <= 0 or value >= trials:
        if value not in (0, trials):
            return 0.0
        return math.exp(trials * (math.log(probability) if value else math.log1p(-probability)))
    rest = trials - value
    log = _beyond_stirling(trials) - _beyond_stirling(value) - _beyond_stirling(rest)
    log -= _deviance(value, trials * probability) + _deviance(rest, trials * (1 - probability))
    return math.exp(log) * math.sqrt(trials / (math.tau * value) / rest)


def _beyond_stirling(number: float) -> float:
    """Return what the logarithm of a factorial exceeds Stirling's formula by."""
    if number < 15:
        return math.lgamma(number + 1) - (number + 0.5) * math.log(number) + number - math.log(math.tau) / 2
    inverse = 1 / number**2
    series = 1 / 1260 - inverse * (1 / 1680 - inverse * (1 / 1188 - inverse * 691 / 360360))
    return (1 / 12 - inverse * (1 / 360 - inverse * series)) / number


def _deviance(value: float, mean: float) -> float:
    """Return ``value * log(value / mean) + mean - value``, which is small where both are near each other."""
    away = (value - mean) / (value + mean)
    if abs(away) > 0.1:
        return value * math.log(value / mean) + mean - value
    total, term, count = (value - mean) * away, 2 * value * away, 1
    while True:
        term *= away * away
        count += 2
        before, total = total, total + term / count
        if total == before:
            return total


def largest(fits: Callable[[int], bool], most: int) -> int:
    """Return the largest number that fits, where every smaller one fits as well.

    Parameters
    ----------
    fits : callable
        Whether a number fits; 0 always does.
    most : int
        The largest number that is tried.

    Returns
    -------
    int
        From 0 to `most`.

    Examples
    --------
    >>> largest(lambda number: number**2 <= 90, 100)
    9
    """
    if fits(most):
        return most
    low, high = 0, 1
    while high < most and fits(high):
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def least_squares(
    rows: Sequence[Sequence[float]], values: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """Return the coefficients of a linear model of a few columns that fit values best.

    Parameters
    ----------
    rows : sequence of sequences of float
        One a value, as long as there are coefficients.
    values, weights : sequence of float
        What is fitted, and how much each counts.

    Returns
    -------
    list of float
        Coefficients, from the normal equations with pivots.

    Raises
    ------
    ValueError
        If the rows do not determine them.

    Examples
    --------
    >>> least_squares([[1, 0], [1, 1], [1, 2]], [1, 3, 5], [1, 1, 1])
    [1.0, 2.0]
    """
    size = len(rows[0])
    matrix = [
        [math.fsum(w * row[i] * row[j] for row, w in zip(rows, weights, strict=True)) for j in range(size)]
        + [math.fsum(w * row[i] * y for row, y, w in zip(rows, values, weights, strict=True))]
        for i in range(size)
    ]
    for place in range(size):
        best = max(range(place, size), key=lambda i: abs(matrix[i][place]))
        matrix[place], matrix[best] = matrix[best], matrix[place]
        pivot = matrix[place][place]
        if abs(pivot) < 1e-12 * max(map(abs, matrix[place]), default=0.0) or pivot == 0:
            raise ValueError("the rows do not determine the coefficients")
        matrix[place] = [each / pivot for each in matrix[place]]
        for other in range(size):
            if other != place:
                factor = matrix[other][place]
                matrix[other] = [a - factor * b for a, b in zip(matrix[other], matrix[place], strict=True)]
    return [row[-1] for row in matrix]


explain(__name__)
