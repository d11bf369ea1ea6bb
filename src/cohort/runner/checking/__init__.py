"""What is checked of notebooks: outputs, machines, lints, prose."""
