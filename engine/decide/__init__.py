"""Plans, or laws, side by side to what to choose: where that changes, and what is worth knowing for it."""
