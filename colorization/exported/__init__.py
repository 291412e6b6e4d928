"""A trained network as a file for other programs, and for the Hugging Face hub."""
