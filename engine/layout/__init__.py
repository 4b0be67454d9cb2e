"""A solved plan to how its model may lie on its devices, and to the memory that it takes there."""
