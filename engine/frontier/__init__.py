"""A plan and two quantities to their frontier."""
