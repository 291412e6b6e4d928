"""Square patches of colour: where a hint stands, and what it shows.

hints  (B, 3, H, W)  a / 110 and b / 110 where revealed, 0 elsewhere; 1 where revealed, 0 elsewhere
"""

import torch
from torch import Tensor

from colorization.data.batch import AB_SCALE


def patch_means(ab: Tensor, top: Tensor, left: Tensor, side: Tensor) -> Tensor:
    """The mean colour of square patches, from one table of sums: (B, 2, H, W), (B, P) thrice -> (B, P, 2)."""
    B, _, H, W = ab.shape
    sums = torch.zeros(B, 2, H + 1, W + 1, dtype=torch.float64, device=ab.device)
    sums[..., 1:, 1:] = ab.double().cumsum(dim=-1).cumsum(dim=-2)
    sums = sums.flatten(2)

    def at(row: Tensor, column: Tensor) -> Tensor:
        place = (row * (W + 1) + column)[:, None].expand(-1, 2, -1)
        return sums.gather(2, place)

    bottom, right = top + side, left + side
    total = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left)
    return (total / side[:, None].square()).float().movedim(1, 2)


def paint(
    colour: Tensor,
    top: Tensor,
    left: Tensor,
    side: Tensor,
    active: Tensor,
    size: tuple[int, int],
    largest: int,
) -> Tensor:
    """Paint patches in order, a later one over an earlier one.

    All at once: every patch writes its number into its pixels, the largest number wins, and each pixel
    then looks up the colour of its winner.

    Args:
        colour: (B, P, 2) ab.
        top: (B, P) int64, first row of each patch.
        left: (B, P) int64, first column.
        side: (B, P) int64; all patches lie inside the picture.
        active: (B, P) bool, which patches there are.
        size: (H, W).
        largest: no side is larger; given, since to look would be to wait for the device.

    Returns:
        Hints (B, 3, H, W).
    """
    (B, P), (H, W) = side.shape, size
    reach = torch.arange(largest, device=side.device)
    inside = reach < side[..., None]
    covered = inside[..., :, None] & inside[..., None, :] & active[..., None, None]
    rows = (top[..., None] + reach).clamp(max=H - 1)
    columns = (left[..., None] + reach).clamp(max=W - 1)
    pixels = rows[..., :, None] * W + columns[..., None, :]
    number = torch.arange(1, P + 1, device=side.device)[:, None, None] * covered
    winner = torch.zeros(B, H * W, dtype=torch.long, device=side.device)
    winner.scatter_reduce_(1, pixels.flatten(1), number.flatten(1), reduce="amax")
    palette = torch.cat([colour.new_zeros(B, 1, 2), colour], dim=1) / AB_SCALE
    painted = palette.gather(1, winner[..., None].expand(-1, -1, 2)).movedim(2, 1)
    return torch.cat([painted, (winner > 0).to(painted)[:, None]], dim=1).unflatten(2, (H, W))
