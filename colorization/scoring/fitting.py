"""How vivid a run's accurate colours have to be made, for runs whose checkpoint does not say it yet."""

import numpy as np
import torch
from torch import Tensor

from colorization.color import lab
from colorization.data.batch import Batch
from colorization.data.module import PictureData
from colorization.module import Colorizer
from colorization.objective.vivid import Vividness
from colorization.protocol import Protocol
from colorization.scoring.predictions import of_split
from colorization.vividness import Pixels


@torch.no_grad()
def fitted(
    colorizer: Colorizer, data: PictureData, protocol: Protocol, most: int | None, batch_size: int
) -> Vividness | str:
    """What training fits at each validation, or the reason why it cannot be had.

    Args:
        colorizer: the network with its objective and hints.
        data: what it was trained on; "val" is what is looked at, and nothing else.
        protocol: how colours are shown.
        most: how many pictures at most; None: all.
        batch_size: pictures at a time.
    """
    try:
        pictures, _ = of_split(data, "val", protocol, most)
    except (ValueError, OSError) as error:
        return f"needs the run's validation photos ({error})"
    pixels, extra = Pixels(protocol), data.rows("val")
    for start in range(0, len(pictures.names), batch_size):
        places = range(start, min(start + batch_size, len(pictures.names)))
        truth = torch.from_numpy(np.stack([pictures[i] for i in places])).movedim(-1, 1).to(colorizer.device)
        index = np.array([pictures.position(i) for i in places])
        beside = {name: torch.from_numpy(rows[index]).to(truth.device) for name, rows in extra.items()}
        pixels.add(truth, _accurate(colorizer, truth, torch.from_numpy(index), beside))
    return pixels.fit() or "no factor of its colours reaches the truth's colorfulness"


def _accurate(colorizer: Colorizer, truth: Tensor, index: Tensor, extra: dict[str, Tensor]) -> Tensor:
    L, ab = lab.split(truth)
    batch = colorizer.seen(Batch(L, ab, index.to(L.device), extra=extra))
    return colorizer.objective.accurate(colorizer.network, batch.given)
