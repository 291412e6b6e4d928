"""The generator of ChromaGAN."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from colorization.color import lab
from colorization.model.base import Network
from colorization.model.encoder import Normalisation, Pretrained
from colorization.model.fused import Fused, checked
from colorization.model.units import Units

STAGES = (2, 2, 3, 3)  # convolutions of VGG-16 between its poolings, to conv4_3


class ChromaGAN(Fused, Network):
    """VGG-16, fused at every position with global features of a square copy
    (Vitoria, Raad and Ballester 2020, arXiv:1907.09837).

    As `model.iizuka.Iizuka`, whose first layers are VGG-16's here, with a class head of three layers over the
    features that global ones are made of. No layer is normalised after the fusion, and fully connected
    layers have nothing between them, as in the authors' code.

    Lightness becomes the grey sRGB value of its pixel, in three channels with VGG's normalisation. Hints
    enter the first convolution through weights that start at zero.

    Args:
        in_channels: what the objective feeds: lightness, then hints and whatever else.
        out_channels: what it reads: 2 for ab, more for `classes`.
        weights: what training starts from: "none", "hub" (timm's vgg16) or a file of its state dict.
        classes: how many of `out_channels` the class head gives; 1000 in the paper.
        size: pixels of the copy's side, a multiple of 32: 224 in the paper.
        width: channels of the first convolution, 64 in the paper; all others follow.

    Shape: as `model.fused.Fused`.
    """

    # Theirs ends in a sigmoid over 8 bits of ab: a tanh over half their range, of half the number.
    units = Units(L_center=0.0, L_scale=100.0, ab_scale=127.5, bounded=True)
    stride = 2

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 2,
        weights: str = "none",
        classes: int = 0,
        size: int = 224,
        width: int = 64,
    ):
        super().__init__()
        checked(classes, out_channels, size, width)
        if weights != "none" and width != 64:
            raise ValueError(f"weights={weights} width={width}: VGG-16 has width=64")
        self.pretrained = Pretrained("vgg16", weights, "model")
        with torch.device("meta"):
            vgg = self.pretrained.network()
        self.normalise = Normalisation(vgg)
        self.size, self.head_strides = size, (2, 8) if classes else ()
        w, flat = width, 8 * width * (size // 32) ** 2
        self.low = _vgg(in_channels + 2, w)
        self.copy = _normed(8 * w, (8 * w, 2), (8 * w, 1), (8 * w, 2), (8 * w, 1))
        self.vector = nn.Identity()
        self.overall = _linears(flat, 16 * w, 8 * w, 4 * w)
        self.middle = _normed(8 * w, (8 * w, 1), (4 * w, 1))
        self.fusion = _conv(8 * w, 4 * w, kernel=1)
        self.decoder = nn.Sequential(
            _conv(4 * w, 2 * w),
            nn.Upsample(scale_factor=2),
            _conv(2 * w, w),
            _conv(w, w),
            nn.Upsample(scale_factor=2),
            _conv(w, w // 2),
        )
        self.head = nn.Conv2d(w // 2, out_channels - classes, 3, padding=1)
        self.classify = _linears(flat, 64 * w, 64 * w, classes) if classes else None

    def seen(self, x: Tensor) -> Tensor:
        return torch.cat([self.normalise(lab.grey(100 * x[:, :1])), x[:, 1:]], dim=1)

    def start_from(self) -> None:
        self.pretrained.start(self.low)


def _vgg(before: int, width: int) -> nn.Sequential:
    modules: list[nn.Module] = []
    for stage, count in enumerate(STAGES):
        modules += [nn.MaxPool2d(2)] if stage else []
        for _ in range(count):
            modules.append(_conv(before, width * 2**stage))
            before = width * 2**stage
    return nn.Sequential(*modules)


def _normed(before: int, *layers: tuple[int, int]) -> nn.Sequential:
    """Convolutions of (channels, stride), each with BatchNorm after its ReLU."""
    modules: list[nn.Module] = []
    for channels, stride in layers:
        modules += [_conv(before, channels, stride=stride), nn.BatchNorm2d(channels)]
        before = channels
    return nn.Sequential(*modules)


def _conv(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(before, after, kernel, stride=stride, padding=kernel // 2)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return nn.Sequential(conv, nn.ReLU())


def _linears(*channels: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(before, after) for before, after in pairwise(channels)))
