"""A problem, and what solving it gives."""
