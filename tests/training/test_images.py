import numpy as np
import pytest
import torch

from pipeline.training.images import LabelledImages, Normalisation, measure_normalisation


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("shape", [(9, 4, 5, 1), (9, 4, 5, 3), (9, 2, 3, 4, 1)])
def test_normalised_training_images_have_mean_0_and_variance_1(dtype, shape):
    values = np.random.default_rng(0).integers(0, 200, size=shape).astype(dtype)
    images = torch.from_numpy(values)
    normalised = measure_normalisation(images)(images)
    over = [axis for axis in range(normalised.ndim) if axis != 1]
    assert normalised.shape == (9, shape[-1], *shape[1:-1])
    assert normalised.mean(over).abs().max() < 1e-5
    assert (normalised.var(over, correction=0) - 1).abs().max() < 1e-5


def test_statistics_are_numpys_whatever_the_parts_they_are_read_in(monkeypatch):
    values = np.random.default_rng(1).integers(0, 256, size=(25, 6, 6, 3)).astype(np.uint8)
    monkeypatch.setattr("pipeline.training.images.STATISTICS_BATCH", 4)
    measured = measure_normalisation(torch.from_numpy(values))
    np.testing.assert_allclose(measured.mean, values.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(measured.sd, values.std((0, 1, 2)), rtol=1e-6)


def test_large_offsets_do_not_swallow_the_spread():
    # In float32 the squares of 30,000 leave no room for a spread of 1.
    values = np.tile(np.array([29_999, 30_001], dtype=np.int16), 5_000).reshape(100, 10, 10, 1)
    measured = measure_normalisation(torch.from_numpy(values))
    assert float(measured.sd) == pytest.approx(1, abs=1e-4)


def test_a_constant_channel_becomes_0():
    images = torch.full((3, 2, 2, 1), 7, dtype=torch.uint8)
    assert torch.equal(measure_normalisation(images)(images), torch.zeros(3, 1, 2, 2))


@pytest.mark.parametrize(
    ("shape", "layout"),
    [((2, 4, 5, 3), torch.channels_last), ((2, 3, 4, 5, 3), torch.channels_last_3d)],
)
def test_normalised_images_lie_channels_last_in_memory(shape, layout):
    images = torch.zeros(shape, dtype=torch.uint8)
    normalised = Normalisation(mean=torch.zeros(3), sd=torch.ones(3))(images)
    assert normalised.is_contiguous(memory_format=layout)


def test_images_keep_their_stored_type_and_labels_become_int64(tmp_path):
    np.save(tmp_path / "images.npy", np.zeros((4, 2, 2, 1), dtype=np.uint8))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    data = LabelledImages.from_arrays(mapped[[0, 2]], np.array([1, 0], dtype=np.int32))
    assert data.images.dtype == torch.uint8
    assert data.labels.dtype == torch.int64
    assert len(data) == 2
