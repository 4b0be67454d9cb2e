"""Optimisation and search over plain numbers; knows no plan."""
