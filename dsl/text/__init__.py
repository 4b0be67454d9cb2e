"""Sources, and what is found in them."""
