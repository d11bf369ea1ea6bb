"""One folder for each chapter: its tables, figures, verdicts and words, and nothing that another needs."""

from cohort.errors import extras

with extras():
    import pandas  # noqa: F401 - every chapter needs it
