"""Runs that were done to how near to them plans come."""
