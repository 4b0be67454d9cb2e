"""Units, dimensions and the figures in them."""
