"""Decisions that take everything at once: which layout serves a demand, and which model to make for it."""

from cohort.planning.demand import Demand, Limits
from cohort.planning.designing import Design, Designer, Designs, Goal
from cohort.planning.options import Option, Point, Rejected
from cohort.planning.search import Plan, plan
from cohort.planning.shapes import llama_like
from cohort.planning.sharing import Way, ways

__all__ = [
    "Demand",
    "Design",
    "Designer",
    "Designs",
    "Goal",
    "Limits",
    "Option",
    "Plan",
    "Point",
    "Rejected",
    "Way",
    "llama_like",
    "plan",
    "ways",
]
