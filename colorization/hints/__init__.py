"""What a user reveals: points of colour, or the colours of the whole picture.

A hint is a callable `hints(batch, train) -> batch` that fills `Batch.hints`, with the number of its
`channels`; `hints.blank(L)` are the hints of a user who reveals nothing.
"""
