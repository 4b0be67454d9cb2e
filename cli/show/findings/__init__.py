"""What was found in plans, as text for people, for CI systems and for other programs."""
