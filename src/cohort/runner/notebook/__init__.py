"""A notebook as a file: read, written, made canonical."""
