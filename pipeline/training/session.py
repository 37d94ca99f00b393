"""All that changes while a network is trained, and how it is saved and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from pipeline.config import Recipe
from pipeline.errors import InputError
from pipeline.training.cosine import put_cosine_head
from pipeline.training.device import seed_torch
from pipeline.training.schedule import make_optimiser

if TYPE_CHECKING:
    from lightning_fabric import Fabric

State = dict[str, Any]
"""What a stopped run is resumed from: tensors, numbers and strings only."""


@dataclass(frozen=True)
class Method:
    """What is trained and how.

    Attributes
    ----------
    name : str
        Names the loss in messages.
    make_network, make_loss : callable
        Called afresh for every seed; a loss may hold state, as buffers.
    recipe : Recipe
        Optimiser, schedule, epochs, batches, augmentation and precision.
    """

    name: str
    make_network: Callable[[], nn.Module]
    make_loss: Callable[[], nn.Module]
    recipe: Recipe


@dataclass
class Session:
    """One seed's training between two epochs.

    `wrapped` is `network` as Fabric runs it: in the recipe's precision, gradients shared between
    processes.
    """

    fabric: Fabric
    network: nn.Module
    wrapped: nn.Module
    optimiser: torch.optim.Optimizer
    loss: nn.Module
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def logit_scale(self) -> float:
        """What the network's outputs are multiplied with: 1 unless the loss says otherwise."""
        return getattr(self.loss, "logit_scale", 1.0)

    @property
    def epochs_done(self) -> int:
        """Epochs trained so far."""
        return len(self.history)

    def state(self) -> State:
        """Return all that the rest of the training depends on."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "loss": self.loss.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "history": self.history,
        }

    def take_up(self, state: State) -> None:
        """Continue where a saved state left off."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.loss.load_state_dict(state["loss"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        self.history = list(state["history"])

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Put back in place, after, whatever steps inside change.

        A captured step knows tensors by where they are. What the optimiser remembers from its first
        step on becomes zero, which is where momentum and moments start.
        """
        before = {id(each): (each, each.detach().clone()) for each in self._tensors()}
        try:
            yield
        finally:
            with torch.no_grad():
                for each in self._tensors():
                    if id(each) in before:
                        each.copy_(before[id(each)][1])
                    else:
                        each.zero_()

    def _tensors(self) -> Iterator[Tensor]:
        for module in (self.network, self.loss):
            yield from module.parameters()
            yield from module.buffers()
        for remembered in self.optimiser.state.values():
            yield from (value for value in remembered.values() if isinstance(value, Tensor))

    def agree_on_buffers(self) -> None:
        """Give every process the first one's running statistics, so that all predict alike."""
        if self.fabric.world_size > 1:
            for buffer in self.network.buffers():
                buffer.copy_(self.fabric.broadcast(buffer, src=0))


def start_session(method: Method, fabric: Fabric, *, seed: int) -> Session:
    """Return the session of a seed before its first epoch; weights follow from the seed alone."""
    seed_torch(seed)
    loss = method.make_loss().to(fabric.device)
    require_soft_labels(method, loss)
    network = finish_network(method.make_network(), cosine_head=hasattr(loss, "logit_scale"))
    optimiser = make_optimiser(network.parameters(), method.recipe)
    wrapped, wrapped_optimiser = fabric.setup(network, optimiser)
    return Session(fabric, network, wrapped, wrapped_optimiser, loss)


def finish_network(network: nn.Module, *, cosine_head: bool) -> nn.Module:
    """Return a network as it is trained: channels last in memory, with the head its loss needs."""
    if cosine_head:
        put_cosine_head(network)
    volumes = any(parameter.ndim == 5 for parameter in network.parameters())
    layout = torch.channels_last_3d if volumes else torch.channels_last
    return network.to(memory_format=layout)  # type: ignore[call-overload]


def require_soft_labels(method: Method, loss: nn.Module) -> None:
    """Raise `InputError` if the recipe mixes labels that the loss cannot take."""
    mixes = method.recipe.augmentation.mixup_alpha > 0
    if mixes and not getattr(loss, "accepts_soft_labels", False):
        message = (
            f"loss {method.name} takes classes only, but the recipe's mixup_alpha "
            f"{method.recipe.augmentation.mixup_alpha:g} makes soft labels: "
            "set it to 0 or take a loss for soft labels, such as cross_entropy"
        )
        raise InputError(message)
