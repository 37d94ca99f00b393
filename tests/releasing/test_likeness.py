"""The score that tells a foreign image from one like the study's."""

import numpy as np
import pytest
import torch

from pipeline.releasing.likeness import Likeness, fit_likeness, likeness_of, scope_threshold
from pipeline.training import Normalisation


def smooth_images(seed, n, shape=(24, 20), channels=1):
    """Bright blobs in fields of their own, with a little noise."""
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*[np.linspace(-1, 1, side) for side in shape], indexing="ij")
    centres = rng.uniform(-0.3, 0.3, (n, len(shape)))
    squares = sum(
        (axis[None] - centre.reshape(n, *[1] * len(shape))) ** 2
        for axis, centre in zip(axes, centres.T, strict=True)
    )
    values = 180 * np.exp(-4 * squares) + 30 + rng.normal(0, 4, squares.shape)
    return np.repeat(values.clip(0, 255)[..., None], channels, axis=-1).astype(np.uint8)


def normalisation(channels=1):
    return Normalisation(torch.full((channels,), 90.0), torch.full((channels,), 60.0))


@pytest.mark.parametrize(
    ("shape", "channels"), [((24, 20), 1), ((24, 20), 3), ((12, 10, 9), 1), ((9, 5), 1)]
)
def test_the_mean_score_of_images_like_those_measured_is_not_far_below_minus_one(shape, channels):
    train = smooth_images(0, 400, shape, channels)
    likeness = fit_likeness(train, normalisation(channels))
    # The mean squared distance of the measured images themselves is one, less what shrinks it.
    assert -1 < likeness_of(likeness, train).mean() < 0
    others = likeness_of(likeness, smooth_images(1, 400, shape, channels))
    # Of 400 images and up to 80 features a mean is off by a fifth and more.
    assert -1.5 < others.mean() < 0


@pytest.mark.parametrize(
    "foreign",
    [
        np.zeros((1, 24, 20, 1)),
        np.full((1, 24, 20, 1), 255),
        np.random.default_rng(0).integers(0, 256, (20, 24, 20, 1)),
        255 - smooth_images(2, 20),
        smooth_images(2, 20)[:, ::-1] // 4,
    ],
    ids=["black", "white", "noise", "inverted", "dark"],
)
def test_foreign_images_score_below_every_one_of_the_study(foreign):
    likeness = fit_likeness(smooth_images(0, 400), normalisation())
    known = likeness_of(likeness, smooth_images(1, 400))
    assert likeness_of(likeness, foreign).max() < known.min()


def test_the_score_is_the_whitened_distance_of_field_means_and_roughness():
    train = smooth_images(0, 50, (8, 8))
    likeness = fit_likeness(train, normalisation())
    image = smooth_images(3, 1, (8, 8))
    scaled = (image[0, ..., 0].astype(float) - 90) / 60
    blocks = [slice(2 * i, 2 * i + 2) for i in range(4)]
    means = [scaled[rows, columns].mean() for rows in blocks for columns in blocks]
    np.testing.assert_allclose(
        likeness.features(torch.from_numpy(image).float().movedim(-1, 1))[0, :16], means, atol=1e-5
    )
    batch = torch.from_numpy(np.concatenate([train, image])).float().movedim(-1, 1)
    features = likeness.features(batch).numpy()
    covariance = np.cov(features[:50].T)
    covariance += 1e-3 * np.trace(covariance) / 32 * np.eye(32)
    gap = features[50] - features[:50].mean(axis=0)
    expected = -gap @ np.linalg.solve(covariance, gap) / 32
    assert likeness_of(likeness, image)[0] == pytest.approx(expected, rel=1e-6)


def test_a_smooth_ramp_is_as_rough_everywhere():
    ramp = np.tile(np.arange(16.0)[:, None], (1, 16))[None, ..., None]
    parts = {"image_mean": torch.zeros(1), "image_sd": torch.ones(1)}
    features = Likeness(parts, [16, 16]).features(torch.from_numpy(ramp).float().movedim(-1, 1))
    # Steps of one along one axis and none along the other: log(1 + 0 + 0.001).
    np.testing.assert_allclose(features[0, 16:], np.log(1.001), atol=1e-6)


def test_at_least_one_of_the_study_s_own_cases_falls_out_of_scope():
    scores = -np.arange(1.0, 11.0)
    threshold = scope_threshold(scores)
    assert (scores < threshold).sum() == 1
    many = np.random.default_rng(0).normal(size=10_000)
    assert (many < scope_threshold(many)).mean() == pytest.approx(0.005, abs=1e-4)


def test_one_image_that_shows_nothing_does_not_open_the_scope_to_all_such():
    likeness = fit_likeness(smooth_images(0, 400), normalisation())
    black = np.zeros((1, 24, 20, 1), np.uint8)
    held_out = np.concatenate([smooth_images(1, 150), black])
    assert likeness_of(likeness, black)[0] < scope_threshold(likeness_of(likeness, held_out))
