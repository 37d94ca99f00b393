"""What calibrators do, in torch's plain operations: float64 logits to log-probabilities.

Each says of the calibrator of `pipeline.calibrators` only how it is applied; `exported_calibrators`
makes them from fitted ones.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.calibrators.focal_temperature import NEARLY_CERTAIN, SMALLEST
from pipeline.calibrators.hts import LOWEST_LOG_ENTROPY
from pipeline.calibrators.monotone import WIDEST_LOG_TEMPERATURE
from pipeline.calibrators.roots import LOG_TEMPERATURE_BOUNDS
from pipeline.calibrators.softmax import SMALLEST_DOUBT

HALVINGS = 60
"""Of an interval of 53 nats of log T: what is left lies beyond the last bit."""


class Twin(nn.Module):
    """A calibrator's numbers as buffers; maps float64 logits (n, classes) to log-probabilities."""

    def __init__(self, **numbers: object) -> None:
        super().__init__()
        for name, value in numbers.items():
            self.register_buffer(name, torch.tensor(value, dtype=torch.float64))


class Scaled(Twin):
    """Temperature scaling."""

    temperature: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        return torch.log_softmax(logits / self.temperature, dim=1)


class Affine(Twin):
    """Log-probabilities times a matrix, or class by class, plus biases."""

    weights: Tensor
    biases: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        inputs = torch.log_softmax(logits, dim=1)
        scores = inputs @ self.weights.T if self.weights.dim() == 2 else inputs * self.weights
        return torch.log_softmax(scores + self.biases, dim=1)


class Structured(Twin):
    """Temperature scaling mixed with equal probabilities, then a matrix on their logarithms."""

    temperature: Tensor
    equal_share: Tensor
    weights: Tensor
    biases: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        scaled = (1.0 - self.equal_share) * torch.softmax(logits / self.temperature, dim=1)
        inputs = torch.log(scaled + self.equal_share / logits.shape[1])
        return torch.log_softmax(inputs @ self.weights.T + self.biases, dim=1)


class Mixed(Twin):
    """Ensemble temperature scaling."""

    temperature: Tensor
    weights: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        mixture = self.weights[0] * torch.softmax(logits / self.temperature, dim=1)
        mixture = mixture + self.weights[1] * torch.softmax(logits, dim=1)
        mixture = mixture + self.weights[2] / logits.shape[1]
        return torch.log(mixture / mixture.sum(dim=1, keepdim=True))


class ByEntropy(Twin):
    """A temperature by the entropy of the uncalibrated softmax."""

    intercept: Tensor
    slope: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        log_p = torch.log_softmax(logits, dim=1)
        entropy = -(torch.exp(log_p) * log_p).sum(dim=1) / float(np.log(logits.shape[1]))
        log_entropy = torch.log(torch.clamp(entropy, min=float(np.exp(LOWEST_LOG_ENTROPY))))
        line = torch.clamp(self.intercept + self.slope * log_entropy, *LOG_TEMPERATURE_BOUNDS)
        return torch.log_softmax(logits / torch.exp(line)[:, None], dim=1)


class Focal(Twin):
    """Temperature scaling, then the posterior that a focal loss hides."""

    temperature: Tensor
    gamma: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        log_p = torch.log_softmax(logits / self.temperature, dim=1)
        rest = torch.clamp(-torch.expm1(log_p), min=SMALLEST)
        ratio = torch.where(log_p > NEARLY_CERTAIN, torch.ones_like(log_p), -log_p / rest)
        bend = torch.log1p(self.gamma * torch.exp(log_p) * ratio)
        return torch.log_softmax(log_p - self.gamma * torch.log(rest) - bend, dim=1)


class Stepwise(Twin):
    """A temperature for each bin of confidence."""

    edges: Tensor
    log_temperatures: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        log_t = self.log_temperatures[_bin_of(_confidence_log_odds(logits), self.edges)]
        return torch.log_softmax(logits / torch.exp(log_t)[:, None], dim=1)


class Linewise(Twin):
    """A temperature linear between the bins' centres by quantile of confidence."""

    knots: Tensor
    reached: Tensor
    centres: Tensor
    log_temperatures: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        quantile = _interpolated(_confidence_log_odds(logits), self.knots, self.reached)
        log_t = _interpolated(quantile, self.centres, self.log_temperatures)
        return torch.log_softmax(logits / torch.exp(log_t)[:, None], dim=1)


class Binned(Twin):
    """The predicted class gets its bin's accuracy; the others share the rest."""

    edges: Tensor
    accuracies: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        accuracy = self.accuracies[_bin_of(_confidence_log_odds(logits), self.edges)][:, None]
        own = _is_first_highest(logits)
        others = torch.where(own, -torch.inf, logits)
        shared = torch.log_softmax(others, dim=1) + torch.log1p(-accuracy)
        return torch.where(own, torch.log(accuracy), shared)


class Curve(Twin):
    """Linear between knots and level beyond, (n,) to (n,)."""

    knots: Tensor
    values: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Return the curve at x."""
        return _interpolated(x, self.knots, self.values)


class Isotonic(nn.Module):
    """A rising curve for each class, rows then made to sum to one."""

    def __init__(self, curves: Iterable[Curve], floor: float) -> None:
        super().__init__()
        self.curves = nn.ModuleList(curves)
        self.floor = floor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        p = torch.softmax(logits, dim=1)
        columns = [curve(p[:, k]) for k, curve in enumerate(self.curves)]
        frequencies = torch.clamp(torch.stack(columns, dim=1), min=self.floor)
        return torch.log(frequencies / frequencies.sum(dim=1, keepdim=True))


class Monotone(Twin):
    """The temperature at which a case's confidence c becomes g(c), by halving intervals."""

    knots: Tensor
    values: Tensor
    slopes: Tensor
    ends: Tensor

    def forward(self, logits: Tensor) -> Tensor:
        """Return log-probabilities."""
        chance = float(np.log(logits.shape[1] - 1.0))
        above = torch.clamp(_confidence_log_odds(logits) + chance, min=0.0)
        piece = (self.knots[None, :] <= above[:, None]).sum(dim=1) - 1
        line = self.values[piece] + self.slopes[piece] * (above - self.knots[piece])
        wanted = torch.minimum(line, self.ends[piece]) - chance
        own = _is_first_highest(logits)
        gaps = logits - logits.amax(dim=1, keepdim=True)
        inverse = torch.exp(-self._log_temperature(gaps, own, wanted))[:, None]
        excess = _runner_up_log_odds(gaps, own, inverse) - wanted[:, None]
        confidence = nn.functional.logsigmoid(wanted)[:, None]
        return torch.where(own, confidence, gaps * inverse + confidence + excess.clamp(max=0.0))

    def _log_temperature(self, gaps: Tensor, own: Tensor, wanted: Tensor) -> Tensor:
        low = torch.full_like(wanted, LOG_TEMPERATURE_BOUNDS[0])
        high = torch.full_like(wanted, WIDEST_LOG_TEMPERATURE)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            found = _runner_up_log_odds(gaps, own, torch.exp(-middle)[:, None])[:, 0]
            low = torch.where(found > wanted, middle, low)
            high = torch.where(found > wanted, high, middle)
        return low


def _confidence_log_odds(logits: Tensor) -> Tensor:
    totals = torch.exp(logits - logits.amax(dim=1, keepdim=True)).sum(dim=1)
    return -torch.log(torch.clamp(totals - 1.0, min=SMALLEST_DOUBT))


def _bin_of(scores: Tensor, edges: Tensor) -> Tensor:
    """Return each score's bin; one on an edge belongs to the bin below."""
    return (edges[None, :] < scores[:, None]).sum(dim=1)


def _interpolated(x: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Return what `numpy.interp` does: linear between the knots, level beyond."""
    if len(knots) == 1:
        return values.expand(x.shape)
    piece = (knots[None, 1:-1] <= x[:, None]).sum(dim=1)
    start, end = knots[piece], knots[piece + 1]
    low, high = values[piece], values[piece + 1]
    share = torch.clamp((x - start) / (end - start), 0.0, 1.0)
    return low + share * (high - low)


def _is_first_highest(logits: Tensor) -> Tensor:
    """Return, as numpy's arg-max chooses, which class of each row is the predicted one."""
    classes = torch.arange(logits.shape[1])
    return classes[None, :] == torch.argmax(logits, dim=1, keepdim=True)


def _runner_up_log_odds(gaps: Tensor, own: Tensor, inverse: Tensor) -> Tensor:
    """Return log c/(1 - c) at a temperature, (n, 1): the others' summed weight, negated."""
    others = torch.where(own, -torch.inf, gaps * inverse)
    return -torch.logsumexp(others, dim=1, keepdim=True)
