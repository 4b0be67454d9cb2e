"""A sweep: its rows as files that grow with them, and what a terminal has room for."""
