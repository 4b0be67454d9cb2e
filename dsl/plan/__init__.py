"""A syntax tree to the plan."""
