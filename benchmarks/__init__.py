"""Each module measures one promise of speed as ratios within one run, and prints Markdown."""
