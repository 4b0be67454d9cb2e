"""The report of one solved plan: its content as data, and one module a format."""
