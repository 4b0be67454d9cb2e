"""A law by itself: its form, its values, its published ones."""
