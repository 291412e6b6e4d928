"""How checkpoints reach the disk."""

import io
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from colorization.files import replaced


class Checkpoints(TorchCheckpointIO):
    """Every checkpoint whole or not at all.

    Lightning's own are copied from the system's temporary folder, of which a full disk leaves half.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Replace what lies at a path."""
        encoded = io.BytesIO()
        torch.save(checkpoint, encoded)
        with replaced(Path(path)) as partial:
            partial.write_bytes(encoded.getbuffer())
