"""The authors' released networks in their own layout, stated independently: what convert is held against.

Names, shapes and order are those of richzhang/colorization; nothing here is shared with the package.
"""

import torch
from torch import Tensor, nn


def stage(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers)


def conv(i: int, o: int, k: int = 3, s: int = 1, d: int = 1) -> nn.Conv2d:
    return nn.Conv2d(i, o, k, stride=s, padding=d * (k // 2), dilation=d)


def triple(i: int, o: int, d: int = 1, s: int = 1) -> nn.Sequential:
    r = nn.ReLU
    return stage(conv(i, o, d=d), r(), conv(o, o, d=d), r(), conv(o, o, d=d, s=s), r(), nn.BatchNorm2d(o))


class ReleasedECCV16(nn.Module):
    """L (B, 1, H, W) 0..100 -> ab."""

    def __init__(self):
        super().__init__()
        r = nn.ReLU
        self.model1 = stage(conv(1, 64), r(), conv(64, 64, s=2), r(), nn.BatchNorm2d(64))
        self.model2 = stage(conv(64, 128), r(), conv(128, 128, s=2), r(), nn.BatchNorm2d(128))
        self.model3 = triple(128, 256, s=2)
        self.model4 = triple(256, 512)
        self.model5 = triple(512, 512, d=2)
        self.model6 = triple(512, 512, d=2)
        self.model7 = triple(512, 512)
        up = nn.ConvTranspose2d(512, 256, 4, 2, 1)
        self.model8 = stage(up, r(), conv(256, 256), r(), conv(256, 256), r(), conv(256, 313, k=1))
        self.model_out = nn.Conv2d(313, 2, 1, bias=False)

    def forward(self, L: Tensor) -> Tensor:
        x = (L - 50) / 100
        for n in range(1, 9):
            x = getattr(self, f"model{n}")(x)
        ab = self.model_out(x.softmax(1))
        return 110 * nn.functional.interpolate(ab, scale_factor=4, mode="bilinear")


class ReleasedSIGGRAPH17(nn.Module):
    """L (B, 1, H, W) 0..100, ab (B, 2, H, W) and a 0/1 mask -> ab, and the class head's output."""

    def __init__(self):
        super().__init__()
        r = nn.ReLU
        self.model1 = stage(conv(4, 64), r(), conv(64, 64), r(), nn.BatchNorm2d(64))
        self.model2 = stage(conv(64, 128), r(), conv(128, 128), r(), nn.BatchNorm2d(128))
        self.model3 = triple(128, 256)
        self.model4 = triple(256, 512)
        self.model5 = triple(512, 512, d=2)
        self.model6 = triple(512, 512, d=2)
        self.model7 = triple(512, 512)
        self.model8up = stage(nn.ConvTranspose2d(512, 256, 4, 2, 1))
        self.model8 = stage(r(), conv(256, 256), r(), conv(256, 256), r(), nn.BatchNorm2d(256))
        self.model9up = stage(nn.ConvTranspose2d(256, 128, 4, 2, 1))
        self.model9 = stage(r(), conv(128, 128), r(), nn.BatchNorm2d(128))
        self.model10up = stage(nn.ConvTranspose2d(128, 128, 4, 2, 1))
        self.model10 = stage(r(), conv(128, 128), nn.LeakyReLU(0.2))
        self.model3short8 = stage(conv(256, 256))
        self.model2short9 = stage(conv(128, 128))
        self.model1short10 = stage(conv(64, 128))
        self.model_class = stage(conv(256, 529, k=1))
        self.model_out = stage(conv(128, 2, k=1), nn.Tanh())

    def forward(self, L: Tensor, ab: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        x1 = self.model1(torch.cat([(L - 50) / 100, ab / 110, mask], 1))
        x2 = self.model2(x1[:, :, ::2, ::2])
        x3 = self.model3(x2[:, :, ::2, ::2])
        x4 = self.model4(x3[:, :, ::2, ::2])
        x7 = self.model7(self.model6(self.model5(x4)))
        x8 = self.model8(self.model8up(x7) + self.model3short8(x3))
        x9 = self.model9(self.model9up(x8) + self.model2short9(x2))
        x10 = self.model10(self.model10up(x9) + self.model1short10(x1))
        return 110 * self.model_out(x10), self.model_class(x8)


def random_weights(network: nn.Module, seed: int = 0) -> nn.Module:
    """Weights under which signals neither die nor explode, and BatchNorm does something."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.dim() == 4:
                fan = tensor[0].numel() if "up" not in name else tensor.shape[0] * 4
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * (2 / fan) ** 0.5)
            elif name.endswith("running_var"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            elif tensor.is_floating_point():
                low = 0.5 if "weight" in name else 0.0
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * 0.5 + low)
    return network.eval()
