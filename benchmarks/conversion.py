"""sRGB -> Lab on one core: python -m benchmarks.conversion [PICTURES] [ROUNDS]."""

import sys

import cv2
import numpy as np
import torch
from kornia.color import rgb_to_lab as kornia_rgb_to_lab
from skimage.color import rgb2lab

from benchmarks.timing import markdown, medians
from colorization.color.fast import uint8_to_lab


def main(pictures: int = 64, rounds: int = 9) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    packed = torch.randint(256, (pictures, 128, 128, 3), dtype=torch.uint8)
    rgb, array = packed.movedim(-1, 1), packed.numpy()
    compiled = torch.compile(kornia)
    candidates = {
        "this project": lambda: uint8_to_lab(rgb),
        "Kornia, eager": lambda: kornia(rgb),
        "Kornia, compiled": lambda: compiled(rgb),
        "OpenCV, float": lambda: [opencv(picture) for picture in array],
        "scikit-image": lambda: rgb2lab(array),
        "floor: uint8 to float copy": lambda: rgb.float(),
    }
    worst = (uint8_to_lab(rgb) - torch.from_numpy(rgb2lab(array)).movedim(-1, 1)).abs().max()
    print(
        markdown("sRGB to Lab, 128 x 128, one core", medians(candidates, rounds), pictures, "OpenCV, float")
    )
    print(f"Largest difference from scikit-image: {worst:.1e} Lab units.")


def kornia(rgb: torch.Tensor) -> torch.Tensor:
    return kornia_rgb_to_lab(rgb.float() / 255)


def opencv(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture.astype(np.float32) * (1 / 255), cv2.COLOR_RGB2LAB)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
