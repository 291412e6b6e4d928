"""Our metrics under our protocols as torchmetrics', for anyone's own training loop.

    psnr = Score("psnr")                      one number
    scores = Scores("v1")                     all that protocol v1 measures, as a dictionary
    scores.update(predicted, truth)           sRGB (B, 3, H, W); or ab (B, 2, H, W) beside sRGB
    scores.compute()

Several processes add up what they have seen, as torchmetrics does it.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor
from torchmetrics import Metric as TorchMetric

from colorization import build
from colorization.color.lab import quantize, rgb_to_lab, to_uint8
from colorization.compose import composed
from colorization.config import InputError
from colorization.metric.base import Absent, Metric, Pair, SetMetric
from colorization.metric.chroma import is_grey
from colorization.protocol import Measure
from colorization.scorer import Gaps, Tally, fresh


class Scores(TorchMetric):
    """Means over pictures, and what is measured over all of them, as a protocol has them.

    Pictures are scored as they are: they should have the protocol's size already. Numbers that are not
    defined (too small pictures, missing weights) are left out; `absent` says why after `compute`.

    Args:
        protocol: of conf/protocol, by name: how pictures are rounded and counted.
        metrics: of conf/metric, by name; None: what the protocol measures.
    """

    full_state_update = False

    def __init__(self, protocol: str = "v1", metrics: Sequence[str] | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        cfg = _configured(protocol, ",".join(metrics or ()))
        self.protocol = build.protocol(cfg)
        self.measures: dict[str, Measure] = build.metrics(cfg) if metrics else dict(self.protocol.metrics)
        self.absent: dict[str, str] = {}
        self._small: dict[str, str] = {}
        self.add_state("grey", [], "cat")
        self.add_state("finite", [], "cat")
        for name, metric in self.measures.items():
            if isinstance(metric, Metric):
                self.add_state(f"of_{name}", [], "cat")
                continue
            for key, value in fresh(metric).states().items():
                if isinstance(value, list):
                    self.add_state(f"of_{name}_{key}", [], "cat")
                else:
                    self.add_state(f"of_{name}_{key}", torch.as_tensor(value), "sum")

    @torch.no_grad()
    def update(self, predicted: Tensor, truth: Tensor) -> None:
        """Measure a batch.

        Args:
            predicted: sRGB (B, 3, H, W), uint8 or float 0..1; or ab (B, 2, H, W) in CIE units, which is
                joined to the truth's L.
            truth: sRGB (B, 3, H, W), uint8 or float 0..1.

        Raises:
            InputError: they are no such pictures.
        """
        pair = self._pair(predicted, truth)
        tally = Tally(self.protocol, self.measures, Gaps({}, {}))
        tally.add(pair, {"grey": is_grey(pair)}, {})
        (found,) = tally.batches
        for name, values in found.items():
            getattr(self, name if name in ("grey", "finite") else f"of_{name}").append(values)
        for name, metric in tally.sets.items():
            for key, value in metric.states().items():
                before = getattr(self, f"of_{name}_{key}")
                more = torch.as_tensor(value).to(before) if isinstance(before, Tensor) else value
                setattr(self, f"of_{name}_{key}", before + more)
        self.absent = {**tally.gaps.absent, **self.absent}
        self._small |= tally.gaps.small

    def reset(self) -> None:
        """Forget all pictures."""
        super().reset()
        self.absent, self._small = {}, {}

    def compute(self) -> dict[str, Tensor]:
        """Each number by its name."""
        if not len(self.grey):  # type: ignore[arg-type]
            return {}
        counted = self.protocol.counted(_whole(self.grey).bool())
        counted = counted if counted.any() else torch.ones_like(counted)
        sound = bool(_whole(self.finite).all())
        numbers = {name: self._number(name, metric, counted) for name, metric in self.measures.items()}
        return {
            name: torch.tensor(value if sound else math.nan, device=self.device)
            for name, value in numbers.items()
            if value is not None
        }

    def _number(self, name: str, metric: Measure, counted: Tensor) -> float | None:
        if isinstance(metric, Metric):
            values = _whole(getattr(self, f"of_{name}"))[counted].double()
            if not values.isnan().all():
                return float(values.nanmean())
            self.absent.setdefault(name, self._small.get(name, "not defined for any of these pictures"))
            return None
        return self._of_set(name, metric)

    def _of_set(self, name: str, metric: SetMetric) -> float | None:
        whole = fresh(metric)
        states = {key: getattr(self, f"of_{name}_{key}") for key in metric.state}
        kept = {key: isinstance(getattr(whole, key), list) for key in metric.state}
        whole.add({k: _parts(v) if kept[k] else v.cpu() for k, v in states.items()})
        try:
            return float(whole.compute())
        except Absent as absent:
            self.absent.setdefault(name, absent.reason)
            return None

    def _pair(self, predicted: Tensor, truth: Tensor) -> Pair:
        given = [tuple(predicted.shape), tuple(truth.shape)]
        right = [(len(truth), channels, *given[1][2:]) for channels in (2, 3)]
        if len(given[1]) != 4 or given[1] != right[1] or given[0] not in right:
            fault = f"predicted {given[0]}, truth {given[1]}"
            raise InputError(f"{fault}: give sRGB (B, 3, H, W) of one size, or ab (B, 2, H, W) beside sRGB")
        truth = truth if truth.dtype == torch.uint8 else to_uint8(truth)
        truth_lab = rgb_to_lab(truth)
        if predicted.shape[1] == 2:
            rgb = self.protocol.rgb(truth_lab[:, :1], predicted)
        else:
            rgb = predicted / 255 if predicted.dtype == torch.uint8 else quantize(predicted.float())
        return Pair(rgb, truth / 255, truth_lab)


class Score(Scores):
    """One number, as `self.log` and MetricCollection take it.

    Args:
        metric: of conf/metric, by name, such as "psnr", "ciede2000" or "fid".
        protocol: as of `Scores`.
    """

    def __init__(self, metric: str = "psnr", protocol: str = "v1", **kwargs: Any):
        super().__init__(protocol, [metric], **kwargs)
        if len(self.measures) != 1:
            raise InputError(f"metric={metric}: is {', '.join(self.measures)}; give one, or take Scores")

    def compute(self) -> Tensor:  # type: ignore[override]
        """The number; NaN where it is not defined."""
        return next(iter(super().compute().values()), torch.tensor(math.nan, device=self.device))

    @property
    def higher_is_better(self) -> bool | None:  # type: ignore[override]
        """None: neither is better, a property to hold beside the truth's."""
        better = next(iter(self.measures.values())).better
        return None if better == "none" else better == "higher"


@cache
def _configured(protocol: str, metrics: str) -> DictConfig:
    return composed("evaluate", [f"protocol={protocol}", f"metric=[{metrics}]"])


def _whole(state: Any) -> Tensor:
    """A state of parts, which become one where processes have met."""
    return torch.cat(_parts(state))


def _parts(state: Any) -> list[Tensor]:
    return [part.cpu() for part in ([state] if isinstance(state, Tensor) else state)]
