"""Pictures drawn by the project itself, whose true colour distribution is known."""
