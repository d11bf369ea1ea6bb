"""What the chapter `decide` says in words: sentences about its plans and designs, in Markdown."""

from cohort.chapters.decide.words.amounts import usd
from cohort.chapters.decide.words.designs import (
    brief_on_making,
    designs_said,
    lifetimes_said,
    other_law_said,
    shadow_prices_said,
)
from cohort.chapters.decide.words.places import brief_on_places, brief_on_savings, places_said, savings_said
from cohort.chapters.decide.words.services import (
    brief_on_serving,
    brief_on_sureness,
    choice_said,
    demand_said,
    frontier_said,
    prices_said,
    reality,
)

__all__ = [
    "brief_on_making",
    "brief_on_places",
    "brief_on_savings",
    "brief_on_serving",
    "brief_on_sureness",
    "choice_said",
    "demand_said",
    "designs_said",
    "frontier_said",
    "lifetimes_said",
    "other_law_said",
    "places_said",
    "prices_said",
    "reality",
    "savings_said",
    "shadow_prices_said",
    "usd",
]
