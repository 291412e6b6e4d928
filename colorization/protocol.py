"""What a number means: how pictures are shown, coloured, rounded, measured and averaged, under one name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor

from colorization.color import lab
from colorization.config import ConfigError
from colorization.data.decode import Filter, Fit, Geometry
from colorization.metric.base import Metric, SetMetric
from colorization.metric.psnr import CAP

Measure = Metric | SetMetric
Rounding = Literal["nearest", "truncate", "truncate_ab"]
Grey = Literal["apart", "counted"]

# Rounding R, G and B to 8 bits moves a pixel's L by 0.2 on average and by less than 0.5; a picture whose
# lightness is off by more than that on average has been given another.
LIGHTNESS = 0.5


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """One way of scoring. docs/protocol.md tells each in words; a test holds the two together.

    Args:
        name: stands in every table and summary, and in the name of every logged number.
        size: pixels per side; null: the data set's image_size, and pictures in a folder as they are.
        fit, filter: how a picture becomes that square; see `data.decode.Geometry`.
        gamut: what becomes of colours outside sRGB; see `lab.lab_to_rgb`.
        rounding: to 8 bits: R, G and B to the "nearest" level, or "truncate", as astype(uint8) does;
            "truncate_ab" truncates a + 128 and b + 128, and rounds L * 2.55 and then R, G and B, as OpenCV's
            8-bit Lab.
        grey: pictures without colour of their own: reported "apart", or "counted" among the others.
        cap: the most dB that one picture counts with; an exact match has infinitely many.
        lightness: how far a tool's picture may be off the true L, on average over its pixels.
        metrics: all that is measured, by name.
        reported: which of them go by the short names of a paper's table, "psnr" -> "psnr_pooled".
        manifest: a CSV file with the columns name and sha256: these pictures and no others are scored;
            null: all that are given.
    """

    name: str
    size: int | None = None
    fit: Fit = "crop"
    filter: Filter = "triangle"
    gamut: lab.GamutMapping = "chroma"
    rounding: Rounding = "nearest"
    grey: Grey = "apart"
    cap: float = CAP
    lightness: float = LIGHTNESS
    metrics: Mapping[str, Measure] = field(default_factory=dict)
    reported: Mapping[str, str] = field(default_factory=dict)
    manifest: str | None = None

    def __post_init__(self) -> None:
        chosen = {"fit": Fit, "filter": Filter, "gamut": lab.GamutMapping, "rounding": Rounding, "grey": Grey}
        faults = [
            f"protocol.{name}={getattr(self, name)}: choose {', '.join(get_args(allowed))}"
            for name, allowed in chosen.items()
            if getattr(self, name) not in get_args(allowed)
        ]
        if self.size is not None and self.size < 1:
            faults.append(f"protocol.size={self.size}: must be at least 1 pixel, or null")
        if not 0 < self.cap <= CAP:
            faults.append(f"protocol.cap={self.cap}: choose above 0 and at most {CAP:g} dB, where psnr ends")
        if self.lightness <= 0:
            faults.append(f"protocol.lightness={self.lightness}: must be above 0 units of L")
        if unknown := [metric for metric in self.reported.values() if metric not in self.metrics]:
            faults.append(f"protocol.reported: {', '.join(unknown)}: not among protocol.metrics")
        if faults:
            raise ConfigError(faults)

    @property
    def geometry(self) -> Geometry:
        """How a picture becomes a square."""
        return Geometry(self.fit, self.filter)

    def rgb(self, L: Tensor, ab: Tensor) -> Tensor:
        """L (B, 1, H, W) and ab (B, 2, H, W) -> sRGB (B, 3, H, W) on 8-bit levels, 0..1."""
        if self.rounding == "truncate_ab":
            L, ab = (L * 2.55).round() / 2.55, (ab + 128).floor().clamp(0, 255) - 128
        rgb = lab.merge(L, ab, self.gamut)
        if self.rounding == "truncate":
            return rgb.mul(255).floor().clamp(0, 255).div(255)
        return lab.quantize(rgb)

    def counted(self, grey: Tensor) -> Tensor:
        """Which pictures means are taken over: (B,) bool, whether grey, -> (B,) bool."""
        return torch.ones_like(grey) if self.grey == "counted" else ~grey

    def capped(self, unit: str, values: Tensor) -> Tensor:
        """Numbers of pictures, (B,), at most `cap` if they are dB."""
        return values.clamp(max=self.cap) if unit == "dB" else values
