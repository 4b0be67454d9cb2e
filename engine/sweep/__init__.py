"""A plan and what of it is varied to a grid of solved plans, in arrays: one row a point."""
