"""The figures of the footprint of serving: what is drawn is what the tables hold."""

import numpy as np
import pandas as pd
import pytest
from drawing import theme  # noqa: F401

from cohort.chapters.serving_footprint import figures, making, published, tables, uncertainty
from cohort.display.theme import INK

CHAT = {"accelerator": "H100 SXM 80GB", "input_tokens": 256, "output_tokens": 400}


def texts(drawing) -> list[str]:
    return [text.get_text() for text in drawing.axes[0].texts]


def test_lines_and_measured_dots():
    sweep = tables.by_batch(["llama-3-70b", "llama-3-8b"], 64, **CHAT)
    points = {"Llama 3 70B": tables.measured_answers("llama-3-70b", 256, 400)}
    axes = figures.draw_batch(sweep, points, "Llama 3 70B").axes[0]
    first, second = axes.lines
    assert (first.get_color(), second.get_color() != INK) == (INK, True)
    own = sweep[sweep["model"] == "Llama 3 70B"]
    assert np.allclose(first.get_ydata(), own["wh"])
    assert np.allclose(axes.collections[0].get_offsets(), points["Llama 3 70B"])
    assert texts(axes.figure) == ["Llama 3 8B", "Llama 3 70B"]


def test_models_by_kind():
    models = tables.by_model(["llama-3-8b", "mixtral-8x7b-v0.1"], 64, **CHAT)
    axes = figures.draw_size(models).axes[0]
    assert np.allclose(axes.collections[0].get_offsets()[:, 1], models["wh"])
    assert set(texts(axes.figure)) == {"Llama 3 8B", "Mixtral 8x7B"}


def test_bars_of_a_prompt_add_up():
    lengths = tables.by_prompt("llama-3-70b", 64, **CHAT)
    ends: dict[float, float] = {}
    for bar in figures.draw_prompt(lengths).axes[0].patches:
        ends[bar.get_y()] = max(ends.get(bar.get_y(), 0.0), bar.get_x() + bar.get_width())
    assert [ends[place] for place in sorted(ends, reverse=True)] == pytest.approx(list(lengths["wh"]))
    assert set(figures.PARTS) <= set(lengths.columns)


def test_published_and_own_queries_have_a_row_each():
    theirs, own = published.queries(), uncertainty.own_queries(["llama-3-8b"], 64, **CHAT)
    axes = figures.draw_queries(theirs, own).axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[::-1] == [*theirs.index, *own.index]
    assert len(axes.collections) == len(labels)


def test_break_even_marks_the_chosen_model():
    evens = making.break_evens(["llama-3-8b", "llama-3-70b"], 64, 1e6, **CHAT)
    axes = figures.draw_break_even(evens, "Llama 3 70B").axes[0]
    assert np.allclose(sorted(axes.collections[0].get_offsets()[:, 0]), sorted(evens["answers"] / 1e9))
    bounded = figures.draw_break_even(making.break_evens(["dbrx"], 64, 1e6, **CHAT), "").axes[0]
    assert [label.get_text() for label in bounded.get_yticklabels()] == ["DBRX (at most)"]


def test_measured_energies_lie_where_they_belong():
    left = published.energies_left_out()
    axes = figures.draw_measured_energy(left, 1.4).axes[0]
    drawn = sum(len(each.get_offsets()) for each in axes.collections[1:])
    assert drawn == len(left)
    assert {text.get_text() for text in axes.get_legend().get_texts()} == set(left["model"])
    inks = {(*each.get_facecolor()[0], *each.get_edgecolor()[0]) for each in axes.collections[1:]}
    assert len(inks) == left["model"].nunique()  # no two models share a colour


def test_shares_have_two_bars_each():
    energy, co2e = pd.Series({"the host": 40.0}), pd.Series({"the grid": 50.0, "the host": 20.0})
    axes = figures.draw_shares(energy, co2e).axes[0]
    assert sorted(bar.get_width() for bar in axes.patches) == [0, 20, 40, 50]


def test_nothing_to_draw_is_said():
    asked = {**CHAT, "accelerator": "L4"}
    assert texts(figures.draw_size(tables.by_model(["llama-3.1-405b"], 64, **asked))) == [
        "no model fits this accelerator"
    ]
    assert texts(figures.draw_batch(tables.by_batch(["llama-3.1-405b"], 1, **asked), {}, "")) == [
        "no model fits this accelerator"
    ]
    assert texts(figures.draw_break_even(making.break_evens(["llama-3.1-405b"], 1, 1.0, **asked), "")) == [
        "no model fits this accelerator whose training hours are known"
    ]
