"""Networks: scaled lightness (and hints) in, raw channels out. They know nothing of losses."""
