"""What the chapter `chinchilla_fit` shows."""
