"""Laws, or plans, side by side: the content as data, and one module a format."""
