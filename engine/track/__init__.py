"""A run in progress against its plan: where it is, where it will end, and what is not as planned."""
