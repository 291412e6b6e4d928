"""Colour spaces: sRGB, CIE Lab and the gamut between them."""
