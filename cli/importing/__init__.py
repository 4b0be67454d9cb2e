"""Configurations of trainers to plans."""
