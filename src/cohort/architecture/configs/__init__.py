"""What a ``config.json`` says: its fields under one name each, and the text decoder in a larger release."""
