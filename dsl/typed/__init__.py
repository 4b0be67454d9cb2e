"""Syntax nodes to typed figures and expressions."""
