"""One folder for each chapter: its tables, figures, verdicts and words, and nothing that another needs."""
