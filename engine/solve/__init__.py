"""A problem to its solution."""
