"""What the commands tell of a model and of the data, as lines of text and as JSON."""
