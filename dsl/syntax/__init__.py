"""Text to a syntax tree, in either spelling."""
