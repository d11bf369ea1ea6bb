"""The facts of the book: data files as values with unit, status and source, and names looked up in them."""
