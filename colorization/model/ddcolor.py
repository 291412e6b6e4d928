"""The network of DDColor: one decoder for pixels, one for colours."""

import torch
from timm.layers import LayerNorm2d
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, pixel_shuffle, relu

from colorization.color import lab
from colorization.model.base import Network
from colorization.model.encoder import Normalisation, Pretrained
from colorization.model.queries import ColourDecoder
from colorization.model.shuffle import Block, blurred, icnr, kaiming
from colorization.model.size import covering, cropped, padded
from colorization.model.spectral import spectral
from colorization.model.units import Units

SCALES = (4, 8, 16, 32)  # pixels per position of the encoder's features that are decoded


class DDColor(Network):
    """DDColor (Kang et al. 2022, arXiv:2212.11613), over any encoder of timm's.

    The pixel decoder brings the encoder's features back to full size: three blocks by pixel shuffle with skip
    connections, and a last shuffle. The colour decoder makes each of its queries an embedding, whose product
    with the pixel features is a map; a 1x1 convolution mixes all maps and the input into the output. Output
    is raw: for ab, CIE units.

    The maps themselves are never made: the convolution is multiplied with the embeddings first, and the last
    blur comes after it, which gives the same numbers for a fraction of the memory.

    Lightness becomes the grey sRGB value of its pixel, in three channels with the encoder's normalisation.
    Hints enter the encoder through weights that start at zero.

    Published: width=512 dim=256 hidden=2048 with encoder=convnext_tiny.fb_in22k or convnext_large.fb_in22k.

    Args:
        in_channels: what the objective feeds: lightness, then hints and whatever else.
        out_channels: what it reads (2 for ab, one per bin).
        encoder: a network of timm's with features at 1/4, 1/8, 1/16 and 1/32 of the size, by name.
        weights: what training starts from, "package", "hub", "none" or a file: see `encoder.Pretrained`.
        width: channels of the pixel decoder's first two blocks; the third and the last shuffle have half.
        queries: colours.
        layers: rounds of the colour decoder.
        dim: channels of a query.
        heads: of its attention.
        hidden: channels of its feed-forward network.
        stride: pixels per position of the output: 1 as published; 2 and 4 make the last shuffle smaller.

    Shape: (B, in_channels, H, W) -> (B, out_channels, ceil(H / stride), ceil(W / stride)), any H and W.
    """

    units = Units(L_center=0.0, L_scale=100.0, ab_scale=1.0, bounded=False)

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 2,
        encoder: str = "tf_efficientnet_lite0",
        weights: str = "package",
        width: int = 256,
        queries: int = 100,
        layers: int = 9,
        dim: int = 128,
        heads: int = 8,
        hidden: int = 512,
        stride: int = 1,
    ):
        super().__init__()
        if stride not in (1, 2, 4):
            raise ValueError(f"stride={stride}: choose 1, 2 or 4")
        if width < 2 or width % 2 or queries < 1 or layers < 3:
            raise ValueError(
                f"width={width} queries={queries} layers={layers}: choose an even width, 1 query and 3 layers"
                " at least"
            )
        if dim % heads or dim % 4:
            raise ValueError(f"dim={dim} heads={heads}: dim is a multiple of heads, and of 4")
        self.pretrained = Pretrained(encoder, weights, "model")
        self.encoder = self.pretrained.network(in_channels + 2)
        info = self.encoder.feature_info
        if tuple(info.reduction()[-4:]) != SCALES:
            there = ", ".join(map(str, info.reduction()))
            raise ValueError(
                f"encoder={encoder}: has features at 1/{there} of the size; need 1/4, 1/8, 1/16, 1/32"
            )
        self.normalise = Normalisation(self.encoder)
        self.stride = stride
        channels, wide = info.channels()[-4:], (width, width, width // 2)
        self.norms = nn.ModuleList(LayerNorm2d(c) for c in channels)
        self.blocks = nn.ModuleList(
            Block(deep, skip, out)
            for deep, skip, out in zip((channels[3], *wide), channels[2::-1], wide, strict=False)
        )
        scale = SCALES[0] // stride
        self.last = spectral(icnr(nn.Conv2d(wide[-1], wide[-1] * scale**2, 1), scale))
        self.colours = ColourDecoder(wide, queries, layers, dim, heads, hidden, wide[-1])
        self.head = spectral(kaiming(nn.Conv2d(queries + in_channels + 2, out_channels, 1)))

    def forward(self, x: Tensor) -> Tensor:
        height, width = (covering(side, self.stride) for side in x.shape[-2:])
        x = torch.cat([self.normalise(lab.grey(100 * x[:, :1])), x[:, 1:]], dim=1)
        x = padded(x, SCALES[-1])
        *skips, deep = [norm(y) for norm, y in zip(self.norms, self.encoder(x)[-len(SCALES) :], strict=True)]
        scales = []
        for block in self.blocks:
            deep = block(deep, skips.pop())
            scales.append(deep)
        return cropped(self._read_out(deep, self.colours(scales), x), height, width)

    def start_from(self) -> None:
        self.pretrained.start(self.encoder)

    def _read_out(self, deep: Tensor, colours: Tensor, x: Tensor) -> Tensor:
        """Pixel features at 1/4, colours (B, queries, C) and the input -> the output at 1/stride."""
        of_maps, of_input = self.head.weight.split([colours.shape[1], x.shape[1]], dim=1)
        mixed = of_maps[:, :, 0, 0] @ colours  # (B, out_channels, C)
        parts = relu(self.last(deep)).unflatten(1, (colours.shape[2], -1))  # (B, C, scale * scale, H, W)
        maps = torch.einsum("boc,bcshw->boshw", mixed, parts).flatten(1, 2)
        maps = blurred(pixel_shuffle(maps, SCALES[0] // self.stride))
        return maps + conv2d(avg_pool2d(x, self.stride), of_input, self.head.bias)
