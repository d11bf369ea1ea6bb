"""What the chapter `data_optimal` shows."""
