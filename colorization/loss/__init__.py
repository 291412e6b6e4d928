"""Losses of a colouring that any objective's can be added to."""
