"""What the chapter `training_footprint` shows."""
