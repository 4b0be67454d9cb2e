"""A plan and a law to a problem."""
