import numpy as np
import pytest
import torch

from pipeline.training.augmentation import BatchReader, read_images
from pipeline.training.batches import Batch, Draw
from pipeline.training.images import LabelledImages, Normalisation

AS_STORED = Normalisation(mean=torch.zeros(1), sd=torch.ones(1))


def draw(cases, shifts=None, flips=None):
    return Draw(
        cases=torch.tensor(cases),
        shifts=None if shifts is None else torch.tensor(shifts),
        flips=None if flips is None else torch.tensor(flips),
    )


def counting_images(*shape, dtype=torch.uint8):
    return torch.arange(int(np.prod(shape))).reshape(shape).to(dtype)


def test_an_image_moves_down_and_right_and_black_comes_in():
    images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).view(1, 2, 2, 1)
    moved = read_images(images, draw([0], shifts=[[1, 1]]), padding=1)
    assert moved.view(2, 2).tolist() == [[0, 0], [0, 1]]
    moved = read_images(images, draw([0], shifts=[[0, -1]]), padding=1)
    assert moved.view(2, 2).tolist() == [[2, 0], [4, 0]]


def test_a_flip_swaps_left_and_right():
    images = torch.tensor([[1, 2], [3, 4]], dtype=torch.uint8).view(1, 2, 2, 1)
    flipped = read_images(images, draw([0], flips=[True]))
    assert flipped.view(2, 2).tolist() == [[2, 1], [4, 3]]


@pytest.mark.parametrize("shape", [(4, 5, 6, 3), (4, 3, 5, 6, 1)])
def test_each_image_is_moved_and_flipped_as_numpy_does_one_by_one(shape):
    images = counting_images(*shape, dtype=torch.int16)
    rng = np.random.default_rng(0)
    num_axes = len(shape) - 2
    shifts = rng.integers(-2, 3, size=(6, num_axes))
    flips = rng.random(6) < 0.5
    cases = [0, 3, 1, 1, 2, 0]
    changed = read_images(images, draw(cases, shifts.tolist(), flips.tolist()), padding=2)
    for row, case in enumerate(cases):
        image = images[case].numpy()
        padded = np.pad(image, [(2, 2)] * num_axes + [(0, 0)])
        window = tuple(
            slice(2 - shift, 2 - shift + side)
            for shift, side in zip(shifts[row], image.shape[:-1], strict=True)
        )
        expected = padded[window]
        if flips[row]:
            expected = np.flip(expected, axis=num_axes - 1)
        np.testing.assert_array_equal(changed[row].numpy(), expected)


def test_black_is_the_lowest_value_where_numbers_may_be_negative():
    images = torch.tensor([[-1000, 40], [7, 3000]], dtype=torch.int16).view(1, 2, 2, 1)
    data = LabelledImages(images, torch.tensor([0]))
    reader = BatchReader(data, AS_STORED, num_classes=2, padding=1)
    moved, _ = reader(Batch(draw([0], shifts=[[1, 0]])))
    assert moved.view(2, 2).tolist() == [[-1000, -1000], [-1000, 40]]


def test_images_that_nobody_moves_are_gathered_as_they_are():
    images = counting_images(3, 2, 2, 1)
    assert torch.equal(read_images(images, draw([2, 0])), images[[2, 0]])


def test_mixup_is_the_weighted_mean_of_images_and_of_one_hot_labels():
    data = LabelledImages(counting_images(2, 2, 2, 1), torch.tensor([0, 2]))
    reader = BatchReader(data, AS_STORED, num_classes=3)
    mixed, labels = reader(Batch(draw([0, 1]), draw([1, 0]), share=0.75))
    first, second = data.images[..., 0].float()
    torch.testing.assert_close(mixed[0, 0], 0.75 * first + 0.25 * second)
    torch.testing.assert_close(mixed[1, 0], 0.75 * second + 0.25 * first)
    torch.testing.assert_close(labels, torch.tensor([[0.75, 0, 0.25], [0.25, 0, 0.75]]))


def test_a_batch_without_mixup_has_its_own_labels():
    data = LabelledImages(counting_images(3, 2, 2, 1), torch.tensor([0, 2, 1]))
    images, labels = BatchReader(data, AS_STORED, num_classes=3)(Batch(draw([2, 1])))
    assert images.shape == (2, 1, 2, 2)
    assert labels.tolist() == [1, 2]
