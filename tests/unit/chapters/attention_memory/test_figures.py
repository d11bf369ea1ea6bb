"""The figures of the chapter on attention: what they draw, for one model and for many."""

import matplotlib as mpl
import pandas as pd
import pytest
from drawing import svg, theme  # noqa: F401
from matplotlib.text import Text

from cohort.architecture import registered
from cohort.chapters.attention_memory import capacity, compute, figures, logs, published, tables
from cohort.display import parts
from cohort.display.theme import INK

MANY = [*registered.group("cohort"), "qwen3-next-80b-a3b", "deepseek-v4-flash", "minimax-text-01"]
LENGTHS = tables.lengths(32_768)


@pytest.mark.slow
@pytest.mark.parametrize("models", [MANY, ["mistral-7b-v0.1"], ["llama-3-8b"]])
def test_lines_are_named_at_their_ends_and_names_stay_apart(models):
    """Of many lines, the extremes of each kind and those that stop growing; of few, all."""
    caches, kinds = tables.cache_curves(models, LENGTHS), tables.kinds(models)
    figure = figures.draw_cache_against_context(caches, kinds, 32_768)
    figure.canvas.draw()
    (axes,) = figure.axes
    names = {text.get_text() for text in axes.texts}
    every = {registered.title(spec) for spec in registered.specs(models)}
    assert names == every if len(models) == 1 else names < every
    for kind in set(kinds):
        of_kind = caches.loc[kinds[caches.index] == kind, 32_768]
        assert {of_kind.idxmax(), of_kind.idxmin()} <= names
    dark = [line for line in axes.lines if line.get_alpha() is None]
    assert len(dark) == len(names) + 1
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # of the words alone, not of their leaders
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    assert len(axes.lines) == len(models) + 1  # and the chosen context


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([0, 0, 0], [0, 10, 20]),
        ([5, 50, 95], [5, 50, 95]),
        ([95, 97, 99], [80, 90, 100]),
        ([0] * 12, [10.0 * place for place in range(12)]),  # no room: kept apart all the same
        ([], []),
    ],
)
def test_names_are_moved_no_more_than_they_must(heights, expected):
    assert parts._apart(heights, gap=10, low=0, high=100) == expected


@pytest.mark.slow
def test_break_even_shows_what_ever_gets_there():
    table = capacity.break_even_contexts(MANY)
    figure = figures.draw_break_even_contexts(table, tables.kinds(MANY))
    (axes,) = figure.axes
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert set(rows) == set(table.index) - {"Phi-3 mini", "Phi-3 medium"}
    assert rows[0] == "Llama 2 7B"
    assert "25.7" in [text.get_text() for text in axes.texts]


def test_nothing_to_break_even_is_said():
    one = ["mistral-7b-v0.1"]
    figure = figures.draw_break_even_contexts(capacity.break_even_contexts(one), tables.kinds(one))
    assert "ever outweighs" in figure.axes[0].texts[0].get_text()


def test_a_model_without_a_limit_has_no_bar():
    table = capacity.break_even_contexts(["llama-3-8b"])
    table["limit"] = pd.array([pd.NA], dtype="Int64")
    assert len(figures.draw_break_even_contexts(table, tables.kinds(["llama-3-8b"])).axes[0].lines) == 0


def test_the_model_as_it_is_is_drawn_dark():
    (axes,) = figures.draw_what_if(tables.what_if("llama-3-70b", 32_768)).axes
    rows = [label.get_text() for label in axes.get_yticklabels()]
    colours = [mpl.colors.to_hex(each) for each in axes.collections[0].get_facecolors()]
    assert colours[rows.index("as it is")] == INK
    assert colours.count(INK) == 1


@pytest.mark.parametrize("name", ["llama-3-70b", "minimax-text-01", "deepseek-v4-flash", "mistral-7b-v0.1"])
def test_growth_names_each_line(name):
    (axes,) = figures.draw_growth(compute.growth(name, LENGTHS)).axes
    assert len(axes.texts) == len(figures.GROWTH)
    assert len(axes.lines) == len(figures.GROWTH) + 2


def test_printed_memory_lies_on_its_lines():
    (axes,) = figures.draw_published_memory(published.published_memory()).axes
    assert [len(points.get_offsets()) for points in axes.collections] == [6, 10]


def test_the_same_numbers_give_the_same_file():
    first, second = (svg(figures.draw_published_memory(published.published_memory())) for _ in range(2))
    assert first == second


def test_attention_on_an_accelerator_is_drawn_with_its_formulas():
    table = published.device_attention()[1]
    (axes,) = figures.draw_device_memory(table).axes
    naive, fused = axes.collections
    assert naive.get_offsets().shape[0] == fused.get_offsets().shape[0] == len(table)
    assert list(axes.lines[0].get_ydata()) == list(table["naive derived"])


def test_parts_of_the_memory_are_those_of_the_table_and_stay_within_it():
    fits = capacity.fits_models(["llama-3-8b", "deepseek-v2", "deepseek-v3.2"], "A10", 8192)
    held = fits.dropna(subset="devices")
    (axes,) = figures.draw_fits(fits, "A10").axes
    widths = [[bar.get_width() for bar in part] for part in axes.containers]
    assert widths == [pytest.approx((100 * held[part]).tolist()) for part in ("weights", "engine", "cache")]
    assert max(sum(parts) for parts in zip(*widths, strict=True)) <= 100
    assert axes.get_yticklabels()[0].get_text().endswith(" ×")


def test_nothing_that_fits_is_said():
    (axes,) = figures.draw_fits(capacity.fits_models(["deepseek-v3.2"], "L4", 8192), "L4").axes
    assert [text.get_text() for text in axes.texts] == ["none of these models fits L4"]


@pytest.mark.slow
def test_each_log_has_a_dot_and_each_source_a_row():
    left = logs.left_for_the_cache(logs.engine_logs())
    figure = figures.draw_log_errors(left)
    (axes,) = figure.axes
    rows = left.groupby(["source", "accelerator"]).ngroups
    ranges, dots, firsts = (axes.collections[part : 3 * len(figures.LOGS) : 3] for part in range(3))
    assert len(axes.get_yticklabels()) == sum(len(lines.get_segments()) for lines in ranges) == rows
    assert sum(len(mark.get_offsets()) for mark in dots) == len(left)
    assert sum(len(mark.get_offsets()) for mark in firsts) == left["first"].notna().sum() == 149
    # Rows that set a term are at the foot, and the furthest of the others comes next.
    kinds = left.groupby(["source", "accelerator"])["kind"].first()
    foot = (kinds == "calibrating").sum()
    assert axes.get_yticklabels()[foot].get_text() == "Kimi Linear 48B-A3B"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["sets a term", "known", "blind"]
    figure.canvas.draw()
    low, high = axes.get_xlim()
    assert left["error"].between(low, high).all()


def test_a_key_names_the_kinds_that_are_there():
    left = logs.left_for_the_cache(logs.engine_logs())
    (axes,) = figures.draw_log_errors(left[left["kind"] == "known"]).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["known"]
