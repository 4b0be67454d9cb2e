"""What a solution is worth: intervals, ranges, other sizes, what would change it."""
