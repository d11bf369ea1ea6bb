"""What the notebook `my_footprint` says and draws of a reader's own log."""
