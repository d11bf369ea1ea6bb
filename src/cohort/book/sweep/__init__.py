"""Sweeps: one notebook under many sets of parameters, stored so that no finished run is lost or repeated."""

from cohort.book.sweep.execute import StoppedError, run_sweep
from cohort.book.sweep.plan import Plan, make_plan
from cohort.book.sweep.store import Row, Store

__all__ = ["Plan", "Row", "StoppedError", "Store", "make_plan", "run_sweep"]
