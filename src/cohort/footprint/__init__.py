"""The footprint of training and of serving: energy, CO2e, water, heat, and what making the hardware took.

Every factor is a low, a central and a high value with a source. `training` and `serving` take the central
ones of all that is not given; `cohort.footprint.uncertainty` draws from the ranges.
"""

from cohort.footprint.accounts import BOUNDARIES, Footprint, account
from cohort.footprint.answers import break_even, per_million_tokens, per_year, service, serving
from cohort.footprint.audit import TOLERANCE, Check, contradictions
from cohort.footprint.factors import Range
from cohort.footprint.inputs import Factors
from cohort.footprint.logged_runs import LoggedRun, from_log
from cohort.footprint.places import Grid, grid, grids
from cohort.footprint.prefill_only import prefill
from cohort.footprint.training_runs import training, training_hours
from cohort.footprint.yardsticks import fleet

__all__ = [
    "BOUNDARIES",
    "TOLERANCE",
    "Check",
    "Factors",
    "Footprint",
    "Grid",
    "LoggedRun",
    "Range",
    "account",
    "break_even",
    "contradictions",
    "fleet",
    "from_log",
    "grid",
    "grids",
    "per_million_tokens",
    "per_year",
    "prefill",
    "service",
    "serving",
    "training",
    "training_hours",
]
