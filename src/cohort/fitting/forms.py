"""The forms of laws that can be fitted: their coefficients, their terms, and where a search starts.

A form is fitted in coordinates that are logarithms of what must be above zero, with sizes and tokens in their
geometric means. To fix a coefficient, or to tie two, is linear in these coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from cohort.errors import ParameterError, bounded, one_of
from cohort.errors.arguments import explain
from cohort.fitting import terms
from cohort.fitting.newton import STEPS
from cohort.fitting.objective import Objective, Runs
from cohort.fitting.stretched import STRETCHED, Stretched, StretchedObjective, decoded, encoded
from cohort.fitting.terms import ABSENT, Array, Curved, Linear, Term
from cohort.scaling import FLOP_PER_TOKEN, other_laws
from cohort.scaling.dense_laws import ScalingLaw
from cohort.scaling.laws_in_general import Law

EXPONENTS = (0.02, 0.06, 0.12, 0.2, 0.35, 0.5, 0.8, 1.2)  # of the starts, for parameters and for tokens
FEWER = (0.06, 0.2, 0.5, 1.0)  # where a form has further coordinates to start from


@dataclass(frozen=True, eq=False)
class Form:
    """A form of a law.

    Attributes
    ----------
    title : str
        The form in words and symbols.
    names : tuple of str
        Coefficients as a law holds them, in the order of the coordinates.
    logarithmic : frozenset of str
        Those whose coordinate is a logarithm.
    centred : mapping of str to (str, str)
        Constants whose coordinate is their logarithm less an exponent times the centre of a column: name to
        (exponent, column).
    above_zero : frozenset of str
        Further coefficients that are above zero.
    terms : callable
        From runs to the terms of the law.
    starts : callable
        From runs to starts, shape (K, p), in the coordinates.
    stretched : bool
        Whether its coordinates are those of `cohort.fitting.stretched`.
    tied, fixed : mapping
        What the form itself ties or fixes, as `cohort.fitting.fit` takes it.
    extra : str
        The further column of runs that it needs, if any.
    steps : int
        Of a descent, at most.
    resample_steps : int
        The same for a resample: one that takes longer runs away, or counts as lost.
    retries : int
        How many starts a resample is tried from that the minimum of all runs leads nowhere.
    objective : type of Objective
        How its derivatives are summed.
    printed : mapping of str to (str, float, str)
        Coefficients of the law that are no coordinates: name to (coordinate, shift, kind). A ``factor`` A
        gives the coordinate ln A - exponent * (centre + shift), a ``scale`` Nc exponent * (ln Nc - centre),
        an ``exponent`` itself over the shift.
    """

    title: str
    names: tuple[str, ...]
    terms: Callable[[Runs], Sequence[Term]]
    starts: Callable[[Runs], Array]
    law: Callable[..., Law]
    logarithmic: frozenset[str] = frozenset({"E"})
    centred: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: {"A": ("alpha", "x"), "B": ("beta", "y")}
    )
    above_zero: frozenset[str] = frozenset({"alpha", "beta"})
    stretched: bool = False
    tied: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)
    extra: str = ""
    steps: int = STEPS
    resample_steps: int = 150
    retries: int = 6
    objective: type[Objective] = Objective
    printed: Mapping[str, tuple[str, float, str]] = field(default_factory=dict)

    @property
    def without_profile(self) -> set[str]:
        """The coefficients that cannot be held: their scale moves with an exponent."""
        return (
            {name for factor, _, level in STRETCHED for name in (factor, level)} if self.stretched else set()
        )

    def printed_names(self, coordinates: Iterable[str]) -> tuple[str, ...]:
        """Return the coefficients of the law that some coordinates move.

        Parameters
        ----------
        coordinates : iterable of str
            Some of `names`.

        Returns
        -------
        tuple of str
            As the law calls them; one that is a scale moves with its exponent.
        """
        moved = set(coordinates)
        found = [name for name in self.names if name in moved]
        for name, (place, _, kind) in self.printed.items():
            replaced = place in found
            if replaced or (kind == "scale" and self.centred[place][0] in moved):
                where = found.index(place) if replaced else len(found)
                found[where : where + replaced] = [name]
        return tuple(found)

    def coefficients(self, full: Array, runs: Runs) -> dict[str, float]:
        """Return the coefficients at a point of the coordinates.

        Parameters
        ----------
        full : ndarray, shape (p,)
            The point.
        runs : Runs
            Those whose centre the coordinates have.

        Returns
        -------
        dict of str to float
            By name.
        """
        value = dict(zip(self.names, map(float, full), strict=True))
        found = {}
        for name, each in value.items():
            if name in self.centred:
                exponent, column = self.centred[name]
                each += value[exponent] * runs.centre_of(column)
            with np.errstate(over="ignore"):  # along a flat direction a factor may leave the floats
                found[name] = float(np.exp(each)) if self.is_logarithm(name) else each
        return decoded(found, runs.centre) if self.stretched else found

    def coordinates(self, coefficients: Mapping[str, float], runs: Runs) -> Array:
        """Return the point at which a law has some coefficients.

        Parameters
        ----------
        coefficients : mapping of str to float
            By name.
        runs : Runs
            Those whose centre the coordinates have.

        Returns
        -------
        ndarray, shape (p,)
            The point.
        """
        given = encoded(coefficients, runs.centre) if self.stretched else coefficients
        found = []
        for name in self.names:
            value = given[name]
            with np.errstate(divide="ignore"):
                value = float(np.log(value)) if self.is_logarithm(name) else value
            if name in self.centred:
                exponent, column = self.centred[name]
                value -= given[exponent] * runs.centre_of(column)
            found.append(value)
        return np.array(found)

    def is_logarithm(self, name: str) -> bool:
        """Return whether the coordinate of a coefficient is a logarithm.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        bool
            Then the coefficient is above zero.
        """
        return name in self.logarithmic or name in self.centred

    def place(self, name: str) -> int:
        """Return the place of a coefficient among the coordinates.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        int
            From 0.
        """
        return self.names.index(one_of("coefficient", name, self.names))

    def _row(self, name: str, value: float, runs: Runs) -> tuple[str, float, str, float]:
        """Return (coordinate, number, exponent, slope): the first is held at number + slope * exponent."""
        place, shift, kind = self.printed.get(name, (name, 0.0, "factor"))
        if kind == "exponent":
            return place, value / shift, "", 0.0
        if place not in self.centred:
            return place, self._held(place, value), "", 0.0
        exponent, column = self.centred[place]
        number, centre = self._held(place, value), runs.centre_of(column)
        if kind == "scale":
            return place, 0.0, exponent, number - centre
        return place, number, exponent, -(centre + shift)

    def restricted(
        self, runs: Runs, fixed: Mapping[str, float], tied: Mapping[str, str]
    ) -> tuple[Array, Array]:
        """Return how free coordinates give all: all = free @ theta + constant.

        Parameters
        ----------
        runs : Runs
            Those whose centre the coordinates have.
        fixed : mapping of str to float
            Coefficients that are held, beside those of the form.
        tied : mapping of str to str
            Coefficients that equal another one, beside those of the form.

        Returns
        -------
        free : ndarray, shape (p, f)
            What each free coordinate adds.
        constant : ndarray, shape (p,)
            What is held.

        Raises
        ------
        ParameterError
            If nothing is left free, or a coefficient is held at what it cannot be.
        """
        held, ties = {**self.fixed, **fixed}, {**self.tied, **tied}
        matrix, constant = np.eye(len(self.names)), np.zeros(len(self.names))
        for name, other in ties.items():
            if name in held or {name, other} & set(self.centred):
                raise ParameterError(f"{name} and {other} cannot be tied: only free exponents can")
            matrix[:, self.place(other)] += matrix[:, self.place(name)]
            matrix[:, self.place(name)] = 0
        rows = [self._row(name, value, runs) for name, value in held.items()]
        for name, number, exponent, slope in sorted(rows, key=lambda row: bool(row[2])):  # exponents first
            place = self.place(name)
            moved = matrix[:, place] != 0  # itself, and what is tied to it
            constant[moved] = matrix[moved, place] * number
            matrix[:, place] = 0
            if exponent:  # ln A' = ln A - alpha x
                matrix[place] = slope * matrix[self.place(exponent)]
                constant[place] += slope * constant[self.place(exponent)]
        matrix = matrix[:, np.abs(matrix).sum(axis=0) > 0]
        if not matrix.shape[1]:
            raise ParameterError("every coefficient is fixed; leave at least one free")
        return matrix, constant

    def _held(self, name: str, value: float) -> float:
        for factor, exponent, level in STRETCHED if self.stretched else ():
            if name in (factor, level):
                raise ParameterError(f"{name} cannot be fixed: its scale moves with {exponent}")
        low = 0.0 if name == "E" else 1e-300 if self.is_logarithm(name) or name in self.above_zero else -1e300
        number = bounded(name, value, low, above=name != "E" and low >= 0)
        with np.errstate(divide="ignore"):
            return float(np.log(number)) if self.is_logarithm(name) else number


def _least_squares(runs: Runs, columns: Sequence[Array]) -> Array:
    """Return the logarithms of the factors of some columns that fit the losses best, each above zero."""
    relative = np.stack([np.ones_like(runs.losses), *columns], axis=1) / runs.losses[:, None]
    factors = np.linalg.lstsq(relative, np.ones(len(runs.losses)), rcond=None)[0]
    logs: Array = np.log(np.maximum(factors, 0.01 * runs.losses.min()))
    return logs


def _additive(runs: Runs, exponents: Sequence[float] = EXPONENTS) -> Array:
    """Return starts (a, b, e, alpha, beta): pairs of exponents, and a regression for the rest."""
    starts = []
    for alpha, beta in product(exponents, exponents):
        e, a, b = _least_squares(runs, [np.exp(-alpha * runs.x), np.exp(-beta * runs.y)])
        starts.append([a, b, e, alpha, beta])
    return np.array(starts)


def _with(starts: Array, *further: Sequence[float]) -> Array:
    """Return starts with all combinations of further coordinates."""
    return np.array([[*start, *more] for start in starts for more in product(*further)])


def _logs(*values: float) -> list[float]:
    return [float(np.log(value)) for value in values]


def _irreducible(place: int) -> Linear:
    return Linear((place,), np.ones((1, 1)))


def _power(constant: int, exponent: int, column: Array) -> Linear:
    return Linear((constant, exponent), np.stack([np.ones_like(column), -column]))


def _two_powers(runs: Runs) -> list[Term]:
    return [_irreducible(2), _power(0, 3, runs.x), _power(1, 4, runs.y)]


def _in_compute(runs: Runs) -> Array:
    starts = []
    for alpha in EXPONENTS:
        e, a = _least_squares(runs, [np.exp(-alpha * runs.z)])
        starts.append([a, e, alpha])
    return np.array(starts)


def _farseer_starts(runs: Runs) -> Array:
    """Return starts near laws of two powers, whose size term becomes part of the stretched exponential.

    The first have exponents near zero, the others exponents that bend what the data do steeply with size: on
    small sets of runs the best minimum can lie there.
    """
    bends = ((-0.015, -0.15), (0.015, 0.15))
    near = product(product(FEWER, (0.15, 0.3, 0.5)), (-0.2, 0.2), (0.2,), bends)
    steep = product(
        product((0.2, 0.5), (0.2, 0.5)), (-0.2,), (-1.5, 2.5), product((-0.015, 0.015), (-2.0, 2.0))
    )
    y = np.log(runs.tokens)
    starts = []
    for (alpha, beta), power, height, (fall, bend) in (*near, *steep):
        e, a, b = _least_squares(runs, [np.exp(-alpha * runs.x), np.exp(-beta * (y - y.mean()))])
        at_size = np.log(np.exp(e) + np.exp(a - alpha * runs.x))
        slope, level = np.polyfit(np.expm1(power * runs.x) / power, at_size, 1)
        flat = [0.002 - fall * beta * y.mean(), height, b]
        starts.append([slope, power, level, *flat, fall, bend, np.log(beta)])
    return np.array(starts)


def _repeats(runs: Runs) -> tuple[Array, Array]:
    """Return the centred logarithm of the distinct tokens read, and the repetitions."""
    assert runs.unique is not None
    once = np.minimum(runs.tokens, runs.unique)
    return np.log(once) - runs.centre_of("y"), runs.tokens / once - 1


def _penalised(runs: Runs) -> list[Term]:
    assert runs.unique is not None
    _, repeats = _repeats(runs)
    with np.errstate(divide="ignore"):
        logs = np.where(repeats > 0, np.log(np.maximum(repeats, 1e-300)), 0.0)
    ratio = np.log(runs.parameters / np.minimum(runs.tokens, runs.unique))
    harm = Linear((5, 6, 7), np.stack([np.ones_like(ratio), logs, ratio]), np.where(repeats > 0, 0.0, ABSENT))
    return [*_two_powers(runs), harm]


def _decaying(runs: Runs) -> list[Term]:
    return [_irreducible(2), _power(0, 3, runs.x), Curved((1, 4, 5), terms.repeating(*_repeats(runs)))]


def _in_precision(runs: Runs) -> list[Term]:
    assert runs.bits is not None
    return [_irreducible(2), Curved((0, 3, 5), terms.rounded(runs.x, runs.bits)), _power(1, 4, runs.y)]


def _coupled(runs: Runs) -> list[Term]:
    return [_irreducible(2), Curved((0, 1, 3, 4, 5), terms.coupled(runs.x, runs.y))]


def _farseer(runs: Runs) -> list[Term]:
    y = np.log(runs.tokens)
    return [Stretched((0, 1, 2), runs.x, y), Stretched((3, 4, 5, 6, 7, 8), runs.x, y)]


FIVE = ("A", "B", "E", "alpha", "beta")
FORMS = {
    "chinchilla": Form("E + A / N^alpha + B / D^beta", FIVE, _two_powers, _additive, ScalingLaw),
    "tied": Form(
        "E + A / N^alpha + B / D^alpha", FIVE, _two_powers, _additive, ScalingLaw, tied={"beta": "alpha"}
    ),
    "gadre": Form(
        "E + (a M^eta + b M^-eta) / C^eta, with M = D/N and C = 6ND",
        FIVE, _two_powers, _additive, other_laws.OvertrainingLaw.of_two_powers, tied={"beta": "alpha"},
        printed={
            "a": ("A", math.log(FLOP_PER_TOKEN) / 2, "factor"),
            "b": ("B", math.log(FLOP_PER_TOKEN) / 2, "factor"),
            "eta": ("alpha", 0.5, "exponent"),
        },
    ),
    "coupled": Form(
        "E + (A^(1/k) N^(-alpha/k) + B^(1/k) D^(-beta/k))^k",
        (*FIVE, "k"), _coupled, lambda runs: _with(_additive(runs, FEWER), (0.3, 0.7, 1.0, 1.6)),
        other_laws.CoupledLaw, above_zero=frozenset({"alpha", "beta", "k"}),
    ),
    "kaplan": Form(
        "((Nc/N)^(alpha/beta) + Dc/D)^beta",
        (*FIVE, "k"), _coupled, lambda runs: _with(_additive(runs, FEWER), (0.1, 0.3)),
        other_laws.KaplanLaw.of_two_powers, above_zero=frozenset({"alpha", "beta", "k"}),
        fixed={"E": 0.0}, tied={"k": "beta"},
        printed={"Nc": ("A", 0.0, "scale"), "Dc": ("B", 0.0, "scale")},
    ),
    "farseer": Form(
        "exp(a3 N^gamma + b3) + exp(a2 N^beta + b2) / D^exp(a1 N^alpha + b1)",
        ("a3", "gamma", "b3", "a2", "beta", "b2", "a1", "alpha", "b1"), _farseer, _farseer_starts,
        other_laws.FarseerLaw, logarithmic=frozenset(), centred={}, above_zero=frozenset(),
        stretched=True,
        retries=1, objective=StretchedObjective,
    ),
    "compute": Form(
        "E + A / C^alpha", ("A", "E", "alpha"),
        lambda runs: [_irreducible(1), _power(0, 2, runs.z)], _in_compute,
        other_laws.ComputeLaw, centred={"A": ("alpha", "z")}, above_zero=frozenset({"alpha"}),
    ),
    "repeated": Form(
        "E + A / N^alpha + B / (U (1 + R (1 - exp(-r/R))))^beta, r passes beyond the first over U tokens",
        (*FIVE, "R"), _decaying, lambda runs: _with(_additive(runs, FEWER), _logs(2.0, 15.0, 80.0)),
        other_laws.RepeatedLaw, logarithmic=frozenset({"E", "R"}), extra="unique_tokens",
    ),
    "overfitting": Form(
        "E + A / N^alpha + B / D^beta + P r^delta (N/U)^kappa, r passes beyond the first over U tokens",
        (*FIVE, "P", "delta", "kappa"), _penalised,
        lambda runs: _with(_additive(runs, FEWER), _logs(1e-3, 1e-2), (0.5, 1.2), (0.3, 1.0)),
        other_laws.OverfittingLaw, logarithmic=frozenset({"E", "P"}), extra="unique_tokens",
    ),
    "precision": Form(
        "E + A / (N (1 - exp(-bits/g)))^alpha + B / D^beta",
        (*FIVE, "g"), _in_precision, lambda runs: _with(_additive(runs, FEWER), _logs(1.0, 3.0, 6.0)),
        other_laws.PrecisionLaw, logarithmic=frozenset({"E", "g"}), extra="bits",
    ),
}  # fmt: skip


explain(__name__)
