"""Turn a run into a file for other programs, and send it to the Hugging Face hub.

    python -m colorization.export run=runs/RUN                      RUN.onnx, for ONNX Runtime, no PyTorch
    python -m colorization.export run=box precision=int8 photos=PHOTOS    in 8 bits, calibrated on photos
    python -m colorization.export run=box vivid=0.7 out=vivid.onnx  as colourful, for good
    python -m colorization.export run=box format=torchscript        box.pt, for LibTorch
    python -m colorization.export run=runs/RUN push=me/my-colours   to the hub: also model.safetensors, a card

The file takes pictures of any size, and says in its metadata what goes in and out (docs/export.md). What it
loses beside PyTorch is measured and told; a float32 file that gives other colours is not written.
"""

from omegaconf import DictConfig

from colorization.command import command


@command("export", __doc__)
def main(cfg: DictConfig) -> None:
    """Export a run."""
    from colorization.exported.job import export

    export(cfg)


if __name__ == "__main__":
    main()
