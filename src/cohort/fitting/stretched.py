"""The terms of Farseer's form: stretched exponentials, whose parts depend on sizes alone.

What is computed once for each size, and summed over its runs, is a fraction of the work where runs share
sizes, as they do in most sets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cohort.errors.arguments import explain
from cohort.fitting.objective import Objective
from cohort.fitting.terms import Array, Curve

NEAR = 0.05  # to zero: where a difference of powers loses digits, and a series has them


def bent(g: Array, x: Array) -> tuple[Array, Array, Array]:
    """Return (exp(g x) - 1) / g with its first two derivatives by g.

    Towards g = 0 it becomes x, without a break: there, series replace the differences.

    Parameters
    ----------
    g : ndarray, shape (K, 1)
        One exponent a problem.
    x : ndarray, shape (m,)
        Centred logarithms of sizes.

    Returns
    -------
    tuple of three ndarray, shape (K, m)
        The value and the derivatives.
    """
    t = g * x
    near = np.abs(t) < NEAR
    apart = np.where(near, 1.0, t)
    power = np.exp(apart)
    zeroth = (power - 1) / apart
    first = (power - zeroth) / apart
    second = (power - 2 * first) / apart
    if near.any():
        t = t[near]
        zeroth[near] = 1 + t * (1 / 2 + t * (1 / 6 + t * (1 / 24 + t * (1 / 120 + t / 720))))
        first[near] = 1 / 2 + t * (1 / 3 + t * (1 / 8 + t * (1 / 30 + t * (1 / 144 + t / 840))))
        second[near] = 1 / 3 + t * (1 / 4 + t * (1 / 10 + t * (1 / 36 + t * (1 / 168 + t / 960))))
    return x * zeroth, x**2 * first, x**3 * second


@dataclass(frozen=True, eq=False)
class Stretched:
    """A term of stretched exponentials, with f(g) = (exp(g x) - 1) / g.

    Its logarithm is c + s f(g), or d + t f(h) - y exp(w + u f(v)) with d and t less what the last part adds
    to level and slope at mean tokens. So a coordinate is a level, slope or exponent at the centre of the
    runs: neither runs away where an exponent is near zero, and what data do hardly moves what sizes do.

    Attributes
    ----------
    indices : tuple of int
        Coordinates: (s, g, c), or (t, h, d, u, v, w).
    x, y : ndarray, shape (n,)
        Centred logarithm of parameters, and logarithm of tokens.
    """

    indices: tuple[int, ...]
    x: Array
    y: Array

    @cached_property
    def _unique(self) -> tuple[Array, NDArray[np.intp]]:
        return np.unique(self.x, return_inverse=True)

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the runs (n,) by size, and where each size (m,) begins among them."""
        order = np.argsort(self.x, kind="stable")
        return order, np.searchsorted(self.x[order], self._unique[0])

    @cached_property
    def _parts(self) -> tuple[tuple[slice, tuple[int, ...]], ...]:
        """The rows of a gradient that y multiplies to the power 0 and 1, and their coordinates."""
        if len(self.indices) == 3:
            return ((slice(0, 3), self.indices),)
        t, h, d, u, v, w = self.indices
        return (slice(0, 5), (t, h, d, u, w)), (slice(5, 8), (u, v, w))

    def at(self, theta: Array) -> Curve:
        """Return z at theta (K, p), and its derivatives for each size.

        Parameters
        ----------
        theta : ndarray, shape (K, p)
            One point a problem.

        Returns
        -------
        value, gradient and Hessian
            Of the logarithm of the term; the derivatives (K, m), those of the last part before y.
        """
        sizes, places = self._unique
        t, h, d, *last = (theta[:, [index]] for index in self.indices)
        f, by_h, by_hh = bent(h, sizes)
        ones = np.ones_like(f)
        if not last:
            rows = np.stack([f, t * by_h, ones], axis=1)
            return np.take(t * f + d, places, axis=1), rows, {(0, 1): by_h, (1, 1): t * by_hh}
        u, v, w = last
        q, by_v, by_vv = bent(v, sizes)
        fall, bend, there = np.exp(u * q + w), u * by_v, self.y.mean() * np.exp(w)
        slope = t + u * there
        level = slope * f + d + there
        rows = np.stack(
            [f, slope * by_h, ones, there * f, there * (1 + u * f), -fall * q, -fall * bend, -fall], axis=1
        )
        second = {
            (0, 1): by_h, (1, 1): slope * by_hh, (1, 3): there * by_h, (1, 4): u * there * by_h,
            (3, 4): there * f, (4, 4): there * (1 + u * f),
            (5, 5): -fall * q * q, (5, 6): -fall * (bend * q + by_v), (5, 7): -fall * q,
            (6, 6): -fall * (bend * bend + u * by_vv), (6, 7): -fall * bend, (7, 7): -fall,
        }  # fmt: skip
        return np.take(level, places, axis=1) - self.y * np.take(fall, places, axis=1), rows, second

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
        for power, (rows, coordinates) in enumerate(self._parts):
            whole = np.take(at[1][:, rows], self._unique[1], axis=2)
            out[:, coordinates] += (share * self.y**power)[:, None] * whole

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
        self.add_outer(self, at, at, -force, out)
        self.add_second(at, self.summed(-force, len(self._parts)), out)

    def summed(self, force: Array, powers: int) -> list[Array]:
        """Return the sums over the runs of each size of force times powers of y, each (K, m).

        Parameters
        ----------
        force : ndarray, shape (K, n)
            Factors.
        powers : int
            From 0, how many.

        Returns
        -------
        list of ndarray
            By the power.
        """
        order, begins = self._sorted
        force, y = np.take(force, order, axis=1), self.y[order]
        sums = [np.add.reduceat(force, begins, axis=1)]
        for _ in range(1, powers):
            force *= y
            sums.append(np.add.reduceat(force, begins, axis=1))
        return sums

    def add_slope(self, at: Curve, force: Array, gradient: Array, hessian: Array) -> None:
        """Add the sums of force times the gradient of z, and of force times its Hessian.

        Parameters
        ----------
        at : value, gradient and Hessian
            As `at` returns them.
        force : ndarray, shape (K, n)
            Factors.
        gradient, hessian : ndarray, shape (K, p) and (K, p, p)
            Where they are added.
        """
        sums = self.summed(force, len(self._parts))
        for each, (rows, coordinates) in zip(sums, self._parts, strict=True):
            gradient[:, coordinates] += np.matmul(at[1][:, rows], each[:, :, None])[:, :, 0]
        self.add_second(at, sums, hessian)

    def add_outer(self, other: Stretched, at: Curve, beside: Curve, force: Array, out: Array) -> None:
        """Add the sums of force times g h', with the gradient h of another term.

        Parameters
        ----------
        other : Stretched
            The other, over the same runs.
        at, beside : value, gradient and Hessian
            As `at` returns them, of this and of the other.
        force : ndarray, shape (K, n)
            Factors.
        out : ndarray, shape (K, p, p)
            Where it is added.
        """
        sums = self.summed(force, len(self._parts) + len(other._parts) - 1)
        for i, (rows, down) in enumerate(self._parts):
            for j, (columns, across) in enumerate(other._parts):
                weighted = at[1][:, rows] * sums[i + j][:, None]
                block = np.matmul(weighted, beside[1][:, columns].transpose(0, 2, 1))
                out[np.ix_(range(len(out)), down, across)] += block

    def add_second(self, at: Curve, sums: list[Array], out: Array) -> None:
        """Add the sums of a force times the Hessian of z.

        Parameters
        ----------
        at : value, gradient and Hessian
            As `at` returns them.
        sums : list of ndarray, shape (K, m)
            As `summed` returns them.
        out : ndarray, shape (K, p, p)
            Where it is added.
        """
        coordinates = [index for _, indices in self._parts for index in indices]
        for (i, j), entry in at[2].items():
            added = np.einsum("km,km->k", sums[i // 5], entry)
            one, other = coordinates[i], coordinates[j]
            out[:, one, other] += added
            if one != other:
                out[:, other, one] += added


@dataclass(frozen=True, eq=False)
class StretchedObjective(Objective):
    """The misfit of a law of stretched terms, summed over the runs of each size first."""

    terms: Sequence[Stretched]

    def _bends(
        self,
        shares: Sequence[Array],
        found: Sequence[Curve],
        slope: Array,
        outer: Array,
        J: Array | None = None,
    ) -> tuple[Array, Array]:
        """Return gradient (K, p) and Hessian (K, p, p), in all coordinates; J is not looked at."""
        count = sum(len(term.indices) for term in self.terms)
        gradient, hessian = np.zeros((len(slope), count)), np.zeros((len(slope), count, count))
        cross = np.zeros_like(hessian)
        for a, (term, share, at) in enumerate(zip(self.terms, shares, found, strict=True)):
            pull, weight = -slope * share, outer * share
            term.add_slope(at, pull, gradient, hessian)
            term.add_outer(term, at, at, weight * share + pull, hessian)
            for b in range(a):
                term.add_outer(self.terms[b], at, found[b], weight * shares[b], cross)
        return gradient, hessian + cross + cross.transpose(0, 2, 1)


# Factor, exponent and level of each stretched size in a `FarseerLaw`.
STRETCHED = (("a3", "gamma", "b3"), ("a2", "beta", "b2"), ("a1", "alpha", "b1"))
LEAST_POWER = 1e-9  # of a stretched size whose exponent comes out as zero itself


def decoded(value: Mapping[str, float], centre: tuple[float, float]) -> dict[str, float]:
    """Return the coefficients of a `FarseerLaw` at a point of its coordinates.

    Parameters
    ----------
    value : mapping of str to float
        The coordinates, by the coefficient each takes the place of.
    centre : tuple of two floats
        Means of ln N and ln D.

    Returns
    -------
    dict of str to float
        By name.
    """
    x, y = centre
    found = dict(value)
    there = y * math.exp(found["b1"])
    found["a2"] += found["a1"] * there
    found["b2"] += there
    for factor, exponent, level in STRETCHED:
        found[exponent] = power = found[exponent] or LEAST_POWER
        found[level] -= found[factor] / power
        found[factor] *= math.exp(-power * x) / power
    return found


def encoded(coefficients: Mapping[str, float], centre: tuple[float, float]) -> dict[str, float]:
    """Return the coordinates at which a `FarseerLaw` has some coefficients.

    Parameters
    ----------
    coefficients : mapping of str to float
        By name.
    centre : tuple of two floats
        Means of ln N and ln D.

    Returns
    -------
    dict of str to float
        The coordinates, by the coefficient each takes the place of.
    """
    x, y = centre
    found = dict(coefficients)
    for factor, exponent, level in STRETCHED:
        at_centre = found[factor] * math.exp(found[exponent] * x)
        found[level] += at_centre
        found[factor] = at_centre * found[exponent]
    there = y * math.exp(found["b1"])
    found["a2"] -= found["a1"] * there
    found["b2"] -= there
    return found


explain(__name__)
