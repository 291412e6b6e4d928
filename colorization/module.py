"""The only LightningModule: any network, any objective, one training step, one validation."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_warn
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from colorization.chance import Chance, reseed
from colorization.color import lab
from colorization.config import ConfigError
from colorization.contract import losses_of, prediction
from colorization.data.batch import Batch, Given
from colorization.graph import Graph
from colorization.hints.base import Hints
from colorization.loss.base import Term
from colorization.metric.base import Pair
from colorization.metric.psnr import psnr
from colorization.model.base import Network
from colorization.objective.base import NETWORK, Losses, Objective
from colorization.objective.vivid import Vividness
from colorization.protocol import Protocol
from colorization.scorer import Scorer, Scores
from colorization.vividness import Pixels

LAYOUT = 2  # of a checkpoint; another one is not read


class Colorizer(pl.LightningModule):
    """A network, what it learns, and how it is scored.

    Args:
        network: scaled lightness (and hints) in, raw channels out.
        objective: turns those channels into a loss, into ab, into samples.
        hints: what a user reveals.
        optimizer: parameter groups -> optimizer, of every player that has none of its own.
        schedule: progress 0..1 -> factor of the learning rate; or optimizer -> ReduceLROnPlateau.
        terms: losses of a colouring that are added to the objective's, by name.
        scorer: what measures validation and test pictures; None: their PSNR under protocol v1.
        progress: the share of the budget that is spent.
        watch: the number that chooses checkpoints and that a plateau schedule follows.
        clip: the largest norm of a player's gradients; None: any.
        accumulate: batches whose gradients make a step.
        seed: of the random numbers of training.
        record: plain data that every checkpoint carries (configuration, git state).
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        hints: Hints,
        optimizer: Callable[..., Optimizer] = AdamW,
        schedule: Callable[..., Any] = lambda progress: 1.0,
        terms: Mapping[str, Term] | None = None,
        scorer: Scorer | None = None,
        progress: Callable[[], float] = lambda: 0.0,
        watch: str = "psnr",
        clip: float | None = None,
        accumulate: int = 1,
        seed: int = 0,
        record: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        self.automatic_optimization = False  # one way for one player and for several
        self.network = network
        self.objective = objective
        self.hints = hints
        self.optimizer, self.schedule, self.progress = optimizer, schedule, progress
        self.terms = dict(terms or {})  # no sub-modules: they belong to no checkpoint and no average
        self.scorer = scorer or Scorer(Protocol(name="v1"), {"psnr": psnr})
        self.watch, self.clip, self.accumulate, self.seed = watch, clip, accumulate, seed
        self.record = dict(record or {})
        self._told: set[str] = set()
        self.turns = list(objective.players(network))
        self._due: Sequence[str] = ()
        self._refuse_forgotten()

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: Any, map_location: Any = None) -> "Colorizer":  # type: ignore
        """The trained network, objective and hints of a run folder or a checkpoint, in evaluation mode.

        Raises:
            ConfigError: as `colorization.reopen.open_run`, which it stands for.
        """
        from colorization.reopen import open_run  # lies above this module, and so does whoever calls this

        return open_run(checkpoint_path).colorizer().to(map_location)

    def forward(self, L: Tensor, hints: Tensor | None = None) -> Tensor:
        """Colour lightness L (B, 1, H, W) 0..100: ab (B, 2, H, W) in CIE units."""
        given = Given(L, unhinted(L, self.objective, self.hints) if hints is None else hints)
        return self.objective.colouring(self.network, given)

    def export(self) -> torch.export.ExportedProgram:
        """`forward` of one picture without hints as a graph: L (1, 1, H, W) -> ab (1, 2, H, W), any H, W."""
        return Graph(self.network, self.objective, self.hints).program()

    def seen(self, batch: Batch, epoch: int | None = None) -> Batch:
        """The batch with its random numbers and with what a user reveals.

        `epoch` is that of training; None: the batch is scored, with the same numbers in every run.
        """
        seed = (0, 0) if epoch is None else (self.seed, epoch + 1)
        batch = batch._replace(chance=Chance(batch.index, *seed))
        return batch._replace(hints=self.hints.reveal(batch))

    def training_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """The turns that are due; gives the sum of their losses, and whose they were."""
        batch = self.seen(batch, self.current_epoch)
        steps = (batch_idx + 1) % self.accumulate == 0 or self.trainer.is_last_batch
        if batch_idx % self.accumulate == 0 or not self._due:
            self._due = self.objective.due(self.network, self.progress())
        self._forget_logged()
        reseed(self.seed, self.current_epoch, batch_idx, self.global_rank)
        optimizers: Any = self.optimizers()
        by_turn = dict(
            zip(self.turns, optimizers if isinstance(optimizers, list) else [optimizers], strict=True)
        )
        totals: list[Tensor] = []
        logged: dict[str, Tensor] = {}
        for turn in self._due:
            optimizer = by_turn[turn]
            with optimizer.toggle_model(sync_grad=steps):
                losses = self._losses(batch, turn)
                self.manual_backward(losses.total / self.accumulate)
                if steps:
                    optimizer.step()
                    optimizer.zero_grad()
            totals.append(losses.total.detach())
            numbers = {"loss": totals[-1], **losses.logged}
            logged |= {f"{_prefix(turn)}/{name}": value for name, value in numbers.items()}
        self.log_dict(logged, batch_size=len(batch.L))  # at once: of two calls Lightning may drop the first
        if steps:
            self._follow_schedule()
        return {"loss": torch.stack(totals).sum(), "turns": tuple(self._due)}

    def validation_step(self, batch: Batch, batch_idx: int) -> dict[str, Pair]:
        return self._score(batch, "val")

    def test_step(self, batch: Batch, batch_idx: int) -> dict[str, Pair]:
        return self._score(batch, "test")

    def on_validation_epoch_start(self) -> None:
        self.scorer.reset()
        self._pixels = Pixels(self.scorer.protocol)

    def on_test_epoch_start(self) -> None:
        self.scorer.reset()

    def on_validation_epoch_end(self) -> None:
        numbers = self._log_scores("val")
        self.objective.vividness = self._pixels.fit()
        if self.objective.vividness:
            vivid = self._pixels.numbers(self.objective.vividness)
            self.log_dict({f"val/vivid_{name}": value for name, value in vivid.items()})
        if self.watch in numbers:
            for plateau in self.trainer.lr_scheduler_configs:
                cast(ReduceLROnPlateau, plateau.scheduler).step(numbers[self.watch])

    def on_test_epoch_end(self) -> None:
        self._log_scores(f"test/{self.scorer.protocol.name}")

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The prediction as 8-bit pictures, (B, 3, H, W) uint8 sRGB."""
        batch = self.seen(batch)
        return lab.to_uint8(lab.merge(batch.L, self.objective.colouring(self.network, batch.given)))

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip here, where gradients have their true scale; Lightning clips for one optimizer alone."""
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        batches = 1 + self.trainer.fit_loop.epoch_loop.total_batch_idx
        logs = batches % self.trainer.log_every_n_steps == 0  # type: ignore[attr-defined]
        if self.clip is None and not logs:
            return
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if logs:
            prefix = _prefix(self.turns[self.trainer.optimizers.index(optimizer)])
            whole = norm.full_tensor() if hasattr(norm, "full_tensor") else norm  # where weights are sharded
            self.log_dict({f"{prefix}/grad_norm": whole, f"{prefix}/lr": optimizer.param_groups[0]["lr"]})
        if self.clip is not None:
            nn.utils.clip_grads_with_norm_(parameters, self.clip, norm)

    def configure_optimizers(self) -> Any:
        players = self.objective.players(self.network).values()
        self.schedules: list[Callable[..., Any]] = [player.schedule or self.schedule for player in players]
        optimizers = [
            _optimizer(player.optimizer or self.optimizer, player.groups, self._rate(schedule))
            for player, schedule in zip(players, self.schedules, strict=True)
        ]
        self.configured = [[_settings(group) for group in optimizer.param_groups] for optimizer in optimizers]
        mode = "max" if self.scorer.described(self.watch)[1] == "higher" else "min"
        plateaus = [
            {"scheduler": schedule(optimizer, mode=mode), "monitor": f"val/{self.watch}"}
            for optimizer, schedule in zip(optimizers, self.schedules, strict=True)
            if _is_plateau(schedule)
        ]
        return optimizers, plateaus

    def on_fit_start(self) -> None:
        """Move the loss terms, which are no sub-modules, to the device."""
        self.terms = {name: term.to(self.device) for name, term in self.terms.items()}

    def on_train_start(self) -> None:
        """Let the optimizers of a resumed run follow the configuration, which may have changed since."""
        for optimizer, configured in zip(self.trainer.optimizers, self.configured, strict=True):
            for group, settings in zip(optimizer.param_groups, configured, strict=True):
                if settings["initial_lr"] != group["initial_lr"]:
                    group["lr"] *= settings["initial_lr"] / group["initial_lr"]
                group.update({name: value for name, value in settings.items() if name != "lr"})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        fitted = self.objective.vividness
        checkpoint["colorization"] = self.record | {
            "units": self.network.units.to_dict(),
            "layout": LAYOUT,
            "vividness": fitted and fitted._asdict(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if fitted := checkpoint["colorization"].get("vividness"):
            self.objective.vividness = Vividness(**fitted)

    def _refuse_forgotten(self) -> None:
        """Raise a ConfigError where parameters want to learn and no player names them."""
        players = self.objective.players(self.network).values()
        named = {id(p) for player in players for group in player.groups for p in group["params"]}
        forgotten = [k for k, p in self.named_parameters() if p.requires_grad and id(p) not in named]
        if forgotten:
            kind = type(self.objective).__name__
            some = ", ".join(forgotten[:3]) + (", ..." if len(forgotten) > 3 else "")
            remedy = f"name them in {kind}.players, or freeze them by requires_grad_(False)"
            raise ConfigError([f"{kind}: nobody trains {some}; {remedy}"])

    def _forget_logged(self) -> None:
        """Let a number be logged in the batch that it is of: Lightning repeats it until there is another."""
        if self.trainer._results is not None:
            self.trainer._results.reset()

    def _losses(self, batch: Batch, turn: str = NETWORK) -> Losses:
        """The objective's losses with the terms added."""
        losses = losses_of(self.objective, self.network, batch, turn)
        if not self.terms or turn != NETWORK:
            return losses
        ab = losses.ab()
        values = {name: term(ab, batch) for name, term in self.terms.items()}
        total = losses.total + sum(self.terms[name].weight * value for name, value in values.items())
        named = {f"{name}_loss": value for name, value in values.items()}  # a metric may have the bare name
        logged = {**losses.logged, "objective": losses.total, **named}
        return losses._replace(total=total, ab=lambda: ab, logged=logged)

    def _follow_schedule(self) -> None:
        for optimizer, schedule in zip(self.trainer.optimizers, self.schedules, strict=True):
            for group in optimizer.param_groups if not _is_plateau(schedule) else ():
                group["lr"] = group["initial_lr"] * self._rate(schedule)

    def _rate(self, schedule: Callable[..., Any]) -> float:
        """The factor of the learning rate now."""
        return 1.0 if _is_plateau(schedule) else schedule(self.progress())

    def _score(self, batch: Batch, split: str) -> dict[str, Pair]:
        """Log the loss of a batch and measure its prediction, of one forward; gives the "pair" to show."""
        batch = self.seen(batch)
        assert batch.picture is not None, "the data module gives no truth as it was read: Batch.picture"
        losses = self._losses(batch)
        logged = {f"{split}/{name}": value for name, value in {"loss": losses.total, **losses.logged}.items()}
        self.log_dict(logged, batch_size=len(batch.L), sync_dist=True)
        ab = prediction(losses, batch, self.objective)
        if split == "val":
            self._pixels.add(batch.picture, (losses.accurate or (lambda: ab))())
        return {"pair": self.scorer.add(batch.index, batch.picture, ab, losses.measured())}

    def _log_scores(self, prefix: str) -> dict[str, float]:
        """Log what the pictures since the last reset come to, and say once what is missing."""
        scores = self.scorer.result()
        numbers = scores.model.means | scores.model.sets
        if self.watch in scores.absent:
            raise ConfigError([f"watch={self.watch}: not measured here: {scores.absent[self.watch]}"])
        self._tell(scores)
        self.log_dict({f"{prefix}/{name}": value for name, value in numbers.items()})
        self.log(f"{prefix}/pictures", float(len(scores.model.rows)))
        return numbers

    def _tell(self, scores: Scores) -> None:
        if scores.broken:
            rank_zero_warn(f"{scores.broken} predictions are not finite numbers: no mean is defined")
        for name, reason in {**scores.absent, **scores.undefined}.items():
            if name not in self._told:
                self._told.add(name)
                rank_zero_warn(f"{name} is not measured: {reason}")


def unhinted(L: Tensor, objective: Objective, hints: Hints) -> Tensor | None:
    """What a network is given where nothing is revealed, (B, channels, H, W); None: it takes no hints."""
    return hints.blank(L) if objective.needs.hints else None


def _optimizer(factory: Callable[..., Optimizer], groups: list[dict[str, Any]], rate: float) -> Optimizer:
    """The optimizer of a player; each group has its own share of the learning rate."""
    factors = [group.get("lr_factor", 1.0) for group in groups]
    optimizer = factory([{k: v for k, v in group.items() if k != "lr_factor"} for group in groups])
    for group, factor in zip(optimizer.param_groups, factors, strict=True):
        group["initial_lr"] = group["lr"] * factor
        group["lr"] = group["initial_lr"] * rate
    return optimizer


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != "params"}


def _is_plateau(schedule: Callable[..., Any]) -> bool:
    return getattr(schedule, "func", None) is ReduceLROnPlateau


def _prefix(turn: str) -> str:
    """Where the numbers of a turn are logged: the network's are those of the run."""
    return "train" if turn == NETWORK else f"train/{turn}"
