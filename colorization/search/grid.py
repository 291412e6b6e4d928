"""Every combination of a space without intervals, in Hydra's order: the last list varies fastest."""

from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial


class Grid(BaseSampler):
    """Give trial N of a study the Nth of these points.

    Args:
        points: the parameters of each trial.
        seed: of nothing here; every search takes one.
    """

    def __init__(self, points: list[dict[str, Any]], seed: int = 0):
        self.points = points

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self.points[trial.number][param_name]
