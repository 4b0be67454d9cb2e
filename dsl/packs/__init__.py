"""Text to packs, and packs to the library of what is known."""
