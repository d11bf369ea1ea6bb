"""What the families are rows of: places and kinds of layers, parts that traits make, and patterns."""
