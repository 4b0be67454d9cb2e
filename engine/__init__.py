"""Plans to reports: solving, verifying, judging. Knows laws and rules by their form only."""
