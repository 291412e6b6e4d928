"""Pictures as people have them: read with all that they hold, and written with it."""
