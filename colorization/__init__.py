"""Automatic image colorization: every method a configuration, every number from one protocol."""

__version__ = "0.1.0"
