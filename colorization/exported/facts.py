"""What a program has to know of an exported network, as plain data in the file itself."""

from typing import Any

import torch

from colorization import __version__
from colorization.data.batch import Given
from colorization.graph import Graph

KEY = "colorization"  # of a file's metadata: the JSON of `facts`

TAKEN = (
    "(1, 3, H, W): a / 110, b / 110 and 1 where a point of colour is, all 0 elsewhere; zeros: none is given"
)
SPREAD = "none: the network sees none, and how colorization spreads points afterwards is not in this file"


@torch.no_grad()
def facts(name: str, size: int, graph: Graph, precision: str, decoding: dict[str, Any]) -> dict[str, Any]:
    """Names, units and sizes of a graph's inputs and outputs.

    Args:
        name: of the run.
        size: pixels of the shorter side that the network should be shown.
        graph: all of it.
        precision: of the file.
        decoding: what was set of the objective's.
    """
    objective = graph.objective
    inputs = {"L": "(1, 1, H, W) float32: CIE lightness (D65) of the small picture, 0 to 100; any H and W"}
    outputs: dict[str, Any] = {"ab": "(1, 2, H, W) float32: CIE a and b, about -110 to 110"}
    found: dict[str, Any] = {"hints": "none" if objective.needs.hints else SPREAD}
    if graph.hinted:
        inputs["hints"] = found["hints"] = TAKEN
    if graph.weighed:
        L, *hints = graph.example()
        blank = graph.hints.blank(L) if objective.needs.hints else None
        held = objective.distribution(graph.network, Given(L, hints[0] if hints else blank))
        outputs["p"] = "(1, bins, h, w) float32: probability of each bin, h = ceil(H / p_stride)"
        found |= {"p_stride": held.stride, "bins_ab": held.centres.tolist()}
    fitted = objective.vividness
    return {
        "name": name, "made_by": f"colorization {__version__}", "precision": precision, "size": size,
        "inputs": inputs, "outputs": outputs, **found, "decoding": decoding,
        "vividness": fitted and fitted._asdict(),
    }  # fmt: skip
