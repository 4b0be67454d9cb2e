"""Where a number comes from: the tree as data, and one module a format."""
