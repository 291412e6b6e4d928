"""What a score is made of: what is coloured and by whom, floors and ceilings, manifests, leaks, the tally."""
