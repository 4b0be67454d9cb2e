"""The frontier of two quantities: the content as data, and one module a format."""
