"""Networks that come with the package: NAME.safetensors, and a card NAME.md that tells what it has seen."""
