"""Runs -> tables, statistics, pictures."""
