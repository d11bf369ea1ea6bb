"""The book's figures: one theme, one palette, direct labels; each chapter's in a module of its name.

Figures are SVG with stable ids and no date, so that the same numbers give the same file. Colours are those
of seaborn's colour-blind palette.
"""

from cohort.plotting.parts import dots, end_labels, key, label_points, name_rows, nothing, plain_ticks
from cohort.plotting.theme import figure, use_theme

__all__ = [
    "dots",
    "end_labels",
    "figure",
    "key",
    "label_points",
    "name_rows",
    "nothing",
    "plain_ticks",
    "use_theme",
]
