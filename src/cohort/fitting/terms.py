"""Terms of a law, each the exponential of a function of the fitted coordinates, with its derivatives.

All take a batch of K points and return values at the n runs. A term depends on a few of the coordinates,
which `indices` names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cohort.errors.arguments import explain

Array = NDArray[np.float64]
ABSENT = -1e3  # the logarithm of a term that a run does not have


# Value (K, n), gradient (K, q, n) and the entries (i, j) of the Hessian, i <= j, each (K, n).
Curve = tuple[Array, Array, dict[tuple[int, int], Array]]
_CONSTANT = np.empty(0)  # the gradient of a term whose gradient is its design


class Term(Protocol):
    """A summand of a law: exp(z), where z depends on some coordinates."""

    @property
    def indices(self) -> tuple[int, ...]:
        """The coordinates that it depends on."""
        ...

    def at(self, theta: Array) -> Curve:
        """Return z and its derivatives, where those vary.

        Parameters
        ----------
        theta : ndarray, shape (K, p)
            One point a problem.
        """
        ...

    def add_gradient(self, at: Curve, share: Array, out: Array) -> None:
        """Add share times the gradient of z.

        Parameters
        ----------
        at : value, gradient and Hessian
            As `at` returns them.
        share : ndarray, shape (K, n)
            Factors.
        out : ndarray, shape (K, p, n)
            Where it is added.
        """
        ...

    def subtract_curvature(self, at: Curve, force: Array, out: Array) -> None:
        """Subtract the sums of force times (g g' + the Hessian of z).

        Parameters
        ----------
        at : value, gradient and Hessian
            As `at` returns them.
        force : ndarray, shape (K, n)
            Factors.
        out : ndarray, shape (K, p, p)
            Where it is subtracted.
        """
        ...


@lru_cache(maxsize=64)
def _block(indices: tuple[int, ...]) -> tuple[slice, Array | slice, Array | slice]:
    """Return the index of the rows and columns of some coordinates, in a matrix of each problem."""
    if (evenly := _evenly(indices)) is not None:
        return slice(None), evenly, evenly
    at = np.array(indices)
    return slice(None), at[:, None], at[None, :]


@lru_cache(maxsize=64)
def _evenly(indices: tuple[int, ...]) -> slice | None:
    """Return some coordinates as a slice, which needs no copy, where they rise by equal steps."""
    steps = {after - before for before, after in pairwise(indices)} or {1}
    step = steps.pop()
    return slice(indices[0], indices[-1] + 1, step) if not steps and step > 0 else None


@lru_cache(maxsize=64)
def _columns(indices: tuple[int, ...]) -> NDArray[np.intp]:
    return np.array(indices)


@dataclass(frozen=True, eq=False)
class Linear:
    """A power law: z is linear in the coordinates.

    Attributes
    ----------
    indices : tuple of int
        Coordinates.
    design : ndarray, shape (q, n)
        What multiplies each; of shape (1, 1) for a constant.
    offset : ndarray, shape (n,), or float
        What is added.
    """

    indices: tuple[int, ...]
    design: Array
    offset: Array | float = 0.0

    @cached_property
    def _pairs(self) -> Array:
        q, n = self.design.shape
        products: Array = (self.design[:, None] * self.design[None]).reshape(q * q, n).T
        return np.ascontiguousarray(products)

    def at(self, theta: Array) -> Curve:
        """Return z at theta (K, p).

        Parameters
        ----------
        theta : ndarray, shape (K, p)
            One point a problem.

        Returns
        -------
        value, gradient and Hessian
            Of the logarithm of the term; the derivatives, the same everywhere, are left out.
        """
        if self.design.size == 1:
            return theta[:, _columns(self.indices)] + self.offset, _CONSTANT, {}
        value: Array = theta[:, _columns(self.indices)] @ self.design
        return value if isinstance(self.offset, float) else value + self.offset, _CONSTANT, {}

    def add_gradient(self, at: Curve, share: Array, out: Array) -> None:
        """Add share times the gradient of z.

        Parameters
        ----------
        at : value, gradient and Hessian
            As `at` returns them.
        share : ndarray, shape (K, n)
            Factors.
        out : ndarray, shape (K, p, n)
            Where it is added.
        """
        if self.design.size == 1:
            out[:, self.indices[0]] += share
        elif (evenly := _evenly(self.indices)) is not None:
            out[:, evenly] += share[:, None] * self.design
        else:
            for index, column in zip(self.indices, self.design, strict=True):
                out[:, index] += share * column

    def subtract_curvature(self, at: Curve, force: Array, out: Array) -> None:
        """Subtract the sums of force times g g'.

        Parameters
        ----------
        at : value, gradient and Hessian
            As `at` returns them.
        force : ndarray, shape (K, n)
            Factors.
        out : ndarray, shape (K, p, p)
            Where it is subtracted.
        """
        if self.design.size == 1:
            out[:, self.indices[0], self.indices[0]] -= force.sum(axis=1)
            return
        q = len(self.indices)
        out[_block(self.indices)] -= (force @ self._pairs).reshape(-1, q, q)


@dataclass(frozen=True, eq=False)
class Curved:
    """A term whose logarithm is not linear in the coordinates.

    Attributes
    ----------
    indices : tuple of int
        Coordinates.
    curve : callable
        From coordinates (K, q) to value, gradient and Hessian.
    """

    indices: tuple[int, ...]
    curve: Callable[[Array], Curve]

    def at(self, theta: Array) -> Curve:
        """Return z at theta (K, p).

        Parameters
        ----------
        theta : ndarray, shape (K, p)
            One point a problem.

        Returns
        -------
        value, gradient and Hessian
            Of the logarithm of the term.
        """
        return self.curve(theta[:, _columns(self.indices)])

    def add_gradient(self, at: Curve, share: Array, out: Array) -> None:
        """Add share times the gradient of z.

        Parameters
        ----------
        at : value, gradient and Hessian
            As `at` returns them.
        share : ndarray, shape (K, n)
            Factors.
        out : ndarray, shape (K, p, n)
            Where it is added.
        """
        gradient = at[1]
        for place, index in enumerate(self.indices):
            out[:, index] += share * gradient[:, place]

    def subtract_curvature(self, at: Curve, force: Array, out: Array) -> None:
        """Subtract the sums of force times (g g' + the Hessian of z).

        Parameters
        ----------
        at : value, gradient and Hessian
            As `at` returns them.
        force : ndarray, shape (K, n)
            Factors.
        out : ndarray, shape (K, p, p)
            Where it is subtracted.
        """
        _, gradient, second = at
        inner = np.matmul(gradient * force[:, None], gradient.transpose(0, 2, 1))
        for (i, j), entry in second.items():
            added = np.einsum("kn,kn->k", force, entry)
            inner[:, i, j] += added
            if i != j:
                inner[:, j, i] += added
        out[_block(self.indices)] -= inner


def coupled(x: Array, y: Array) -> Callable[[Array], Curve]:
    """Return k ln(exp((a - alpha x) / k) + exp((b - beta y) / k)), in (a, b, alpha, beta, k).

    With k = 1 it is the logarithm of the sum of two power laws; the smaller k, the more the larger of the two
    counts alone.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Centred logarithms of parameters and tokens.

    Returns
    -------
    callable
        As `Curved` takes it.
    """

    def curve(theta: Array) -> Curve:
        a, b, alpha, beta, k = (theta[:, [place]] for place in range(5))
        gap = (a - alpha * x - b + beta * y) / k
        s = 1 / (1 + np.exp(-gap))
        soft = np.logaddexp(0.0, gap)  # of the sum over its second term
        value = b - beta * y + k * soft
        t = s * (1 - s)
        by_k = soft - s * gap
        gradient = np.stack([s, 1 - s, -s * x, -(1 - s) * y, by_k], axis=1)
        c, mixed = t / k, -t * gap / k
        second = {
            (0, 0): c, (0, 1): -c, (0, 2): -c * x, (0, 3): c * y, (0, 4): mixed,
            (1, 1): c, (1, 2): c * x, (1, 3): -c * y, (1, 4): -mixed,
            (2, 2): c * x * x, (2, 3): -c * x * y, (2, 4): -mixed * x,
            (3, 3): c * y * y, (3, 4): mixed * y,
            (4, 4): t * gap * gap / k,
        }  # fmt: skip
        return value, gradient, second

    return curve


def repeating(first: Array, repeats: Array) -> Callable[[Array], Curve]:
    """Return b - beta (first + ln(1 + R (1 - exp(-repeats / R)))), in (b, beta, ln R).

    Parameters
    ----------
    first : ndarray, shape (n,)
        Centred logarithm of the distinct tokens that were read.
    repeats : ndarray, shape (n,)
        How often they were read beyond the first time.

    Returns
    -------
    callable
        As `Curved` takes it.
    """

    def curve(theta: Array) -> Curve:
        b, beta, log_r = (theta[:, [place]] for place in range(3))
        rate = np.exp(log_r)
        q = repeats / rate
        left = np.exp(-q)
        worth = 1 - rate * np.expm1(-q)
        by_r = rate * (1 - left - q * left)  # derivatives of the worth by ln R
        by_rr = by_r - rate * q * q * left
        log_worth = first + np.log(worth)
        slope = by_r / worth
        gradient = np.stack([np.ones_like(worth), -log_worth, -beta * slope], axis=1)
        second = {(1, 2): -slope, (2, 2): -beta * (by_rr / worth - slope * slope)}
        return b - beta * log_worth, gradient, second

    return curve


def rounded(x: Array, bits: Array) -> Callable[[Array], Curve]:
    """Return a - alpha (x + ln(1 - exp(-bits / g))), in (a, alpha, ln g).

    Parameters
    ----------
    x : ndarray, shape (n,)
        Centred logarithm of parameters.
    bits : ndarray, shape (n,)
        Precision of training.

    Returns
    -------
    callable
        As `Curved` takes it.
    """

    def curve(theta: Array) -> Curve:
        a, alpha, log_g = (theta[:, [place]] for place in range(3))
        q = bits * np.exp(-log_g)
        log_size = x + np.log(-np.expm1(-q))
        slope = -q / np.expm1(q)  # of the logarithm, by ln g
        bent = q / np.expm1(q) * (1 - q / -np.expm1(-q))
        gradient = np.stack([np.ones_like(q), -log_size, -alpha * slope], axis=1)
        return a - alpha * log_size, gradient, {(1, 2): -slope, (2, 2): -alpha * bent}

    return curve


explain(__name__)
