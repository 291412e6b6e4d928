"""What watches a run: its budget, its pictures, its health."""
