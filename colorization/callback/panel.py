"""Picture panels: grey | predicted | original, with the PSNR under each prediction."""

from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from PIL import Image, ImageDraw, ImageFont
from pytorch_lightning.loggers import TensorBoardLogger, WandbLogger
from torch import Tensor

from colorization.color import lab
from colorization.metric.base import Pair
from colorization.metric.psnr import psnr
from colorization.scorer import gathered

CAPTION = 16  # pixels of text under each row
GAP = 2


class Panel(pl.Callback):
    """After each validation, save and log its first pictures, as they were scored, as one image.

    Args:
        pictures: how many validation pictures to show.
    """

    def __init__(self, pictures: int = 8):
        self.pictures = pictures
        self.seen: list[tuple[int, Tensor, Tensor]] = []

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.seen.clear()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the first pictures of this process: batches come in order."""
        if (missing := self.pictures - len(self.seen)) > 0:
            pair = outputs["pair"]
            some = zip(batch.index[:missing].tolist(), pair.predicted, pair.truth, strict=False)
            self.seen += [(i, predicted.cpu(), truth.cpu()) for i, predicted, truth in some]

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        rows = sorted((kept for part in gathered(self.seen) for kept in part), key=lambda kept: kept[0])
        if not rows or not trainer.is_global_zero:
            return
        _, predicted, truth = zip(*rows[: self.pictures], strict=True)
        image = panel(Pair(torch.stack(predicted), torch.stack(truth)))
        folder = Path(trainer.default_root_dir) / "panel"
        folder.mkdir(exist_ok=True)
        step = trainer.fit_loop.total_batch_idx + 1  # whatever the number of optimizers
        image.save(folder / f"{step:07d}.png")
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("val/panel", [image], step=step)
            elif isinstance(logger, TensorBoardLogger):
                pixels = np.asarray(image)
                logger.experiment.add_image("val/panel", pixels, step, dataformats="HWC")


def panel(pair: Pair, columns: int = 2) -> Image.Image:
    """Predictions and their truth -> one picture of rows grey | predicted | original."""
    predicted, truth = pair.predicted.nan_to_num(), pair.truth  # what is not finite is black, and has nan dB
    L, ab = pair.truth_lab.split([1, 2], dim=1)
    grey = lab.merge(L, torch.zeros_like(ab))
    scores = [psnr(Pair(rgb, truth)).tolist() for rgb in (grey, pair.predicted)]
    height, width = truth.shape[-2:]
    rows = -(-len(truth) // columns)
    cell_width, cell_height = 3 * (width + GAP) + 3 * GAP, height + CAPTION
    sheet = Image.new("RGB", (columns * cell_width - 4 * GAP, rows * cell_height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for i in range(len(truth)):
        left, top = (i % columns) * cell_width, (i // columns) * cell_height
        captions = [f"grey {scores[0][i]:.1f} dB", f"predicted {scores[1][i]:.1f} dB", "original"]
        for j, (rgb, caption) in enumerate(zip((grey[i], predicted[i], truth[i]), captions, strict=True)):
            x = left + j * (width + GAP)
            sheet.paste(picture(rgb), (x, top))
            draw.text((x + width / 2, top + height + CAPTION / 2), caption, "black", font, anchor="mm")
    return sheet


def picture(rgb: Tensor) -> Image.Image:
    """(3, H, W) sRGB 0..1 -> an 8-bit picture; NaN is black, and its caption says nan dB."""
    return Image.fromarray(lab.to_uint8(rgb.nan_to_num()).movedim(0, -1).cpu().numpy())
