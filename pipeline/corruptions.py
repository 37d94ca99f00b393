"""Known damage to images, in five severities: what a model meets when acquisition gets worse.

Constants: Hendrycks & Dietterich, ICLR 2019, arXiv:1903.12261, as its authors set them for images
of 32 (CIFAR-10-C), 64 (Tiny-ImageNet-C) and 224 pixels (ImageNet-C). An image takes those of the
nearest of these sizes, by ratio. Their values are cut to whole grey levels, ours are rounded.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from math import log

import numpy as np
from PIL import Image

from pipeline.errors import InputError

SEVERITIES = (1, 2, 3, 4, 5)

Damage = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]

STRENGTHS: dict[str, dict[int, tuple[float, ...]]] = {
    "gaussian_noise": {
        32: (0.04, 0.06, 0.08, 0.09, 0.10),
        64: (0.04, 0.08, 0.12, 0.15, 0.18),
        224: (0.08, 0.12, 0.18, 0.26, 0.38),
    },
    "gaussian_blur": {
        32: (0.4, 0.6, 0.7, 0.8, 1.0),
        64: (0.5, 0.75, 1.0, 1.25, 1.5),
        224: (1.0, 2.0, 3.0, 4.0, 6.0),
    },
    "contrast": {
        32: (0.75, 0.5, 0.4, 0.3, 0.15),
        64: (0.4, 0.3, 0.2, 0.1, 0.05),
        224: (0.4, 0.3, 0.2, 0.1, 0.05),
    },
    "jpeg": {
        32: (80, 65, 58, 50, 40),
        64: (65, 58, 50, 40, 25),
        224: (25, 18, 15, 10, 7),
    },
}
"""By image size in pixels: the noise's standard deviation as a share of the range, the blur's in
pixels, the share of the contrast that is left, the JPEG quality."""


def corrupt(image: np.ndarray, kind: str, severity: int, random: np.random.Generator) -> np.ndarray:
    """Return an image damaged in one way, of the same shape and type.

    Raises `InputError` if the kind or the severity is unknown.

    Parameters
    ----------
    image : array, (*spatial, channels)
        uint8, or int16 or float32 whose own smallest and largest value count as black and white.
    kind : str
        One of `CORRUPTIONS`.
    severity : int
        1 to 5.
    random : numpy.random.Generator
        Draws the noise; the other kinds take nothing from it.
    """
    if kind not in CORRUPTIONS:
        message = f"corruption must be one of {', '.join(CORRUPTIONS)}, got '{kind}'"
        raise InputError(message)
    if severity not in SEVERITIES:
        message = f"severity must lie in 1..5, got {severity}"
        raise InputError(message)
    strength = strength_for(kind, severity, max(image.shape[:-1]))
    black, white = _range(image)
    unit = (image.astype(np.float64) - black) / (white - black)
    damaged = np.clip(CORRUPTIONS[kind](unit, strength, random), 0, 1)
    values = damaged * (white - black) + black
    return (np.rint(values) if image.dtype.kind in "iu" else values).astype(image.dtype)


def strength_for(kind: str, severity: int, size: int) -> float:
    """Return the constant for images of a size in pixels.

    >>> strength_for("gaussian_noise", 5, size=28), strength_for("gaussian_noise", 5, size=224)
    (0.1, 0.38)
    """
    by_size = STRENGTHS[kind]
    nearest = min(by_size, key=lambda known: abs(log(known / size)))
    return by_size[nearest][severity - 1]


def _range(image: np.ndarray) -> tuple[float, float]:
    if image.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(image.min()), float(image.max())
    return low, high if high > low else low + 1.0


def _gaussian_noise(unit: np.ndarray, sd: float, random: np.random.Generator) -> np.ndarray:
    return unit + random.normal(scale=sd, size=unit.shape)


def _gaussian_blur(unit: np.ndarray, sd: float, random: np.random.Generator) -> np.ndarray:
    # Imported here: whoever only asks for the names need not wait for it.
    from scipy.ndimage import gaussian_filter

    del random
    return gaussian_filter(unit, sigma=(*[sd] * (unit.ndim - 1), 0), mode="nearest")


def _contrast(unit: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    del random
    means = unit.mean(axis=tuple(range(unit.ndim - 1)), keepdims=True)
    return (unit - means) * share + means


def _jpeg(unit: np.ndarray, quality: float, random: np.random.Generator) -> np.ndarray:
    """Compress a plane; a volume slice by slice along its first axis."""
    if unit.ndim == 4:
        return np.stack([_jpeg(plane, quality, random) for plane in unit])
    pixels = np.rint(unit * 255).astype(np.uint8)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=int(quality))
    return np.asarray(Image.open(buffer)).reshape(unit.shape) / 255


CORRUPTIONS: dict[str, Damage] = {
    "gaussian_noise": _gaussian_noise,
    "gaussian_blur": _gaussian_blur,
    "contrast": _contrast,
    "jpeg": _jpeg,
}
