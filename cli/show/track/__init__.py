"""A run in progress against its plan: the content as data, and one module a format."""
