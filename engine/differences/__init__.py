"""Plans at two times to what moved, and to what moved it."""
