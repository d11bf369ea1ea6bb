"""Mixture or dense? The best of each for a memory, a demand and a speed, and where modern mixtures stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from cohort.architecture.decoder import ModelSpec
from cohort.architecture.dtypes import precision
from cohort.architecture.registered import known, specs, title
from cohort.architecture.registered import model as read_model
from cohort.chapters.expert_tradeoffs.reads import batches
from cohort.chapters.expert_tradeoffs.worth import measured_pairs
from cohort.errors import integer, positive
from cohort.registry import facts
from cohort.registry.devices import Accelerator, sixteen_bit_type
from cohort.registry.devices import accelerator as find_accelerator
from cohort.scaling import mixture_laws, mixture_rules
from cohort.scaling.mixture_laws import Shape
from cohort.scaling.mixture_rules import Rule

KEPT = 0.7  # of the memory, for weights; the rest is for the cache and the engine
GRANULARITY = 8  # of the mixtures that are tried: eight experts of a token, as most modern ones have
SHARES = tuple(2.0**-step for step in range(2, 7))  # of the weights that a token passes through, as tried
WEIGHTS = "fp8"
STEPS = 60  # of halving, in the search for a size


@dataclass(frozen=True, slots=True)
class Demand:
    """What a group of devices is asked for, and what it has.

    Attributes
    ----------
    memory : float
        Bytes for weights.
    bandwidth, peak : float
        Bytes and operations a second.
    width : float
        Bytes of a weight.
    answers : int
        Answers that are written at once.
    speed : float
        Tokens a second of each.
    """

    memory: float
    bandwidth: float
    peak: float
    width: float
    answers: int
    speed: float

    def meets(self, total: float, share: float) -> bool:
        """Return whether a model is held, read and multiplied fast enough.

        All weights are taken for experts of which a token passes through a share: a step reads those that
        any of its tokens passes through.

        Parameters
        ----------
        total, share : float
            Parameters, and the share of them that a token passes through; 1 for a dense model.

        Returns
        -------
        bool
        """
        read = total * (1 - (1 - share) ** self.answers) * self.width
        multiplied = 2 * total * share * self.answers
        return (
            total * self.width <= self.memory
            and read <= self.bandwidth / self.speed
            and multiplied <= self.peak / self.speed
        )

    def most(self, share: float) -> float:
        """Return the parameters of the largest model of a share that meets the demand.

        Parameters
        ----------
        share : float
            As in `meets`.

        Returns
        -------
        float
            Parameters.
        """
        low, high = 0.0, self.memory / self.width
        if self.meets(high, share):
            return high
        for _ in range(STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.meets(middle, share) else (low, middle)
        return low


def demand(accelerator: str | Accelerator, devices: int, answers: int, speed: float) -> Demand:
    """Return a demand on a group of accelerators, at the rates of their data sheets.

    Parameters
    ----------
    accelerator : str or Accelerator
        The device.
    devices : int
        How many share the model.
    answers : int
        Answers that are written at once.
    speed : float
        Tokens a second of each.

    Returns
    -------
    Demand
        With weights in eight bits, which are multiplied as such where the device can.

    Raises
    ------
    CohortError
        If a name is unknown, or a value is out of its range.
    """
    device = accelerator if isinstance(accelerator, Accelerator) else find_accelerator(accelerator)
    count = integer("devices", devices, 1, 1_000_000, unit="devices")
    native = WEIGHTS in dict(device.peaks)
    return Demand(
        memory=KEPT * count * device.memory_bytes,
        bandwidth=count * device.bandwidth,
        peak=count * device.peak(WEIGHTS if native else sixteen_bit_type(device)),
        width=precision(WEIGHTS).bytes_per_element,
        answers=integer("answers", answers, 1, 2**40, unit="answers"),
        speed=positive("speed", speed),
    )


def worth_of_share(rule: Rule, total: float, share: float) -> float:
    """Return the dense parameters that a mixture is worth of which a token passes through a share.

    Parameters
    ----------
    rule : Rule
        What mixtures are worth.
    total, share : float
        Parameters, and the share of them; a share of 1 is a dense model.

    Returns
    -------
    float
        Parameters.
    """
    if share >= 1:
        return total
    shape = Shape(total * share, total, 1 / share, GRANULARITY, 1 - share)
    return rule.dense_equivalent(shape)


def best(accelerator: str, devices: int, speed: float, answers: Sequence[int] = ()) -> pd.DataFrame:
    """Return the best dense model and the best mixture that meet a demand, as more answers are written.

    Parameters
    ----------
    accelerator : str
        The device.
    devices : int
        How many share the model.
    speed : float
        Tokens a second of each answer.
    answers : sequence of int
        Answers at once, by default powers of two up to 4,096.

    Returns
    -------
    DataFrame
        By answers: ``dense``, the parameters of the best dense model; ``mixture``, the dense parameters that
        the best mixture is worth by the recommended rule, with its ``total`` parameters and the ``share`` of
        them that a token passes through.

    Raises
    ------
    CohortError
        If a name is unknown, or a value is out of its range.
    """
    rule = mixture_rules.recommended()
    records = {}
    for number in answers or batches(4096):
        asked = demand(accelerator, devices, number, speed)
        tried = [(worth_of_share(rule, total, share), total, share) for share in SHARES
                 if (total := asked.most(share)) > 0]  # fmt: skip
        worth, total, share = max(tried)
        records[number] = {"dense": asked.most(1.0), "mixture": worth, "total": total, "share": share}
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("answers")


def crossovers(accelerator: str, devices: int, speed: float, most: int = 4096) -> list[tuple[int, str]]:
    """Return from how many answers on the other kind of model is worth more.

    Parameters
    ----------
    accelerator, devices, speed
        As in `best`.
    most : int
        Answers up to which is looked.

    Returns
    -------
    list of (int, str)
        Answers, and ``mixture`` or ``dense``, which is worth more from there on; the first is that of one
        answer. Between powers of two at most one change is looked for.

    Raises
    ------
    CohortError
        As in `best`.
    """
    frame = best(accelerator, devices, speed, batches(most))
    found = [(1, _better(frame, 1))]
    for low, high in pairwise(int(number) for number in frame.index):
        now = _better(frame, high)
        if now != found[-1][1]:
            before = found[-1][1]
            while high - low > 1:
                middle = (low + high) // 2
                same = _better(best(accelerator, devices, speed, [middle]), middle) == before
                low, high = (middle, high) if same else (low, middle)
            found.append((high, now))
    return found


def _better(frame: pd.DataFrame, answers: int) -> str:
    return "mixture" if frame["mixture"][answers] > frame["dense"][answers] else "dense"


def modern(least_year: int = 2024) -> pd.DataFrame:
    """Return where the registered mixtures stand, and what each is worth by the recommended rule.

    Parameters
    ----------
    least_year : int
        Of the release, from which on.

    Returns
    -------
    DataFrame
        By model: ``total`` and ``active`` parameters without vocabulary, ``sparsity``, the first over the
        second, ``granularity``, ``shared`` experts, ``worth``, the dense parameters by the recommended rule,
        and ``times``, those over the active ones. The sparsest last.
    """
    rule = mixture_rules.recommended()
    records = {}
    for spec in specs(facts.config_names()):
        if spec.experts is None or _year(spec.name) < least_year:
            continue
        own = mixture_laws.shape(spec)
        found = rule.dense_equivalent(own)
        records[title(spec)] = {
            "total": own.total,
            "active": own.active,
            "sparsity": own.total / own.active,
            "granularity": own.granularity,
            "shared": spec.experts.shared,
            "worth": found,
            "times": found / own.active,
        }
    frame = pd.DataFrame.from_dict(records, orient="index").rename_axis("model")
    return frame.sort_values("sparsity", kind="stable")


def own_worth(spec: ModelSpec) -> dict[str, float]:
    """Return what one mixture is worth by the recommended rule.

    Parameters
    ----------
    spec : ModelSpec
        A mixture.

    Returns
    -------
    dict of str to float
        ``active`` parameters without vocabulary, ``worth``, those of the dense model of equal loss, and
        ``measured``, those of the largest dense model of a pair that the rule rests on.

    Raises
    ------
    CohortError
        As in `cohort.scaling.mixture_laws.shape`.
    """
    own = mixture_laws.shape(spec)
    worth = mixture_rules.recommended().dense_equivalent(own)
    return {"active": own.active, "worth": worth, "measured": float(measured_pairs()["dense"].max())}


HOME, HOME_DEVICES = "DGX Spark", 1  # a machine with much memory for its bandwidth
NAMED = (
    *("Mixtral 8x22B", "DBRX", "Arctic", "Kimi K2", "LongCat-Flash", "DeepSeek-V3"),
)  # mixtures that a figure names, if there is room


def _year(name: str) -> int:
    found = known(read_model(name)).get("release_date")
    return int(found.value[:4]) if found is not None and found.value else 0
