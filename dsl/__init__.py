"""Text to typed plans and packs: reading, parsing, units and expressions."""
