"""How a colouring is scored against the truth, picture by picture."""
