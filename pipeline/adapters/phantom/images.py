"""Draw what a scanner would show of a lesion: 64 x 64 values in the units of a CT-like scale.

All in float64: processors differ in the last bit of an exponential or a product, and only float64
leaves that bit far below the rounding to whole stored values, so that a seed gives every machine
the same files.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pipeline.adapters.phantom.study import Site

SIZE = 64
TISSUE = 200.0
WINDOW_CENTRE, WINDOW_WIDTH = 300.0, 800.0

_EDGE_PIXELS = 0.8
_BOUNDARY_WAVES = np.arange(3, 8)
_TEXTURE_PIXELS = (6.0, 9.0)
_TISSUE_PIXELS = (30.0, 60.0)
_NUM_WAVES = 6

Pixels = Float[np.ndarray, "images rows columns"]


def draw_images(
    features: Float[np.ndarray, "images features"], site: Site, random: np.random.Generator
) -> Pixels:
    """Return the images of one site.

    Each feature is squeezed into (0, 1) and then sets one visible trait: size the radius (7 to 19
    pixels), contrast the brightness above the tissue (60 to 360), irregularity how far the boundary
    departs from a circle (up to 0.4 of the radius), texture the variation inside (up to 0.6 of the
    brightness). All survive a reduction to 32 x 32.
    """
    squeezed = 1 / (1 + np.exp(-1.2 * features.T))
    size, contrast, irregularity, texture = squeezed[:, :, None, None]
    across = np.arange(SIZE) - (SIZE - 1) / 2
    centres = random.uniform(-5, 5, (2, len(features), 1, 1))
    rows, columns = across[:, None] - centres[0], across[None, :] - centres[1]
    radius = (7 + 12 * size) * (1 + 0.4 * irregularity * _boundary(rows, columns, random))
    inside = 1 / (1 + np.exp((np.hypot(rows, columns) - radius) / _EDGE_PIXELS))
    pattern = 1 + 0.6 * texture * _waves(len(features), _TEXTURE_PIXELS, random)
    tissue = TISSUE + 25 * _waves(len(features), _TISSUE_PIXELS, random)
    signal = tissue + inside * (60 + 300 * contrast) * pattern
    return site.gain * signal + site.noise * random.standard_normal(signal.shape)


def _boundary(rows: Pixels, columns: Pixels, random: np.random.Generator) -> Pixels:
    """Return a random periodic function of the angle, of root mean square one half."""
    strengths = random.uniform(0.5, 1.0, (len(_BOUNDARY_WAVES), len(rows), 1, 1))
    strengths /= np.sqrt(2 * (strengths**2).sum(axis=0))
    phases = random.uniform(0, 2 * np.pi, strengths.shape)
    weights = strengths * np.exp(1j * phases)
    # cos(k angle + phase) is the real part of a power: no arc tangent, one product a wave.
    turn = (columns + 1j * rows) / np.hypot(rows, columns)
    power = turn ** (_BOUNDARY_WAVES[0] - 1)
    total = np.zeros_like(rows * columns)
    for weight in weights:
        power *= turn
        total += (weight * power).real
    return total


def _waves(
    num_images: int, wavelengths: tuple[float, float], random: np.random.Generator
) -> Pixels:
    """Return sums of plane waves of random direction and phase, of root mean square one."""
    shape = (num_images, 1, _NUM_WAVES)
    frequencies = 2 * np.pi / random.uniform(*wavelengths, shape)
    directions, phases = random.uniform(0, 2 * np.pi, (2, *shape))
    along = np.arange(SIZE)[:, None]
    down = frequencies * np.sin(directions) * along + phases
    across = frequencies * np.cos(directions) * along
    # cos(a + b) = cos a cos b - sin a sin b, so a sum of plane waves is one matrix product.
    left = np.concatenate([np.cos(down), -np.sin(down)], axis=-1)
    right = np.concatenate([np.cos(across), np.sin(across)], axis=-1)
    return left @ right.transpose(0, 2, 1) * np.sqrt(2 / _NUM_WAVES)
