"""What a network learns: each objective names its channels, its loss, its prediction and its samples."""
