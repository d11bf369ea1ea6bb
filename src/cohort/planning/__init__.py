"""Decisions that take everything at once: which layout serves a demand, and which model to make for it."""

from cohort.planning.demand import Demand, Limits
from cohort.planning.options import Option, Point, Rejected
from cohort.planning.search import Plan, plan
from cohort.planning.sharing import Way, ways

__all__ = ["Demand", "Limits", "Option", "Plan", "Point", "Rejected", "Way", "plan", "ways"]
