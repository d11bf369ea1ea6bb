"""What the commands of `cohort` tell of the data and of a model, as lines of text and as JSON."""
