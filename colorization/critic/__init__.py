"""Networks that judge whether a picture's colours are its own."""
