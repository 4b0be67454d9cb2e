"""What differs between two states of plans: the content as data, and one module a format."""
