"""Declarative plans for language-model training runs: the public names."""

__version__ = "0.1.0"
