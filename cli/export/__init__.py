"""Solved plans to the files of trainers and schedulers."""
