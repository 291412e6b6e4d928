"""Films: read frame by frame, their colour carried along motion, written with their sound and timing."""
