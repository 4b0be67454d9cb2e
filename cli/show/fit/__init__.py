"""A fit of a law to runs, as text."""
