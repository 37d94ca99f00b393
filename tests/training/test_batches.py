import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.training.batches import Share, batch_bounds, epoch_batches
from tests.training.examples import make_recipe

ONE = Share()


def cases_of(num_cases, recipe, *, seed=0, epoch=0, share=ONE, side=4):
    batches = epoch_batches((num_cases, side, side, 1), recipe, seed=seed, epoch=epoch, share=share)
    return [batch.draw.cases.tolist() for batch in batches]


@given(num_cases=st.integers(1, 60), size=st.integers(1, 20), epoch=st.integers(0, 3))
def test_a_kept_last_batch_makes_an_epoch_show_every_case_once(num_cases, size, epoch):
    recipe = make_recipe(batch_size=size, last_batch="keep")
    shown = sum(cases_of(num_cases, recipe, epoch=epoch), [])
    assert sorted(shown) == list(range(num_cases))


@given(num_cases=st.integers(1, 60), size=st.integers(1, 20))
def test_a_dropped_last_batch_leaves_batches_of_one_size(num_cases, size):
    batches = cases_of(num_cases, make_recipe(batch_size=size, last_batch="drop"))
    assert {len(batch) for batch in batches} == {min(size, num_cases)}
    assert len(batches) == max(num_cases // size, 1)


def test_fewer_cases_than_a_batch_make_one_batch():
    assert batch_bounds(3, make_recipe(batch_size=8)) == [(0, 3)]


def test_epochs_and_seeds_shuffle_differently_and_each_always_alike():
    recipe = make_recipe(batch_size=8)
    first = cases_of(40, recipe, seed=1, epoch=0)
    assert first == cases_of(40, recipe, seed=1, epoch=0)
    assert first != cases_of(40, recipe, seed=1, epoch=1)
    assert first != cases_of(40, recipe, seed=2, epoch=0)


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_the_global_batches_that_one_would_see(world_size):
    recipe = make_recipe(batch_size=12, last_batch="keep")
    whole = cases_of(36, recipe)
    shares = [cases_of(36, recipe, share=Share(rank, world_size)) for rank in range(world_size)]
    for number, batch in enumerate(whole):
        parts = [share[number] for share in shares]
        assert {len(part) for part in parts} == {12 // world_size}
        assert sorted(sum(parts, [])) == sorted(batch)


def test_a_batch_that_processes_cannot_share_evenly_is_cut():
    assert batch_bounds(10, make_recipe(batch_size=7, last_batch="keep"), world_size=2) == [
        (0, 6),  # of 7
        (7, 9),  # of 3
    ]
    assert batch_bounds(8, make_recipe(batch_size=7, last_batch="keep"), world_size=2) == [(0, 6)]


def test_shifts_cover_the_padding_on_both_sides_and_flips_come_half_the_time():
    recipe = make_recipe(batch_size=3000, augmentation={"crop_padding": 2, "flip": True})
    (batch,) = epoch_batches((3000, 8, 8, 1), recipe, seed=0, epoch=0, share=ONE)
    shifts, counts = batch.draw.shifts.unique(return_counts=True)
    assert shifts.tolist() == [-2, -1, 0, 1, 2]
    # Five standard deviations of a binomial count over 6,000 shifts and over 3,000 flips.
    assert (counts - 1200).abs().max() < 5 * (6000 * 0.2 * 0.8) ** 0.5
    assert abs(int(batch.draw.flips.sum()) - 1500) < 5 * (3000 * 0.25) ** 0.5


def test_without_augmentation_nothing_is_moved_flipped_or_mixed():
    (batch, *_) = epoch_batches((20, 8, 8, 1), make_recipe(), seed=0, epoch=0, share=ONE)
    assert batch.draw.shifts is None
    assert batch.draw.flips is None
    assert batch.partner is None


def test_augmentation_does_not_change_which_cases_are_in_the_first_batch():
    plain, moved = make_recipe(), make_recipe(augmentation={"crop_padding": 2})
    assert cases_of(40, plain)[0] == cases_of(40, moved)[0]


def test_mixup_partners_are_the_batch_in_another_order():
    recipe = make_recipe(batch_size=16, augmentation={"mixup_alpha": 0.2, "crop_padding": 1})
    weights = []
    for batch in epoch_batches((64, 8, 8, 1), recipe, seed=0, epoch=0, share=ONE):
        assert sorted(batch.partner.cases.tolist()) == sorted(batch.draw.cases.tolist())
        order = [batch.draw.cases.tolist().index(case) for case in batch.partner.cases.tolist()]
        # A partner is moved as it is in its own place, so both processes see one image.
        assert torch.equal(batch.partner.shifts, batch.draw.shifts[order])
        weights.append(batch.share)
    assert len(set(weights)) == 4
    assert all(0 <= weight <= 1 for weight in weights)


def test_draws_have_one_shift_for_each_axis_of_a_volume():
    recipe = make_recipe(batch_size=4, augmentation={"crop_padding": 1})
    (batch,) = epoch_batches((4, 6, 6, 6, 1), recipe, seed=0, epoch=0, share=ONE)
    assert batch.draw.shifts.shape == (4, 3)
