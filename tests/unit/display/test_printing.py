"""Figures that are written quickly: the same pictures, and figures that are as they were."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawing import svg, theme
from matplotlib.figure import Figure

from cohort.display.printing import quick
from cohort.display.theme import figure

__all__ = ["theme"]


def plain() -> Figure:
    shown, axes = figure()
    axes.plot(np.arange(9.0), np.arange(9.0) ** 5, label="a curve")
    axes.set(xlabel="thousands", ylabel="values", title="A title")
    axes.legend()
    return shown


def logarithmic() -> Figure:
    shown, axes = figure()
    axes.loglog([1.0, 1e5], [3.0, 1e-4])
    axes.set_ylabel("a long label of an axis, which needs its room")
    axes.annotate("far", (1e5, 1e-4), xytext=(1e2, 1.0), arrowprops={"arrowstyle": "->"})
    return shown


def shared() -> Figure:
    shown, panels = plt.subplots(2, 2, sharex="col", sharey=True, layout="constrained")
    for number, axes in enumerate(panels.flat):
        axes.plot([0, 10.0**number], [0, 1e6])
    panels[0, 1].twinx().plot([0, 1], [1e-9, 2e-9])
    panels[1, 1].inset_axes((0.1, 0.6, 0.3, 0.3)).barh([0, 1], [1, 2])
    return shown


def without_layout() -> Figure:
    shown, axes = plt.subplots()
    axes.plot([1, 2], [3, 4])
    return shown


@pytest.mark.slow
@pytest.mark.parametrize("tight", [None, "tight"])
@pytest.mark.parametrize("make", [plain, logarithmic, shared, without_layout])
def test_the_picture_is_the_same_and_the_figure_as_it_was(make, tight):
    with plt.rc_context({"savefig.bbox": tight}):
        expected = svg(make())
        shown = make()
        with quick(shown):
            assert svg(shown) == expected
        axes = [axis for each in shown.axes for axis in (each.xaxis, each.yaxis)]
        assert not {"draw", "_update_ticks"} & {name for each in (shown, *axes) for name in vars(each)}
        shown.axes[0].set_xlim(0.5, 700)
        changed = make()
        changed.axes[0].set_xlim(0.5, 700)
        with quick(shown):
            assert svg(shown) == svg(changed) != expected


@pytest.mark.slow
def test_marks_are_worked_out_anew_only_where_something_changed(monkeypatch):
    from matplotlib.axis import Axis

    calls, update = [], Axis._update_ticks
    monkeypatch.setattr(Axis, "_update_ticks", lambda axis: calls.append(axis) or update(axis))
    svg(logarithmic())
    usual = len(calls)
    shown = logarithmic()
    calls.clear()
    with quick(shown):
        svg(shown)
    assert 0 < len(calls) < usual / 3
