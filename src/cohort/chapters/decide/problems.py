"""Problems of the chapter `decide`, worked out with its own numbers."""

from __future__ import annotations

from cohort.display.problems import Problem
from cohort.display.words import counted, scaled, significant
from cohort.planning import Demand, Design, Option
from cohort.units import BILLION, MILLION, SECONDS_PER_HOUR, TRILLION

SIZES = ((TRILLION, "trillion"), (BILLION, "billion"), (MILLION, "million"))  # of sums of money


def _price(usd: float) -> str:
    """Write a price to the cent, and a large one to four digits."""
    return f"{usd:,.2f}" if usd < 1000 else scaled(usd, 4)


def worked(option: Option | None, demand: Demand, design: Design | None, years: float) -> list[Problem]:
    """Return problems with their solutions: a price per token, copies for more users, and a break-even.

    Parameters
    ----------
    option : Option or None
        The cheapest way to serve the assistant; None leaves the first two out.
    demand : Demand
        Of the assistant.
    design : Design or None
        The cheapest design of the lab; None leaves the third out.
    years : float
        Of its use.

    Returns
    -------
    list of Problem
    """
    found = []
    if option is not None and option.usd_per_hour is not None and option.usd_per_million_tokens is not None:
        rate = option.copies * option.serving.output_tokens_per_s
        hour = rate * SECONDS_PER_HOUR
        found.append(
            Problem(
                f"{counted(option.accelerators, 'accelerator')} cost USD {_price(option.usd_per_hour)} an "
                f"hour and write {scaled(rate, 4)} tokens a second. What do a million tokens cost?",
                (
                    f"{scaled(rate, 4)} × 3,600 s = {scaled(hour)} tokens an hour.",
                    f"USD {_price(option.usd_per_hour)} ÷ {scaled(hour / MILLION)} = "
                    f"USD {significant(option.usd_per_million_tokens)}.",
                ),
                f"USD {significant(option.usd_per_million_tokens)}.",
            )
        )
        each = option.serving.requests_per_s
        wanted = 10 * float(demand.requests_per_s or 0.0)
        copies = -(-wanted // each)
        found.append(
            Problem(
                f"With {counted(option.serving.concurrency, 'answer')} at once a copy on "
                f"{counted(option.way.devices, 'accelerator')} finishes {significant(each)} requests a "
                f"second. How many such copies, and accelerators, serve {scaled(wanted)}?",
                (
                    f"{scaled(wanted)} ÷ {significant(each)} = {scaled(wanted / each)}, rounded "
                    f"up to {copies:,.0f}.",
                    f"{copies:,.0f} × {counted(option.way.devices, 'accelerator')} = "
                    f"{copies * option.way.devices:,.0f}.",
                ),
                f"{counted(round(copies), 'copy', 'copies')}, "
                f"{counted(round(copies * option.way.devices), 'accelerator')}.",
            )
        )
    if design is not None and design.serving_usd > 0:
        costs = (design.training_usd, design.serving_usd / years)
        size, word = next((size, word) for size, word in SIZES if max(costs) >= size or size == MILLION)
        training, year = (float(f"{usd / size:.3g}") for usd in costs)
        even = training / year
        found.append(
            Problem(
                f"Training costs USD {significant(training)} {word}, serving USD {significant(year)} "
                f"{word} a year. When has use cost as much as training?",
                (f"{significant(training)} ÷ {significant(year)} = {significant(even)} years.",),
                f"After {significant(even)} years, were it used for so long.",
            )
        )
    return found
