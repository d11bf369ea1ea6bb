"""What the notebook `my_footprint` says, in sentences that follow from the log."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cohort.display.phrases import amount, placed, signed
from cohort.display.words import bullets, counted, inflected, mass, ranged, sentences, significant
from cohort.footprint import LoggedRun
from cohort.reports.footprints import energy_text

FEW = 6  # findings that are told; the rest is counted
BOUNDARY_STARTS = {
    "accelerator_tdp": "By the rated power of its accelerators",
    "accelerator": "By what its accelerators draw",
    "node": "With whole machines",
    "facility": "With the data centre",
    "with_embodied": "With the data centre and the making of the hardware",
    "with_development": "With the hardware and all that was tried",
}


def seen(run: LoggedRun) -> str:
    """Return what the meter saw.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    str
    """
    devices = " and ".join(f"{each.number} {each.device.name}" for each in run.groups) or "no accelerator"
    return (
        f"The log covers {_length(run)} of {devices} and holds {energy_text(run.measured_kwh)}. "
        "Only that was measured; the rest is estimated by factors."
    )


def _length(run: LoggedRun) -> str:
    hours = run.log.duration_hours
    return amount(60 * hours, "minute") if hours < 2 else amount(hours, "hour")


def meter_advice(run: LoggedRun) -> str:
    """Return what another meter would add.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    str
    """
    if run.log.of("machine"):
        return "A meter of the whole machine fills three boxes at once: what is open is the room around it."
    return (
        "The diagram says what to ask a colleague for: a wall meter at the node would fill three boxes at "
        "once. Until then each open box has a factor with a range and a source."
    )


def added(run: LoggedRun, table: pd.DataFrame) -> str:
    """Return what was added to it.

    Parameters
    ----------
    run : LoggedRun
        The run.
    table : DataFrame
        As `tables.parts` returns it.

    Returns
    -------
    str
    """
    whole = run.footprint
    about = whole.provenance
    assert about is not None
    low, high = about.interval("energy_kwh")
    own = table.loc[table["status"] == "measured", "energy_kwh"].sum()
    share = 100 * own / whole.energy_kwh if whole.energy_kwh else 0.0
    return (
        f"{BOUNDARY_STARTS[whole.boundary]}, the run took {energy_text(whole.energy_kwh)} "
        f"({energy_text(low)} to {energy_text(high)}); {share:.0f}% of it was measured."
    )


def emitted(run: LoggedRun) -> str:
    """Return what it emitted, by location and by market.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    str
    """
    whole, about = run.footprint, run.footprint.provenance
    assert about is not None
    low, high = about.interval("co2e_kg")
    factor = about.factors["grid_g_per_kwh"].central
    how = "by the hour" if run.series is not None else f"the factor of {about.grid.year}"
    said = (
        f"On the grid of {placed(about.grid.place)} ({significant(factor)} g a kWh, {how}) it emitted "
        f"{mass(whole.co2e_kg)} of CO2e by location ({mass(low)} to {mass(high)})"
    )
    if run.matched is None:
        return f"{said}; no contract was given, so it is as much by market."
    names = " and ".join(contract.name for contract, kwh in run.matched.covered if kwh)
    if not names:
        return f"{said}; no contract delivered in its hours: {mass(whole.co2e_market_kg)} by market."
    return f"{said}, and {mass(whole.co2e_market_kg)} by market, with {names}."


def other_places(values: Mapping[str, float], place: str) -> str:
    """Return how much more or less the same electricity emits in other places.

    Parameters
    ----------
    values : mapping of str to float
        As `tables.places` returns it, in g a kWh.
    place : str
        That of the run.

    Returns
    -------
    str
        A sentence; none where its own electricity emits nothing.
    """
    own, others = values[place], {name: each for name, each in values.items() if name != place}
    if not own:
        return ""
    least, most = min(others, key=others.__getitem__), max(others, key=others.__getitem__)
    return (
        f"The same electricity would emit {significant(others[least] / own, 2)} times as much in "
        f"{placed(least)} and {significant(others[most] / own, 2)} times as much in {placed(most)}."
    )


def widest(table: pd.DataFrame) -> str:
    """Return which factor moves the answer most.

    Parameters
    ----------
    table : DataFrame
        As `tables.sensitivities` returns it.

    Returns
    -------
    str
    """
    if table.empty:
        return "Every factor of this run is known."
    first = table.iloc[0]
    return (
        f"The factor that is known least is *{table.index[0]}*: alone it moves the CO2e by "
        f"{signed(first['low'])}% to {signed(first['high'])}%."
    )


def found_in_log(run: LoggedRun) -> str:
    """Return what is missing or odd in the log.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    str
        Sentences; a few, and how many there are besides.
    """
    told = run.log.findings
    if not told:
        return "The log has no gap, no reading without a value, and its clock runs forward throughout."
    rest = len(told) - FEW
    more = (
        f"{counted(rest, 'finding')} besides {inflected(rest, 'is', 'are')} in the report."
        if rest > 0
        else ""
    )
    return bullets(*told[:FEW], *([more] if more else []))


def sampling(run: LoggedRun) -> str:
    """Return how well the samples know the energy.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    str
    """
    channels = [each for each in run.log.of("accelerator", "machine") if len(each.watts)]
    if not channels:
        return f"Over {_length(run)} the log counts energy, so no rule has to join its readings."
    step = max(each.step_s for each in channels)
    about = run.footprint.provenance
    assert about is not None
    ratio = about.factors["sample_ratio"]
    off = 100 * max(ratio.high - 1, 1 - ratio.low)
    size = f"{off:.2g}%" if off >= 0.01 else "less than 0.01%"
    return (
        f"Over {_length(run)}, the power between readings {significant(step, 2)} s apart is taken as a "
        "straight line. "
        f"What that leaves open, gaps included, is {size} of the energy."
    )


def assumed(run: LoggedRun) -> str:
    """Return what was assumed, a sentence each.

    Parameters
    ----------
    run : LoggedRun
        The run.

    Returns
    -------
    str
    """
    about = run.footprint.provenance
    assert about is not None
    return bullets(*about.assumed) if about.assumed else "Nothing had to be assumed."


def matched(table: pd.DataFrame, near: pd.Series) -> str:
    """Return how many public logs come out as their makers print, and why the others do not.

    Parameters
    ----------
    table : DataFrame
        As `published.public_logs` returns it.
    near : Series
        As `published.near` returns it.

    Returns
    -------
    str
    """
    met, left = table[near], table[~near]
    off = 100 * (met["energy_ratio"].astype(float) - 1).abs()
    why = ". ".join(f"{name}, where {row['explained']}" for name, row in left.iterrows())
    return sentences(
        f"Of {len(table)} runs whose makers published a log and its sum, {len(met)} come out within 1% here, "
        f"with a median error of {off.median():.2g}% in energy.",
        f"The others: {why}." if len(left) else "",
    )


def nodes_matter(table: pd.DataFrame) -> str:
    """Return how wrong one would be to take the log of one machine for that of all.

    Parameters
    ----------
    table : DataFrame
        The table `logged_runs`.

    Returns
    -------
    str
    """
    several = table[table["nodes"] > 1]
    runs = several["run"].nunique()
    return (
        f"In {counted(runs, 'run')} of these the log is that of one machine of "
        f"{ranged(int(several['nodes'].min()), int(several['nodes'].max()), '.0f')}. "
        "Whoever takes it for the whole run gets a half or a quarter of the truth."
    )


def takeaways(run: LoggedRun, table: pd.DataFrame) -> str:
    """Return what to take along, one list item each.

    Parameters
    ----------
    run : LoggedRun
        The run.
    table : DataFrame
        As `tables.sensitivities` returns it.

    Returns
    -------
    str
        Markdown.
    """
    measured = 100 * run.measured_kwh / run.footprint.energy_kwh if run.footprint.energy_kwh else 0.0
    return bullets(
        f"The meter of this log sees {measured:.0f}% of the energy within the boundary. A number without its "
        "boundary says little.",
        "A log counts what it covers: say how many machines there were, and what share of them was yours.",
        "A report gives both what the place emitted (by location) and what was bought (by market).",
        widest(table),
    )
