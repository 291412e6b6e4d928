"""What colouring a photo costs beside the network alone: python -m benchmarks.predict [RUN] [MEGAPIXELS ...]

Without a RUN the network is encoder_unet with weights drawn at random, which cost the same. One thread, CPU
time; photos are made ones, grey JPEGs. Each size is a process of its own: memory is what it holds at most
beyond what it ever held before the first photo was read. The network is then run in every way that is there,
on what it sees of a photo of 5:4.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.pictures import photo
from benchmarks.step import cpu_seconds
from benchmarks.timing import markdown, medians
from colorization import build
from colorization.album import photos
from colorization.compose import composed
from colorization.darkroom import marked
from colorization.module import Colorizer
from colorization.painter import Painter
from colorization.picture.original import Original
from colorization.picture.reading import one
from colorization.picture.writing import Writer
from colorization.reopen import open_run

SIZES = ("0.5", "12", "100")
SIDE, ROUNDS, PASSES = 128, 3, 20
WIDTH = 160  # of what the runtimes are given


def main(*arguments: str) -> None:
    torch.set_num_threads(1)
    sizes = [word for word in arguments if word.replace(".", "").isdigit()] or SIZES
    run = next((word for word in arguments if word not in sizes), None)
    colorizer = (open_run(run).colorizer() if run else drawn()).eval()
    print("### predict, one thread\n")
    print("| megapixels | photos/s | read, s | colour, s | of it the network, s | write, s | memory, MiB |")
    print(f"|{'---:|' * 7}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            print(apart(row, Path(folder), colorizer, float(size)), flush=True)
    L = torch.linspace(0, 100, SIDE * WIDTH).view(1, 1, SIDE, WIDTH)
    print(f"\n{ways(colorizer, L)}")


def drawn() -> Colorizer:
    """A network that has learnt nothing."""
    return build.colorizer(composed("train", ["model=encoder_unet", "model.weights=none"]))


def apart(work: Callable[..., str], *arguments: object) -> str:
    """What a function gives in a process of its own."""
    context = multiprocessing.get_context("fork")
    end, other = context.Pipe()
    process = context.Process(target=lambda: other.send(work(*arguments)))
    process.start()
    other.close()
    given = end.recv()
    process.join()
    return given


def row(folder: Path, colorizer: Colorizer, megapixels: float) -> str:
    """One size: the medians of `ROUNDS` photos, or one large photo alone."""
    path, spans = folder / "photo.jpg", []
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    small = photo(np.random.default_rng(0), (1024, 768)).convert("L")
    small.resize((width, width * 3 // 4), Image.Resampling.BICUBIC).save(path, quality=90)
    del small
    painter = Painter(colorizer, SIDE)
    before = peak()
    for _ in range(1 if megapixels > 10 else ROUNDS):
        spans.append(coloured(path, folder / "out", painter))
    read, colour, network, write = np.median(spans, axis=0)
    seconds = " | ".join(f"{span:.3f}" for span in (read, colour, network, write))
    return f"| {megapixels:g} | {1 / (read + colour + write):.3f} | {seconds} | {peak() - before:.0f} |"


def peak() -> float:
    """The most that the process has held, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def coloured(path: Path, out: Path, painter: Painter) -> tuple[float, ...]:
    """Seconds of reading, colouring, the network within it, and writing."""
    (planned,) = photos([path], out)
    kept: dict[str, Original] = {}
    read = cpu_seconds(lambda: kept.update(read=one(planned.source)))
    width, height = painter.seen(kept["read"].size)
    with torch.no_grad():
        network = cpu_seconds(lambda: painter.colorizer(torch.full((1, 1, height, width), 50.0)))
    colour = cpu_seconds(lambda: kept.update(colour=next(painter.colour(kept["read"]))))
    write = cpu_seconds(lambda: Writer().write(planned.targets[0], [marked(kept["colour"], "box")]))
    return read, colour, network, write


def ways(colorizer: Colorizer, L: Tensor) -> str:
    """The network's forward in each runtime that is there: a table, and what is missing."""
    candidates: dict[str, Callable[[], object]] = {"eager": lambda: colorizer(L)}
    missing = []
    for name, make in (("torch.compile", compiled), ("ONNX Runtime", onnx)):
        try:
            candidates[name] = make(colorizer, L)
        except ImportError as error:
            missing.append(f"{name}: {error}; pip install 'colorization-lab[bench]'")
    with torch.no_grad():
        right = colorizer(L)
        for name, candidate in candidates.items():
            apart = float((torch.as_tensor(candidate()) - right).abs().max())
            assert apart < 0.05, f"{name}: {apart} ab units from eager"
        table = markdown("The network alone", medians(candidates, PASSES, time.process_time), 1, "eager")
    return "\n".join([table, *missing])


def compiled(colorizer: Colorizer, L: Tensor) -> Callable[[], object]:
    forward = torch.compile(colorizer.forward)
    return lambda: forward(L)


def onnx(colorizer: Colorizer, L: Tensor) -> Callable[[], object]:
    import onnxruntime
    import onnxscript  # noqa: F401  (torch.onnx needs it, and says so at length)

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/network.onnx"
        torch.onnx.export(colorizer.export(), (), path, dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0].name
    return lambda: session.run(None, {entry: L.numpy()})[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
