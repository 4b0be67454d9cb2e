"""Solutions to findings."""
