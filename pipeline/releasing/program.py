"""The released program: prepared images in, calibrated probabilities and a decision out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pipeline.releasing.likeness import Likeness
from pipeline.releasing.manifest import TIE
from pipeline.training import Classifier

ABOVE_ANY = 2.0
"""A threshold that no confidence reaches."""


class Program(nn.Module):
    """Members, their mean, calibrator, rule and scope in one module.

    Parameters
    ----------
    members : sequence of Classifier
        Each turns images into logits. Of several the mean of their probabilities is calibrated.
    calibrator : Module
        float64 logits (n, classes) to log-probabilities, see `exported_calibrators.exportable`.
    likeness : Likeness
        Gives the scope score.
    threshold : float or None
        Least confidence answered; None answers nobody.
    scope_threshold : float
        Least scope score answered.
    """

    threshold: Tensor
    scope_threshold: Tensor

    def __init__(
        self,
        members: Sequence[Classifier],
        calibrator: nn.Module,
        likeness: Likeness,
        *,
        threshold: float | None,
        scope_threshold: float,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(_Member(each) for each in members)
        self.calibrator = calibrator
        self.likeness = likeness
        # As buffers: the exporters write some Python floats in single precision.
        least = ABOVE_ANY if threshold is None else threshold - TIE
        self.register_buffer("threshold", torch.tensor(least, dtype=torch.float64))
        in_scope = torch.tensor(scope_threshold, dtype=torch.float64)
        self.register_buffer("scope_threshold", in_scope)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what `pipeline.releasing.manifest.OUTPUTS` names, of (n, channels, *spatial)."""
        probabilities = torch.exp(self.calibrator(self.logits(image)))
        confidence = probabilities.amax(dim=1)
        scope_score = self.likeness(image)
        answered = (confidence >= self.threshold) & (scope_score >= self.scope_threshold)
        return probabilities, confidence, answered.to(torch.int64), scope_score

    def logits(self, image: Tensor) -> Tensor:
        """Return float64 logits, (n, classes): of several members log mean probabilities."""
        logits = [member(image).to(torch.float64) for member in self.members]
        return logits[0] if len(logits) == 1 else mean_of_members(logits)


class _Member(nn.Module):
    """A network with its normalisation and the scale of its logits."""

    mean: Tensor
    sd: Tensor

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        # Training keeps channels last, which `torch.export.save` cannot tell from a part of more.
        self.network = classifier.network.eval()
        for parameter in self.network.parameters():
            parameter.data = parameter.data.contiguous()
        self.scale = classifier.logit_scale
        self.register_buffer("mean", classifier.normalisation.mean)
        self.register_buffer("sd", classifier.normalisation.sd)

    def forward(self, image: Tensor) -> Tensor:
        """Return float32 logits, (n, classes)."""
        shape = (1, -1, *[1] * (image.dim() - 2))
        return self.scale * self.network((image - self.mean.view(shape)) / self.sd.view(shape))


def mean_of_members(logits: Sequence[Tensor]) -> Tensor:
    """Return the logarithm of members' mean probabilities, (n, classes), from float64 logits."""
    log_probabilities = torch.stack([torch.log_softmax(each, dim=1) for each in logits])
    return torch.logsumexp(log_probabilities, dim=0) - math.log(len(logits))
