"""A ladder of small runs: the content as data, and one module a format."""
