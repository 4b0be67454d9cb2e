"""Runs that were measured into the constants of a law, with what is known of them, and what is not."""
