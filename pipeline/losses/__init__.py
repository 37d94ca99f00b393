"""Training losses by name: torch modules, ``loss(logits, labels)`` -> scalar.

Each reads logits (cases, classes) in nats and labels (cases,), computes in float32 or better
whatever the autocast type, and is finite with a finite gradient for logits of +-1e4 and for
batches that lack a class. A loss that is a mean over cases has ``per_case(logits, labels)`` ->
(cases,); one without takes the batch as a whole, so that splitting a batch changes it. Where its
class says ``accepts_soft_labels``, labels may also be class probabilities (cases, classes). What
training changes in a loss is in its ``state_dict``. A loss's file imports from ``parts`` and
`pipeline.arguments` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from pipeline.arguments import require_known
from pipeline.losses.adafocal import AdaFocal
from pipeline.losses.brier import Brier
from pipeline.losses.bsce_gra import BsceGra
from pipeline.losses.class_balanced import ClassBalanced
from pipeline.losses.cross_entropy import CrossEntropy
from pipeline.losses.dual_focal import DualFocal
from pipeline.losses.flsd53 import Flsd53
from pipeline.losses.focal import Focal
from pipeline.losses.gce import Gce
from pipeline.losses.gce_focal import GceFocal
from pipeline.losses.gce_logit_adjusted import GceLogitAdjusted
from pipeline.losses.generative_focal import GenerativeFocal
from pipeline.losses.label_smoothing import LabelSmoothing
from pipeline.losses.ldam import Ldam
from pipeline.losses.logit_adjusted import LogitAdjusted
from pipeline.losses.mbls import Mbls
from pipeline.losses.mdca import Mdca
from pipeline.losses.mmce import Mmce

LOSSES: dict[str, type[nn.Module]] = {
    "cross_entropy": CrossEntropy,
    "label_smoothing": LabelSmoothing,
    "brier": Brier,
    "focal": Focal,
    "flsd53": Flsd53,
    "adafocal": AdaFocal,
    "dual_focal": DualFocal,
    "bsce_gra": BsceGra,
    "mmce": Mmce,
    "mdca": Mdca,
    "mbls": Mbls,
    "logit_adjusted": LogitAdjusted,
    "class_balanced": ClassBalanced,
    "ldam": Ldam,
    "gce": Gce,
    "gce_focal": GceFocal,
    "gce_logit_adjusted": GceLogitAdjusted,
    "generative_focal": GenerativeFocal,
}


@runtime_checkable
class EpochFeedback(Protocol):
    """A loss that learns from training as it goes; the loop asks by ``isinstance``."""

    def end_epoch(self, progress: float, validation: Callable[[], tuple[Tensor, Tensor]]) -> None:
        """Take in the end of an epoch; called after each.

        Parameters
        ----------
        progress : float
            Share of the epochs that are done, in (0, 1].
        validation : callable
            Returns the validation split's logits (cases, classes) under the present network and its
            labels (cases,). It costs a pass over the split, so a loss calls it only if it needs it.
        """


def make_loss(
    kind: str,
    *,
    num_classes: int,
    class_counts: Sequence[int] | Tensor | None = None,
    **arguments: Any,
) -> nn.Module:
    """Return a loss of `LOSSES`.

    Parameters
    ----------
    kind : str
        Key of `LOSSES`.
    num_classes : int
        Number of classes, at least 2.
    class_counts : sequence of int, (classes,), optional
        Training cases of each class; needed by the losses that correct for them, else unused.
    **arguments
        The loss's own settings.

    Raises
    ------
    InputError
        If the kind or an argument is not known, or a value is not one the loss can take.

    Examples
    --------
    >>> import torch
    >>> loss = make_loss("focal", num_classes=2, gamma=1)
    >>> loss(torch.zeros(1, 2), torch.tensor([0])) / torch.tensor(2.0).log()
    tensor(0.5000)
    >>> make_loss("focal", num_classes=2, gama=1)
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: unknown argument 'gama' of loss 'focal'; known arguments: gamma
    """
    given = {"num_classes": num_classes, "class_counts": class_counts}
    require_known("loss", kind, LOSSES, arguments, given=given)
    parameters = signature(LOSSES[kind]).parameters
    used = {name: value for name, value in given.items() if name in parameters}
    return LOSSES[kind](**used, **arguments)
