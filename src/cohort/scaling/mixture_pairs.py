"""Mixtures of experts beside dense models that saw the same data: what a mixture was measured to be worth.

A pair is a mixture and the dense model of equal loss. Where a study trains several dense models the size of
equal loss lies on a power law through the three that are nearest in loss; elsewhere the makers found two
models equal. A mixture that is better than every dense model of its study is worth at least the largest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from cohort.errors import ParameterError
from cohort.errors.arguments import explain
from cohort.numeric import root
from cohort.registry import facts
from cohort.scaling.mixture_laws import Shape

EQUAL = "equal"
STEEPEST = 3.0  # exponent of a power law of loss in size, up to which one is looked for


@dataclass(frozen=True, slots=True)
class Pair:
    """A mixture and the dense model that was as good after as many tokens of the same data.

    Attributes
    ----------
    maker, name, study : str
        Who trained both, the mixture, and where.
    shape : Shape
        Of the mixture, with parameters as the study counts them.
    tokens : float
        Training tokens of each.
    dense : float
        Parameters of the dense model.
    relation : str
        ``equal``, or ``at least`` or ``at most``, where no dense model was large or small enough.
    basis : str
        ``loss`` or ``scores``.
    status, source, note : str
        As the table says.
    """

    maker: str
    name: str
    study: str
    shape: Shape
    tokens: float
    dense: float
    relation: str
    basis: str
    status: str
    source: str
    note: str = ""


def equal_size(losses: Sequence[tuple[float, float]], loss: float) -> tuple[float, str]:
    """Return the size of the dense model of a loss, among dense models whose losses are known.

    Parameters
    ----------
    losses : sequence of (float, float)
        Parameters and loss of three dense models or more.
    loss : float
        That of the mixture, in nats per token.

    Returns
    -------
    (float, str)
        Parameters, and ``equal``; or the largest size and ``at least``, or the smallest and ``at most``,
        where the loss lies outside of theirs.

    Raises
    ------
    ParameterError
        If there are fewer than three, or their losses do not fall with size.

    Examples
    --------
    >>> size, relation = equal_size([(1e8, 3.0), (1e9, 2.5), (1e10, 2.25)], 2.5)
    >>> round(size / 1e9, 6), relation
    (1.0, 'equal')
    """
    points = sorted(losses)
    if len(points) < 3:
        raise ParameterError(f"losses has {len(points)} dense models, but needs three")
    if any(one[1] <= other[1] for one, other in pairwise(points)):
        raise ParameterError("losses must fall with the size of dense models")
    if loss < points[-1][1]:
        return points[-1][0], "at least"
    if loss > points[0][1]:
        return points[0][0], "at most"
    place = max(index for index, point in enumerate(points) if point[1] >= loss)
    starts = [start for start in (place - 1, place) if 0 <= start <= len(points) - 3]
    start = min(starts, key=lambda each: abs(points[each + 1][1] - loss)) if starts else len(points) - 3
    return _on_power_law(points[start : start + 3], loss), EQUAL


def _on_power_law(points: Sequence[tuple[float, float]], loss: float) -> float:
    """Return the size of a loss on the law ``E + A N^-alpha`` through three points."""
    logs, values = [math.log(size) for size, _ in points], [each for _, each in points]
    wanted = (values[0] - values[1]) / (values[1] - values[2])

    def ratio(alpha: float) -> float:
        one, two, three = (math.exp(-alpha * (log - logs[0])) for log in logs)
        return (one - two) / (two - three) - wanted

    low, high = -STEEPEST, STEEPEST
    alpha = root(ratio, low + 1e-9, high) if ratio(low) * ratio(high) < 0 else 0.0
    if abs(alpha) < 1e-9:  # a straight line in the logarithm
        return math.exp(logs[0] + (values[0] - loss) / (values[0] - values[2]) * (logs[2] - logs[0]))
    factor = (values[0] - values[2]) / (1 - math.exp(-alpha * (logs[2] - logs[0])))
    share = 1 - (values[0] - loss) / factor
    return math.exp(logs[0] - math.log(share) / alpha)


def _shape(row: dict[str, str]) -> Shape:
    active, total = float(row["active_parameters"]), float(row["total_parameters"])
    return Shape(
        active=active,
        total=total,
        expansion=float(row["expansion"]),
        granularity=float(row["granularity"]),
        sparsity=1 - float(row["active_experts"]) / float(row["experts"]),
        fineness=float(row["fineness"] or 0.5),
    )


def _pair(row: dict[str, str], name: str, study: str, size: float, relation: str, basis: str) -> Pair:
    return Pair(
        maker=row["maker"],
        name=name,
        study=study,
        shape=_shape(row),
        tokens=float(row["tokens"]),
        dense=size,
        relation=relation,
        basis=basis,
        status=row["status"],
        source=row["source"],
        note=row.get("note", ""),
    )


def _from_runs() -> list[Pair]:
    found, rows = [], facts.rows("mixture_runs")
    for study in dict.fromkeys(row["study"] for row in rows):
        mine = [row for row in rows if row["study"] == study]
        plain = [row for row in mine if row["experts"] == "1"]
        losses = [(float(row["active_parameters"]), float(row["loss"])) for row in plain]
        for row in mine:
            if row["experts"] != "1":
                size, relation = equal_size(losses, float(row["loss"]))
                found.append(_pair(row, row["model"], study, size, relation, "loss"))
    return found


def _stated() -> list[Pair]:
    return [
        _pair(
            row, row["mixture"], row["source"], float(row["dense_parameters"]), row["relation"], row["basis"]
        )
        for row in facts.rows("mixture_pairs")
    ]


def pairs() -> list[Pair]:
    """Return all pairs, those that only bound what the mixture is worth included.

    Returns
    -------
    list of Pair

    See Also
    --------
    equal_pairs : Those that say what it is.
    """
    return list(_pairs(facts.modified("mixture_runs"), facts.modified("mixture_pairs")))


@lru_cache(maxsize=4)
def _pairs(runs: int, stated: int) -> tuple[Pair, ...]:
    return (*_from_runs(), *_stated())


def equal_pairs() -> list[Pair]:
    """Return the pairs whose dense model is as good as the mixture.

    Returns
    -------
    list of Pair
    """
    return [pair for pair in pairs() if pair.relation == EQUAL]


explain(__name__)
