"""The figures: what they draw, and that the same numbers give the same file."""

import pytest
from drawing import overlaps, svg, theme  # noqa: F401
from figure_faults import texts, unscaled

import cohort
from cohort.architecture import registered
from cohort.chapters.the_cohort import figures, tables
from cohort.display import model_tables, parts, published_values
from cohort.display.theme import figure as theme_figure
from cohort.display.words import significant

COUNTS = model_tables.counts([*registered.group("cohort"), "qwen3-30b-a3b"])


@pytest.mark.slow
def test_the_same_numbers_give_the_same_file():
    first, second = (svg(figures.draw_total_against_active(COUNTS)) for _ in range(2))
    assert first == second
    assert "<dc:date>" not in first


def test_every_model_is_labelled_once_and_labels_stay_apart():
    figure = figures.draw_total_against_active(COUNTS)
    figure.canvas.draw()
    (axes,) = figure.axes
    labels = [text for text in axes.texts if text.get_text() in COUNTS.index]
    assert sorted(text.get_text() for text in labels) == sorted(COUNTS.index)
    boxes = [text.get_window_extent() for text in labels]
    frame = figure.bbox
    assert all(frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1) for box in boxes)
    covered = sum(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    assert covered <= 2


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 20, None], ids=["one", "some", "all"])
def test_no_label_covers_another_however_many_models(count):
    models = cohort.models()[:count]
    drawing = figures.draw_total_against_active(model_tables.counts(models))
    (axes,) = drawing.axes
    assert overlaps(drawing) == []
    assert min(len(models), 10) <= sum(text.get_text() != "" for text in axes.texts)
    assert overlaps(figures.draw_cache_per_token(model_tables.caches(models, 4096))) == []


def test_overlapping_labels_are_found():
    drawing, axes = theme_figure()
    axes.text(0.5, 0.5, "one")
    axes.text(0.5, 0.5, "other")
    assert ("other", "one") in overlaps(drawing) or ("one", "other") in overlaps(drawing)


def test_dots_are_sorted_and_say_their_value():
    caches = model_tables.caches(registered.group("cohort"), 4096)
    (axes,) = figures.draw_cache_per_token(caches).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[-1] == "Command R"
    assert "1,280" in [text.get_text() for text in axes.texts]
    assert axes.get_xlabel().endswith("(KiB)")


@pytest.mark.slow
def test_shares_fill_every_bar():
    (axes,) = figures.draw_component_shares(COUNTS).axes
    ends = {}
    for bar in axes.patches:
        row = round(bar.get_y() + bar.get_height() / 2)
        ends[row] = max(ends.get(row, 0), bar.get_x() + bar.get_width())
    assert len(ends) == len(COUNTS)
    assert all(end == pytest.approx(100, rel=1e-3) for end in ends.values())


def test_gaps_draw_every_published_model():
    sizes = published_values.published_counts(cohort.models())
    (axes,) = figures.draw_gaps(sizes).axes
    assert sum(len(points.get_offsets()) for points in axes.collections) == len(sizes)


def test_a_single_model_can_be_drawn():
    one = model_tables.counts(["llama-3-8b"])
    for draw in (figures.draw_total_against_active, figures.draw_component_shares):
        assert "<svg" in svg(draw(one))
    assert "<svg" in svg(figures.draw_cache_per_token(model_tables.caches(["llama-3-8b"], 1)))


@pytest.mark.parametrize(
    ("value", "text"), [(1280, "1,280"), (67.5, "67.5"), (24.375, "24.4"), (0.00012345, "0.000123"), (0, "0")]
)
def test_significant(value, text):
    assert significant(value) == text


def test_the_disclosure_matrix_has_a_letter_in_every_gathered_cell():
    matrix = tables.disclosure(["command-r-v01", "qwen3-8b"])
    (axes,) = figures.draw_disclosure(matrix).axes
    letters = [text.get_text() for text in axes.texts]
    assert len(letters) == (matrix != "").to_numpy().sum() < matrix.size
    assert letters.count("–") == (matrix == "undisclosed").to_numpy().sum()


def test_the_timeline_runs_from_the_earliest_down():
    released = model_tables.released(registered.group("cohort"))
    (axes,) = figures.draw_timeline(released).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[::-1] == list(released)


def test_nothing_to_draw_is_said():
    empty = published_values.scores(["llama-2-7b"], "GPQA-Diamond")
    ratios = tables.tokens_per_parameter(["command-r-v01"])
    for figure in (figures.draw_scores(empty, "MMLU"), figures.draw_tokens(ratios, 20.0, "rule")):
        assert "no" in figure.axes[0].texts[0].get_text()


def test_scores_join_the_sources_of_one_model():
    frame = published_values.scores(["llama-2-7b", "llama-3-8b"], "MMLU")
    base = frame[frame["variant"] == "base"]
    (axes,) = figures.draw_scores(base, "MMLU").axes
    points = [tuple(point) for collection in axes.collections[1:] for point in collection.get_offsets()]
    assert sorted(x for x, _ in points) == sorted(base["score"])


def test_tokens_show_the_rule_even_beyond_the_data():
    ratios = tables.tokens_per_parameter(["llama-3-8b", "phi-3-mini-4k", "glm-4.5-air"])
    (axes,) = figures.draw_tokens(ratios, 20.0, "rule").axes
    low, high = axes.get_xlim()
    assert low < 20 < ratios["per active"].max() < high
    hollow = [tuple(colour) == (1, 1, 1, 1) for colour in axes.collections[0].get_facecolors()]
    assert sum(hollow) == 1, "the tokens of GLM-4.5-Air are inferred"


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("names", [["gpt2-xl"], ["command-r-v01", "gpt2-xl", "dbrx"], ["llama-3-8b", "dbrx"]])
def test_few_models_are_drawn_without_a_warning(names):
    counts = model_tables.counts(names)
    drawn = [
        figures.draw_timeline(model_tables.released(names)),
        figures.draw_total_against_active(counts),
        figures.draw_component_shares(counts),
        figures.draw_cache_per_token(model_tables.caches(names, 1)),
        figures.draw_disclosure(tables.disclosure(names)),
        figures.draw_tokens(tables.tokens_per_parameter(names), 20.0, "rule"),
    ]
    assert all("<svg" in svg(figure) for figure in drawn)


def test_no_date_of_release_is_said():
    (axes,) = figures.draw_timeline(model_tables.released(["gpt2-xl"]).iloc[:0]).axes
    assert "no date" in axes.texts[0].get_text()


def test_one_named_row_is_no_scale_and_one_mark_of_a_number_is_none_either():
    drawing, axes = theme_figure()
    axes.barh([0], [1])
    parts.name_rows(axes, ["64"])
    axes.set(xlabel="time (ms)", ylabel="concurrency")
    assert unscaled(drawing) == []
    axes.set_xticks([0.5])
    assert unscaled(drawing) == ["time (ms): ['0.5']"]


def test_a_mark_beyond_the_ends_of_an_axis_is_no_text_of_a_figure():
    drawing, axes = theme_figure()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_xticks([0.2, 0.8])
    axes.set_yticks([0.1, 0.9])
    axes.set_xlim(0.5, 1)
    assert {"0.8", "0.1", "0.9"} == {text.get_text() for text in texts(drawing)}


def test_a_linear_axis_has_no_more_marks_than_have_room():
    drawing, axes = theme_figure()
    axes.plot([0, 2e7], [0, 1])
    axes.set(xlabel="tokens", ylabel="share")
    assert overlaps(drawing) == []
    assert unscaled(drawing) == []
    assert "0" in [text.get_text() for text in axes.get_xticklabels()]


@pytest.mark.slow
def test_a_legend_with_long_names_leaves_the_drawing_its_width():
    drawing, axes = theme_figure()
    for at in range(3):
        axes.plot([0, 1], [at, at], label=f"a model with a long name on an accelerator {at}")
    parts.legend_above(axes)
    widths = []
    for _ in range(3):
        drawing.canvas.draw()
        widths.append(axes.get_position().width)
    assert min(widths) > 0.7
    assert widths[0] == pytest.approx(widths[2], abs=0.01)


@pytest.mark.parametrize(("low", "high"), [(1, 1e6), (0.3, 4), (610, 640), (1e-5, 2e-4), (40, 99), (3, 3e12)])
def test_a_logarithmic_axis_has_two_marks_and_none_over_another(low, high):
    drawing, axes = theme_figure()
    axes.plot([low, high], [low, high])
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), xlabel="x", ylabel="y")
    parts.plain_ticks(axes.xaxis)
    parts.plain_ticks(axes.yaxis)
    assert unscaled(drawing) == []
    assert overlaps(drawing) == []
    assert not any("e" in text.get_text() for text in axes.get_xticklabels() + axes.get_yticklabels())
