import dataclasses

import pytest

from pipeline.report.first_screen import first_screen


def with_points(scores, **columns):
    points = scores.frame("operating_points").assign(**columns)
    return scores.having(operating_points=points)


def label(screen, name):
    return dict(screen.said)[name]


@pytest.mark.parametrize(
    ("answered", "wrong"), [(600, 1), (417, 15), (1, 0), (333, 333), (0, 0), (200, 2)]
)
def test_the_flow_of_a_thousand_is_whole_and_complete(screening, answered, wrong):
    counts = {"answered": answered, "referred": 600 - answered, "wrong": wrong}
    flow = first_screen(with_points(screening, num_test=600, **counts)).flow
    assert flow.right + flow.wrong + flow.referred == 1000
    assert min(flow.right, flow.wrong, flow.referred) >= 0


def test_the_model_shown_is_the_first_seed_and_not_the_best(screening):
    said = label(first_screen(screening), "Seeds")
    assert said.startswith(
        "Model shown: generative cross-entropy (gce) with adaptive temperature scaling (ats), seed "
        "0, the first, not the best."
    )


def test_a_single_seed_is_said_to_be_alone(screening):
    points = screening.frame("operating_points")
    record = screening.record | {"seeds": [0]}
    alone = dataclasses.replace(
        screening.having(operating_points=points[points["seed"] == 0]), record=record
    )
    assert label(first_screen(alone), "Seeds").endswith("No other seed was trained.")


def test_simulated_images_are_said_to_be(screening, digits):
    assert "simulated" in label(first_screen(screening), "Limits")
    assert "simulated" not in label(first_screen(digits), "Limits")


def test_uncommitted_changes_are_told_first_hand(screening):
    runs = [run | {"dirty": True} for run in screening.provenance["runs"]]
    dirty = dataclasses.replace(screening, provenance=screening.provenance | {"runs": runs})
    assert "uncommitted changes" in label(first_screen(dirty), "Limits")


def test_an_image_shared_by_train_and_test_is_told(screening):
    shared = {"equal_pixels": {"across": {"train/test": 3, "train/val": 2}}}
    record = screening.record | {"dataset": screening.dataset | shared}
    limits = label(first_screen(dataclasses.replace(screening, record=record)), "Limits")
    assert "3 images are in train and test alike." in limits
    assert "train and val" not in limits


def test_without_a_threshold_nothing_is_guaranteed(screening):
    none = with_points(screening, status="none", answered=0, referred=600, wrong=0)
    screen = first_screen(none)
    assert "Guarantee" not in dict(screen.said)
    assert screen.kind == "none"
    assert [tile.value for tile in screen.tiles[:2]] == ["0%", "100%"]


def test_readers_are_said_to_be_unstudied(screening):
    assert label(first_screen(screening), "Limits").endswith("Readers were not studied.")
