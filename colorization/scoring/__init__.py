"""What a score is made of: the protocol, what is coloured and by whom, floors and ceilings, the tally."""
