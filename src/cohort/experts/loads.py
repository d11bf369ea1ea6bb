"""How often routers were measured to choose their experts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from cohort.registry import facts


@dataclass(frozen=True, slots=True)
class Load:
    """How often a router chose each expert of a layer, for the texts of one kind.

    Attributes
    ----------
    model, text : str
        The model, and the kind of text.
    layer : int
        The layer, from 0.
    active : int
        Experts that a token is sent to.
    assignments : tuple of int
        Tokens that were sent to each expert.
    """

    model: str
    text: str
    layer: int
    active: int
    assignments: tuple[int, ...]

    @property
    def over_mean(self) -> list[float]:
        """Load of each expert over the mean."""
        mean = sum(self.assignments) / len(self.assignments)
        return [each / mean for each in self.assignments]

    @property
    def popularity(self) -> list[float]:
        """Probability that a token is sent to each expert."""
        return [self.active * each / sum(self.assignments) for each in self.assignments]

    @property
    def variation(self) -> float:
        """Standard deviation of the loads over their mean."""
        return math.sqrt(math.fsum((each - 1) ** 2 for each in self.over_mean) / len(self.assignments))


def measured_loads() -> list[Load]:
    """Return the measured loads of experts :cite:p:`muennighoff2024olmoe`.

    Returns
    -------
    list of Load
        One a model, kind of text and layer.

    Examples
    --------
    >>> load = measured_loads()[0]
    >>> load.model, len(load.assignments), round(max(load.over_mean), 2)
    ('OLMoE 1B-7B', 64, 7.81)
    """
    return list(_measured(facts.modified("router_loads")))


@lru_cache(maxsize=2)
def _measured(modified: int) -> tuple[Load, ...]:
    counts: dict[tuple[str, str, int, int], list[int]] = {}
    for row in facts.rows("router_loads"):  # the experts of a layer in the order of their numbers
        key = row["model"], row["text"], int(row["layer"]), int(row["active_experts"])
        counts.setdefault(key, []).append(int(row["assignments"]))
    return tuple(Load(*key, tuple(found)) for key, found in counts.items())
