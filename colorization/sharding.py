"""Weights, gradients and optimizer states shared out over all processes: trainer.strategy=sharded.

PyTorch's FSDP2 (Zhao et al. 2023, arXiv:2304.11277), for networks that do not fit a device beside their
optimizer. Checkpoints are whole, as those of any other run.
"""

from typing import Any

import torch
from pytorch_lightning.overrides.distributed import _sync_module_states
from pytorch_lightning.strategies import DDPStrategy
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.optim import Optimizer

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class Sharded(DDPStrategy):
    """Each process holds its share of every weight; the network is put together for each pass."""

    def configure_ddp(self) -> None:
        """Share out the network and whatever else learns."""
        module: Any = self.lightning_module
        _sync_module_states(module)
        mesh = init_device_mesh(self.root_device.type, (self.num_nodes * self.num_processes,))
        for part in (module.network, module.objective):
            if any(p.requires_grad for p in part.parameters()):
                fully_shard(part.to(memory_format=torch.contiguous_format), mesh=mesh)  # it takes no other

    def lightning_module_state_dict(self) -> dict[str, Any]:
        """All weights, in the first process."""
        return get_model_state_dict(self._module(), options=WHOLE)

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The whole state, numbered as an optimizer of one process numbers it; in the first process."""
        named: Any = get_optimizer_state_dict(self._module(), optimizer, options=WHOLE)
        if not named:  # only the first process has it, and writes it
            return {}
        names = self._names(optimizer)
        groups: list[dict[str, Any]] = []
        for group in optimizer.param_groups:
            first = sum(len(g["params"]) for g in groups)
            numbers = list(range(first, first + len(group["params"])))
            groups.append({k: v for k, v in group.items() if k != "params"} | {"params": numbers})
        state = {i: named["state"][name] for i, name in enumerate(names) if name in named["state"]}
        return {"state": state, "param_groups": groups}

    def load_optimizer_state_dict(self, checkpoint: Any) -> None:
        """Give each process its share of whole states."""
        for optimizer, saved in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            names = self._names(optimizer)
            groups = [
                group | {"params": [names[i] for i in group["params"]]} for group in saved["param_groups"]
            ]
            state = {names[i]: values for i, values in saved["state"].items()}
            set_optimizer_state_dict(
                self._module(), optimizer, {"state": state, "param_groups": groups}, options=WHOLE
            )

    def _names(self, optimizer: Optimizer) -> list[str]:
        """The names of its parameters, in its order."""
        name_of = {id(p): name for name, p in self._module().named_parameters()}
        return [name_of[id(p)] for group in optimizer.param_groups for p in group["params"]]

    def _module(self) -> Any:
        return self.lightning_module
