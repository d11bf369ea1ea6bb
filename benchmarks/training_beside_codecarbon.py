"""`cohort.footprint.training` beside CodeCarbon: grid factors, reported runs, and answers per second.

Run it as ``.venv/bin/python benchmarks/training_beside_codecarbon.py``; CodeCarbon joins where it is
installed: ``pip install codecarbon``. Without a meter CodeCarbon multiplies energy by the factor of a
country, and by a PUE that is 1 unless it is given; it models neither accelerators nor hours. So both are
given the hours and the rated power of the reports that say no more, and are held to the reported tonnes.
Ours is shown at its central values. Times are CPU seconds, the least of several rounds.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from statistics import median

import cohort
from cohort.footprint import published_runs, uncertainty
from cohort.footprint.factors import mfu
from cohort.footprint.training_runs import run_factors, run_footprint
from cohort.units import KG_PER_TONNE, WH_PER_KWH

ROUNDS, CALLS = 5, 300
DRAWS = 200_000
DEVICE = "H100 SXM 80GB"
COUNTRIES = {
    "USA": "USA", "France": "FRA", "Sweden": "SWE", "Norway": "NOR", "Germany": "DEU", "Poland": "POL",
    "Ireland": "IRL", "UK": "GBR", "Canada": "CAN", "China": "CHN", "India": "IND", "Japan": "JPN",
    "Taiwan": "TWN", "Singapore": "SGP",
}  # fmt: skip
LLAMAS = ("llama-2-7b", "llama-2-13b", "llama-2-70b", "llama-3-8b", "llama-3-70b", "llama-3.1-405b")


def seconds(call: Callable[[], object], calls: int = CALLS) -> float:
    """Return the CPU seconds of a call, the least of several rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = time.process_time()
        for _ in range(calls):
            call()
        best = min(best, (time.process_time() - begin) / calls)
    return best


def peer() -> Callable[[float, str], float]:
    """Return what CodeCarbon makes of kWh in a country, in kg."""
    from codecarbon.core.emissions import Emissions
    from codecarbon.core.units import Energy
    from codecarbon.external.geography import GeoMetadata
    from codecarbon.input import DataSource

    made = Emissions(DataSource())

    def kilograms(kwh: float, country: str) -> float:
        return float(made.get_country_emissions(Energy.from_energy(kWh=kwh), GeoMetadata(country, country)))

    return kilograms


def grids(kilograms: Callable[[float, str], float] | None) -> None:
    """Print the factors of countries, ours with method, scope and year."""
    print(f"{'g/kWh':16}{'this book':>10}{'range':>16}{'CodeCarbon':>12}{'ratio':>8}")
    ratios = []
    for place, code in COUNTRIES.items():
        found, near = cohort.grid(place), cohort.footprint.places.grid_range(place)
        text = f"{place:16}{found.g_per_kwh:10.1f}{f'{near.low:.0f} to {near.high:.0f}':>16}"
        if kilograms:
            theirs = 1000 * kilograms(1, code)
            ratios.append(theirs / found.g_per_kwh)
            text += f"{theirs:12.1f}{ratios[-1]:8.2f}"
        print(text)
    if ratios:
        print(f"median of the ratios {median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")


def reports(kilograms: Callable[[float, str], float] | None) -> None:
    """Print the error of both on reports of hours and tonnes, at the boundary of the report."""
    print(f"\n{'t of CO2e':16}{'reported':>10}{'this book':>11}{'CodeCarbon':>12}")
    errors: dict[str, list[float]] = {"this book": [], "CodeCarbon": []}
    for name in LLAMAS:
        run = published_runs.run_of(name, DEVICE)
        assert run.hours and run.reported_t and run.device.tdp_w
        own = cohort.footprint.training(
            accelerator=run.device, accelerator_hours=run.hours, boundary=run.boundary, apply_pue=True
        )
        text = f"{run.name:16}{run.reported_t:10,.1f}{own.co2e_kg / KG_PER_TONNE:11,.1f}"
        errors["this book"].append(abs(own.co2e_kg / KG_PER_TONNE / run.reported_t - 1))
        if kilograms:
            theirs = kilograms(run.hours * run.device.tdp_w / WH_PER_KWH, "USA") / KG_PER_TONNE
            errors["CodeCarbon"].append(abs(theirs / run.reported_t - 1))
            text += f"{theirs:12,.1f}"
        print(text)
    for who, found in errors.items():
        if found:
            print(f"{who}: median error {100 * median(found):.1f} %, widest {100 * max(found):.1f} %")


def speeds(kilograms: Callable[[float, str], float] | None) -> None:
    """Print answers per second, and what many draws take."""

    def ours() -> object:
        return cohort.footprint.training(accelerator=DEVICE, accelerator_hours=1e6, boundary="with_embodied")

    own = seconds(ours)
    print(f"\n{'answers a second':52}{1 / own:14,.0f}")
    if kilograms:
        theirs = seconds(lambda: kilograms(1e6, "USA"))
        name = "CodeCarbon, kWh times the factor of a country"
        print(f"{name:52}{1 / theirs:14,.0f}")

    device = cohort.accelerator(DEVICE)
    factors = run_factors(device, "USA", "with_development", {"mfu": mfu(device)})

    def drawn() -> uncertainty.Spread:
        return uncertainty.propagate(
            lambda **v: run_footprint("with_development", device, (None, 3.8e25), v).co2e_kg, factors, DRAWS
        )

    def percentiles() -> tuple[float, float, float]:
        found = drawn()
        return found.low, found.median, found.high

    whole = seconds(percentiles, 1)
    shares = seconds(lambda: drawn().shares(), 1)
    print(f"{f'{DRAWS:,} draws of {len(factors)} factors, with percentiles':52}{whole:14.2f} s")
    print(f"{'with the shares of the variance instead':52}{shares:14.2f} s")


def main() -> None:
    """Print all of it."""
    kilograms = peer() if importlib.util.find_spec("codecarbon") else None
    grids(kilograms)
    reports(kilograms)
    speeds(kilograms)


if __name__ == "__main__":
    main()
