"""What the chapter `serving_roofline` shows."""
