"""What the chapter `serving_footprint` shows."""
