"""The slowest of devices that share experts, predicted beside what was measured, as tables."""

from __future__ import annotations

from functools import lru_cache
from statistics import median

import pandas as pd

from cohort.chapters.expert_tradeoffs.load import BLIND, COPIES
from cohort.experts import loads, placement, router, skews
from cohort.experts.loads import DeviceLoad, Load

DEVICES = {64: 8, 8: 4}  # that share the experts of a layer whose every load is known, by experts
KNOWN, OTHERS = "its own spread", "the spread of other models"


@lru_cache(maxsize=256)
def _popularity(experts: int, active: int, skew: float) -> tuple[float, ...]:
    return tuple(router.popularity(router.weights(experts, skew), active).tolist())


@lru_cache(maxsize=256)
def _blind(experts: int, active: int, devices: int, skew: float) -> float:
    return placement.placed_blindly(_popularity(experts, active, skew), devices)


@lru_cache(maxsize=1)
def _skews() -> dict[str, list[float]]:
    """Return the skew of each layer whose loads are known one by one, or by how much they vary, by model."""
    found: dict[str, list[float]] = {}
    for each in loads.measured_loads():
        found.setdefault(each.model, []).append(_skew_of_load(each))
    for layer in loads.measured_devices():
        if layer.variation is not None and layer.source == "weinberger2025routing":
            found.setdefault(layer.model, []).append(
                skews.skew_of(layer.variation, layer.experts, layer.active)
            )
    return found


def _skew_of_load(load: Load) -> float:
    return skews.skew_of(load.variation, len(load.assignments), load.active)


def measured_skews() -> pd.DataFrame:
    """Return how uneven the measured loads of experts are, by model.

    Returns
    -------
    DataFrame
        By model: the number of ``layers`` (one for each text), and ``low``, ``middle`` and ``high``, the
        least, median and largest skew of a router that loads its experts as unevenly.
    """
    records = {
        name: {"layers": len(each), "low": min(each), "middle": median(each), "high": max(each)}
        for name, each in _skews().items()
    }
    return pd.DataFrame.from_dict(records, orient="index").rename_axis("model")


def usual_skew(apart: str = "") -> float:
    """Return the skew of measured routers: the median over models of the median over their layers.

    Parameters
    ----------
    apart : str
        A model that is left out.

    Returns
    -------
    float
        As `cohort.experts.router.weights` takes it.
    """
    return median(median(each) for name, each in _skews().items() if name != apart)


def slowest_devices() -> pd.DataFrame:
    """Return the slowest device of measured layers whose experts lie in no order of their popularity.

    Returns
    -------
    DataFrame
        One row a layer and text: ``model``, ``text``, ``layer``, ``experts``, ``devices``, ``measured``, the
        load of the fullest device over the mean, `KNOWN`, what is predicted from how uneven its experts are,
        not knowing which are popular (empty where not even that is published), and `OTHERS`, what is
        predicted from other models alone.
    """
    records = [_of_load(each) for each in loads.measured_loads()]
    records += [_of_device(each) for each in loads.measured_devices() if not each.by_load]
    return pd.DataFrame(records)


def _of_load(load: Load) -> dict[str, object]:
    experts = len(load.assignments)
    devices = DEVICES[experts]
    return {
        "model": load.model,
        "text": load.text,
        "layer": load.layer,
        "experts": experts,
        "devices": devices,
        "measured": placement.fullest(load.assignments, devices),
        KNOWN: _blind(experts, load.active, devices, _skew_of_load(load)),
        OTHERS: _blind(experts, load.active, devices, usual_skew(load.model)),
    }


def _of_device(found: DeviceLoad) -> dict[str, object]:
    size = found.experts, found.active
    skew = None
    if found.variation is not None:
        skew = skews.skew_of(found.variation, *size)
    elif found.hottest is not None:
        skew = skews.skew_of_hottest(found.hottest, *size)
    return {
        "model": found.model,
        "text": found.text,
        "layer": found.layer,
        "experts": found.experts,
        "devices": found.devices,
        "measured": found.slowest,
        KNOWN: float("nan") if skew is None else _blind(*size, found.devices, skew),
        OTHERS: _blind(*size, found.devices, usual_skew(found.model)),
    }


def measured_placements() -> pd.DataFrame:
    """Return the measured slowest devices of DeepSeek-R1, placed as numbered and by load with copies.

    Returns
    -------
    DataFrame
        One row a layer: ``devices``, ``measured`` load over the mean, and ``placement``, a name of
        `load.PLACEMENTS`.
    """
    return pd.DataFrame(
        {
            "devices": each.devices,
            "measured": each.slowest,
            "placement": COPIES if each.by_load else BLIND,
        }
        for each in loads.measured_devices()
        if each.model == BALANCED
    )


BALANCED = "DeepSeek-R1"  # whose layers were measured before and after they were balanced
STEP = 1024  # assignments of a device in the steps that the measured balancer counts


def known_placements() -> pd.DataFrame:
    """Return what placing experts by their loads does, predicted and measured.

    Returns
    -------
    DataFrame
        One row a layer: ``model``, ``layer``, ``devices``, ``copies``, places beyond one for each expert,
        ``measured`` load of the fullest device over the mean, and ``predicted``, for the skew of other
        models, which the placement hides but for chance.
    """
    records = []
    for each in loads.measured_devices():
        if each.by_load:
            popular = _popularity(each.experts, each.active, usual_skew(each.model))
            predicted = _by_load(popular, each.devices, each.copies, STEP * each.devices // each.active)
            records.append(
                {
                    "model": each.model,
                    "layer": each.layer,
                    "devices": each.devices,
                    "copies": each.copies,
                    "measured": each.slowest,
                    "predicted": predicted,
                }
            )
    return pd.DataFrame(records)


@lru_cache(maxsize=8)
def _by_load(popular: tuple[float, ...], devices: int, copies: int, tokens: int) -> float:
    return placement.placed_by_load(popular, devices, copies=copies, tokens=tokens)


def loads_of_model(name: str) -> list[Load]:
    """Return the measured loads of one model.

    Parameters
    ----------
    name : str
        As the table has it.

    Returns
    -------
    list of Load
        One a layer and text.
    """
    return [each for each in loads.measured_loads() if each.model == name]


def other_texts() -> pd.DataFrame:
    """Return the slowest device of OLMoE's layers where experts are placed by the loads of other texts.

    Returns
    -------
    DataFrame
        One row a layer and text: ``as numbered``, ``by other texts``, ``with copies``, one more place on each
        device, by the loads of the other texts too, and ``by its own``, the best that a placement can know.
    """
    records = []
    fine = [each for each in loads.measured_loads() if len(each.assignments) == max(DEVICES)]
    for load in fine:
        devices, come = DEVICES[len(load.assignments)], load.over_mean
        others = [each.over_mean for each in fine if each.layer == load.layer and each.text != load.text]
        known = [sum(each) for each in zip(*others, strict=True)]
        records.append(
            {
                "text": load.text,
                "layer": load.layer,
                "as numbered": placement.fullest(come, devices),
                "by other texts": placement.placed_by_load(known, devices, come),
                "with copies": placement.placed_by_load(known, devices, come, copies=devices),
                "by its own": placement.placed_by_load(come, devices),
            }
        )
    return pd.DataFrame(records)
