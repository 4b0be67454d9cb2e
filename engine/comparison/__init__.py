"""Reports to what they have in common, and where and why they differ."""
