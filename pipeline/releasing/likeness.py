r"""How like the study's images an image is: what tells a foreign one, whatever the network says.

A network can be sure of anything: on blank images, noise and handwritten digits the energy of its
logits tells nothing (docs/releasing.md has the comparison). So the image itself is looked at. It is
cut into a few fields along each axis; of each field the mean of every channel and the roughness,
the logarithm of the mean squared difference of neighbouring pixels, are taken. The score is minus
the mean squared distance of these numbers, whitened, from their mean over the training images:

.. math:: s(x) = -\tfrac1d \lVert W (f(x) - \bar f) \rVert^2, \qquad
          W^\top W = (\Sigma + 10^{-3} \tfrac{\mathrm{tr} \Sigma}{d} I)^{-1}

Its mean over those images is between -1 and 0; others lie far below. Our choice, after Lee et al.,
NeurIPS 2018, arXiv:1807.03888, who take a network's features.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.training.images import Normalisation

NAME = "likeness"

FIELDS = {2: 4, 3: 2}
"""Along each axis, by the number of axes."""

SMALLEST_ROUGHNESS = 1e-3
"""In units of the squared standard deviation of pixels: what is smoother counts as this."""

SHRINKAGE = 1e-3

QUANTILE = 0.005
"""Share of the study's own cases that fall out of scope; at least one of them does."""

VALUES_AT_ONCE = 2**22
"""Of images that are looked at together."""

FITTED = ("image_mean", "image_sd", "centre", "whitening")
"""The buffers that say all of a `Likeness`; the others follow from the images' size."""


class Likeness(nn.Module):
    """The score of a batch of images; everything it needs is in its buffers.

    Attributes
    ----------
    image_mean, image_sd : float32 Tensor, (channels,)
        In the units of the prepared images.
    centre : float64 Tensor, (features,)
    whitening : float64 Tensor, (features, features)
    """

    image_mean: Tensor
    image_sd: Tensor
    centre: Tensor
    whitening: Tensor

    def __init__(self, parts: Mapping[str, Tensor], image_size: list[int]) -> None:
        super().__init__()
        for name, value in parts.items():
            self.register_buffer(name, value)
        fields = FIELDS[len(image_size)]
        for axis, side in enumerate(image_size):
            self.register_buffer(f"pixels_{axis}", _fields_of(side, fields), persistent=False)
            steps = _fields_of(max(side - 1, 1), fields)
            self.register_buffer(f"steps_{axis}", steps, persistent=False)
        self.num_axes = len(image_size)

    def forward(self, image: Tensor) -> Tensor:
        """Return float64 scores, (n,), of prepared images, (n, channels, *spatial) in float32."""
        distance = (self.features(image) - self.centre) @ self.whitening.T
        return -distance.square().mean(dim=1)

    def features(self, image: Tensor) -> Tensor:
        """Return float64 numbers, (n, features): fields' means, then their roughness."""
        shape = (1, -1, *[1] * self.num_axes)
        pixels = (image - self.image_mean.view(shape)) / self.image_sd.view(shape)
        means = self._in_fields(pixels, ())
        squares = [
            self._in_fields(pixels.diff(dim=axis + 2).square(), (axis,))
            for axis in range(self.num_axes)
            if image.shape[axis + 2] > 1
        ]
        roughness = torch.stack(squares).sum(dim=0).mean(dim=1)
        parts = means.flatten(1), torch.log(roughness + SMALLEST_ROUGHNESS).flatten(1)
        return torch.cat(parts, dim=1).to(torch.float64)

    def _in_fields(self, values: Tensor, stepped: tuple[int, ...]) -> Tensor:
        """Return the mean of each field; along `stepped` axes the values lie between pixels."""
        for axis in range(self.num_axes):
            kind = "steps" if axis in stepped else "pixels"
            weights = self.get_buffer(f"{kind}_{axis}")
            values = (values.movedim(axis + 2, -1) @ weights.T).movedim(-1, axis + 2)
        return values


def fit_likeness(images: np.ndarray, normalisation: Normalisation) -> Likeness:
    """Measure the training images.

    Parameters
    ----------
    images : array, (cases, *spatial, channels)
        As they were prepared; at least 2.
    normalisation : Normalisation
        That of the network, so that features have comparable sizes.
    """
    image_size = list(images.shape[1:-1])
    parts = {"image_mean": normalisation.mean, "image_sd": normalisation.sd}
    features = _features_of(Likeness(parts, image_size), images)
    covariance = np.cov(features.T)
    num_features = len(covariance)
    covariance += SHRINKAGE * np.trace(covariance) / num_features * np.eye(num_features)
    # Of the inverse, so that the product with its transpose is the precision.
    whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    fitted = {"centre": torch.from_numpy(features.mean(axis=0)), "whitening": _tensor(whitening)}
    return Likeness(parts | fitted, image_size)


def likeness_of(likeness: Likeness, images: np.ndarray) -> Float[np.ndarray, "cases"]:
    """Return the score of each prepared image, (cases, *spatial, channels)."""
    with torch.no_grad():
        return np.concatenate([likeness(batch).numpy() for batch in _batches(images)])


def scope_threshold(scores: Float[np.ndarray, "cases"]) -> float:
    """Return the least score that is in scope, given those of the study's own held-out cases.

    >>> scope_threshold(np.array([-9.0, -2.0, -1.0]))
    -2.0
    """
    return float(np.quantile(scores, QUANTILE, method="higher"))


def _features_of(likeness: Likeness, images: np.ndarray) -> Float[np.ndarray, "cases features"]:
    with torch.no_grad():
        return np.concatenate([likeness.features(batch).numpy() for batch in _batches(images)])


def _batches(images: np.ndarray) -> Iterator[Tensor]:
    size = max(1, VALUES_AT_ONCE // images[0].size)
    for start in range(0, len(images), size):
        batch = np.moveaxis(np.asarray(images[start : start + size], dtype=np.float32), -1, 1)
        yield torch.from_numpy(np.ascontiguousarray(batch))


def _fields_of(side: int, fields: int) -> Tensor:
    """Return the weight of each pixel in each field's mean, (fields, side) in float32.

    >>> _fields_of(3, 2)
    tensor([[0.6667, 0.3333, 0.0000],
            [0.0000, 0.3333, 0.6667]])
    """
    edges = np.linspace(0, side, fields + 1)
    starts, ends = edges[:-1, None], edges[1:, None]
    pixels = np.arange(side)
    covered = np.minimum(ends, pixels + 1) - np.maximum(starts, pixels)
    weights = covered.clip(min=0)
    return torch.from_numpy((weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))
