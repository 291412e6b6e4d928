"""What a user reveals: points of colour, the colours of the whole picture, or nothing."""
