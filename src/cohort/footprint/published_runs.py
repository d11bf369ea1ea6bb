"""Training runs as their makers published them: hours, power, tokens, and the utilisation that follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, sqrt
from statistics import fmean, median

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.registered import group, title
from cohort.architecture.registered import model as read_model
from cohort.errors.arguments import explain
from cohort.footprint.accounts import at_least
from cohort.footprint.audit import published_rows
from cohort.footprint.factors import Z95, Range, assessed
from cohort.footprint.factors import mfu as usual_mfu
from cohort.footprint.training_runs import training_flop
from cohort.registry import facts
from cohort.registry.devices import Accelerator, accelerators, as_accelerator, sixteen_bit_type
from cohort.units import HOURS_PER_DAY, SECONDS_PER_HOUR, TRILLION

# Runs -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a training run.

    Attributes
    ----------
    name : str
        What the run is called.
    device : Accelerator
        What it ran on.
    device_known : bool
        Whether its makers say so.
    hours : float, optional
        Accelerator hours that are published or follow from what is; None where they have to be estimated.
    at_most : float, optional
        A published upper bound of the hours.
    active : float
        Parameters that each token passes through.
    tokens : Range
        Tokens of the training: one value where they are known.
    reported_t : float, optional
        CO2e that its makers report, in t.
    boundary : str
        The boundary of that report; empty where nothing is reported.
    pue_applied : bool
        Whether that report counts the losses of the data centre.
    powers : tuple of (str, float)
        Published mean power of one accelerator in W, by the boundary that it was measured at.
    told : tuple of (str, float)
        What its makers say of the data centre and the grid of the run, by the names of the factors.
    """

    name: str
    device: Accelerator
    device_known: bool
    hours: float | None
    at_most: float | None
    active: float
    tokens: Range
    reported_t: float | None = None
    boundary: str = ""
    pue_applied: bool = False
    powers: tuple[tuple[str, float], ...] = ()
    told: tuple[tuple[str, float], ...] = ()

    @property
    def flop(self) -> float:
        """Six FLOP for each active parameter and token, at the central number of tokens."""
        return float(training_flop(self.active, self.tokens.central))

    @property
    def assessed(self) -> bool:
        """Whether the data hold a range for making what it ran on; others are given that of an H100."""
        return assessed(self.device)

    @property
    def floor(self) -> float:
        """The share of the peak below which the run would exceed the upper bound of its hours; 0 without one.

        An accelerator that could not keep within the bound at its peak is not what the run was on: 0 as well.
        """
        if self.at_most is None or not self.tokens.known:
            return 0.0
        peak = self.device.peak(sixteen_bit_type(self.device))
        share = self.flop / (peak * SECONDS_PER_HOUR * self.at_most)
        return share if share < 1 else 0.0

    def power(self, boundary: str) -> float | None:
        """Return the published power at a boundary.

        Parameters
        ----------
        boundary : str
            One of ``cohort.footprint.BOUNDARIES``; from the node on it is that of the node.

        Returns
        -------
        float or None
            Watts of one accelerator; None where nothing is published.

        Raises
        ------
        UnknownNameError
            If there is no such boundary.
        """
        near = "node" if at_least(boundary, "node") else boundary
        return dict(self.powers).get(near)


AT_MOST = "at most"  # the qualifier of an upper bound
# Parts that stand for a run; where a field is in several, the last counts.
_WHOLE = ("pre-training", "final run", "")
Rows = Mapping[str, Mapping[str, str]]  # of a run, by field


def run_rows(name: str) -> dict[str, dict[str, str]]:
    """Return the rows of a run that belong to no part of it, or to its pre-training, by field.

    Parameters
    ----------
    name : str
        The run, as in the table `training_runs`.

    Returns
    -------
    dict of str to dict
        Rows of the table. A field of which the same part has several values, such as energies at several
        boundaries, is left out: `cohort.footprint.audit.published_rows` has them all.

    Examples
    --------
    >>> run_rows("dbrx")["accelerator_hours"]["qualifier"]
    'at most'
    """
    rows = [row for row in facts.rows("training_runs") if row["model_or_run"] == name and row["value"]]
    count = Counter((row["part"], row["field"]) for row in rows)
    found = {row["field"]: row for part in _WHOLE for row in rows if row["part"] == part}
    return {field: row for field, row in found.items() if count[row["part"], field] == 1}


def tokens_of(spec: ModelSpec) -> Range:
    """Return the training tokens of a model, or where they are undisclosed those of the cohort.

    Parameters
    ----------
    spec : ModelSpec
        The model.

    Returns
    -------
    Range
        One value where it is known, else from the fewest to the most that a model of the cohort has seen.

    Examples
    --------
    >>> tokens_of(read_model("llama-3-8b")).known, tokens_of(read_model("command-r-v01")).known
    (True, False)
    """
    fact = facts.of_model(spec.name).get("training_tokens") if spec.registered else None
    if fact is not None and fact.number:
        return Range.exact(float(fact.number), "tokens")
    found = [facts.of_model(name)["training_tokens"].number for name in group("cohort")]
    known = [float(number) for number in found if number]
    return Range(min(known), median(known), max(known), "tokens")


def run_of(model: str, accelerator: str) -> Run:
    """Return what is known of a model's training.

    Parameters
    ----------
    model : str
        A name from ``cohort.models()``, or a path.
    accelerator : str
        What it is taken to have run on where its makers do not say.

    Returns
    -------
    Run
        With what is published of it.

    Raises
    ------
    UnknownNameError
        If there is no such model or accelerator; the message names the nearest.

    See Also
    --------
    cohort.footprint.training : The footprint of hours, or of a model and its tokens.

    Examples
    --------
    >>> run = run_of("llama-2-7b", "H100 SXM 80GB")
    >>> run.device.name, run.hours, run.reported_t
    ('A100 SXM 80GB', 184320.0, 31.22)
    """
    spec = read_model(model)
    rows = run_rows(spec.name) if spec.registered else {}
    stated = _text(rows, "accelerator")
    known = stated if stated in accelerators() else None
    tokens = tokens_of(spec)
    hours = _number(rows, "accelerator_hours")
    bound = hours is not None and rows["accelerator_hours"]["qualifier"] == AT_MOST
    told = [(name, _number(rows, name)) for name in ("pue", "grid_g_per_kwh")]
    report = rows.get("co2e_t", {})
    return Run(
        name=title(spec),
        device=as_accelerator(known or accelerator),
        device_known=known is not None,
        hours=None if bound else _hours_from(rows, tokens) if hours is None else hours,
        at_most=hours if bound else None,
        active=spec.active_parameters,
        tokens=tokens,
        reported_t=_number(rows, "co2e_t"),
        boundary=report.get("boundary", ""),
        pue_applied=report.get("pue_applied") == "yes",
        powers=_powers(spec.name) if spec.registered else (),
        told=tuple((name, value) for name, value in told if value is not None),
    )


def _text(rows: Rows, field: str) -> str | None:
    return rows[field]["value"] if field in rows else None


def _number(rows: Rows, field: str) -> float | None:
    return float(rows[field]["value"]) if field in rows else None


def _hours_from(rows: Rows, tokens: Range) -> float | None:
    """Return hours that follow from accelerators and days, or from a rate and the tokens."""
    count, days = _number(rows, "accelerator_count"), _number(rows, "training_days")
    if count is not None and days is not None:
        return count * days * HOURS_PER_DAY
    rate = _number(rows, "accelerator_hours_per_trillion_tokens")
    return rate * tokens.central / TRILLION if rate is not None and tokens.known else None


def _powers(name: str) -> tuple[tuple[str, float], ...]:
    """Return the measured powers of a run by boundary; the rated one is a fact of the accelerator."""
    return tuple(
        (row.boundary, row.value)
        for row in published_rows()
        if (row.run, row.field) == (name, "power_w")
        and row.boundary in ("accelerator", "node")
        and row.part in ("", "pre-training")
    )


# Utilisation ------------------------------------------------------------------------------------------------

# An H800 is an H100 whose links were cut.
_SAME = {"H100": "H100, H800", "H800": "H100, H800"}
_ENOUGH = 5  # runs from which a spread is taken


def _family(device: Accelerator) -> str:
    family = device.name.split()[0]
    return _SAME.get(family, family)


@lru_cache(maxsize=2)
def known_utilisations(modified: int) -> dict[str, tuple[str, float]]:
    """Return the utilisation of each run whose hours are published.

    Parameters
    ----------
    modified : int
        When the table `training_runs` was written, by which the answer is kept.

    Returns
    -------
    dict of str to (str, float)
        By run: the family of its accelerator, and the share of its dense 16-bit peak. A bound of the hours
        gives none, and neither do the hours of a model that was pruned or distilled: they are not those of
        its own size.

    Examples
    --------
    >>> family, share = known_utilisations(facts.modified("training_runs"))["llama-3-8b"]
    >>> family, round(share, 2)
    ('H100, H800', 0.16)
    """
    found = {}
    for name in runs_with_hours():
        rows = run_rows(name)
        hours, device = _number(rows, "accelerator_hours"), _text(rows, "accelerator")
        if not hours or not device or "made_by" in rows:
            continue
        active, tokens = run_size(name, rows)
        if active and tokens:
            chip = as_accelerator(device)
            peak = chip.peak(sixteen_bit_type(chip))
            found[name] = (
                _family(chip), training_flop(active, tokens) / (hours * SECONDS_PER_HOUR * peak)
            )  # fmt: skip
    return found


def runs_with_hours() -> list[str]:
    """Return the runs whose hours are published, not a bound of them alone.

    Returns
    -------
    list of str
        Those of models that were pruned or distilled as well.
    """
    return [
        row["model_or_run"]
        for row in facts.rows("training_runs")
        if (row["field"], row["part"]) in {("accelerator_hours", part) for part in _WHOLE}
        and row["value"]
        and row["qualifier"] != AT_MOST
    ]


def run_size(name: str, rows: Rows) -> tuple[float | None, float | None]:
    """Return the active parameters and the tokens of a run.

    Parameters
    ----------
    name : str
        The run; where it is a model of the book, both are that model's.
    rows : mapping of str to mapping
        Its rows by field, as `run_rows` returns them.

    Returns
    -------
    pair of float or None
        None where the data do not hold one.

    Examples
    --------
    >>> run_size("olmo-2-7b", {})
    (7298617344, 4000000000000.0)
    """
    if name in facts.config_names():
        tokens = facts.of_model(name).get("training_tokens")
        return read_model(name).active_parameters, float(tokens.number) if tokens and tokens.number else None
    return _number(rows, "active_parameters"), _number(rows, "tokens")


def _maker(name: str) -> str:
    """Return the first word of a run's name, in small letters."""
    word = "".join(letter if "a" <= letter <= "z" else " " for letter in name.casefold())
    return word.partition(" ")[0]


def siblings(name: str) -> frozenset[str]:
    """Return the runs of the same makers whose utilisation is known, by the first word of their names.

    Parameters
    ----------
    name : str
        A run.

    Returns
    -------
    frozenset of str
        The run itself is among them, where its own is known.

    Examples
    --------
    >>> sorted(siblings("olmo-2-7b"))[:2]
    ['olmo-3-32b', 'olmo-3-7b']
    """
    known = known_utilisations(facts.modified("training_runs"))
    return frozenset(each for each in known if _maker(each) == _maker(name))


def utilisation(device: Accelerator, without: Collection[str] = ()) -> Range:
    """Return the share of the peak that a run on an accelerator attains, as other runs on its like did.

    Parameters
    ----------
    device : Accelerator
        The accelerator.
    without : collection of str
        Runs that are left out, so that they can be predicted from the others.

    Returns
    -------
    Range
        Lognormal: the geometric mean of the others on its like, and bounds between which nine tenths of the
        runs of a further maker are expected. How far runs lie from the mean of their family is taken over
        all families together, since few makers publish hours on any one of them, and the mean is as unsure
        as they are few. With fewer than five runs on its like, what the table of factors has.

    Notes
    -----
    Size was tried as well: with whole makers left out it brought no run nearer to its prediction.

    See Also
    --------
    cohort.footprint.factors.mfu : The value that a footprint in one number takes.

    Examples
    --------
    >>> round(utilisation(as_accelerator("H100 SXM 80GB")).central, 2)
    0.24
    """
    known = known_utilisations(facts.modified("training_runs"))
    kept = {name: found for name, found in known.items() if name not in without}
    families: dict[str, list[float]] = {}
    for family, share in kept.values():
        families.setdefault(family, []).append(log(share))
    logs = families.get(_family(device), [])
    if len(logs) < _ENOUGH:
        return usual_mfu(device)
    missed = [each - fmean(own) for own in families.values() for each in own]
    apart = sqrt(sum(each * each for each in missed) / (len(missed) - len(families)))
    makers = len({_maker(name) for name, (family, _) in kept.items() if family == _family(device)})
    centre, spread = fmean(logs), Z95 * apart * sqrt(1 + 1 / makers)
    ends = (exp(centre - spread), exp(centre), min(exp(centre + spread), 1.0))
    return Range(*ends, "fraction", usual_mfu(device).sources, shape="lognormal")


explain(__name__)
