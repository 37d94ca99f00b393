import base64
import io
from functools import partial

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.evaluation.reading import read_images
from pipeline.tables.gallery import GALLERY, gallery_cases, gallery_table, thumbnail
from pipeline.tables.parts.experiment import Experiment
from tests.tables.test_tables import CARD, ROW

CLASSES = ["healthy", "ill"]


@pytest.fixture
def run(hand):
    return hand(
        [0.9, 0.6, 0.8, 0.7, 0.95], [1, 1, 0, 0, 1], patients=["a", "a", "b", "c", "d"], groups={}
    )


def test_errors_are_shown_from_the_surest_and_referred_cases_from_the_least_sure(run):
    chosen = gallery_cases(run, "identity", 0.75)
    assert chosen["confident_error"].tolist() == [2, 3]
    # The first image of a is sure enough, but a is referred for the second.
    assert chosen["referred"].tolist() == [1, 3, 0]


def test_without_a_threshold_every_case_is_referred(run):
    assert gallery_cases(run, "identity", np.nan)["referred"].tolist() == [1, 3, 2, 0, 4]


def test_no_more_than_twelve_of_a_kind_are_shown(hand):
    run = hand([0.9] * 20, [0] * 20, patients=[f"p{i}" for i in range(20)], groups={})
    assert {len(cases) for cases in gallery_cases(run, "identity", 0.95).values()} == {12}


def test_a_picture_stands_with_its_class_and_what_was_read(run):
    images = {f"case-{i}": np.full((4, 5, 1), 10 * i, dtype=np.uint8) for i in range(5)}
    table = gallery_table(run, "identity", CLASSES, {"confident_error": np.array([2])}, images)
    row = table.iloc[0]
    assert (row["label"], row["prediction"], row["rank"]) == ("healthy", "ill", 0)
    assert row["confidence"] == pytest.approx(0.8)
    picture = Image.open(io.BytesIO(base64.b64decode(row["png"])))
    assert picture.size == (5, 4)
    assert picture.getpixel((0, 0)) == 20


def test_without_errors_the_columns_stand_alone(hand):
    run = hand([0.9], [1], patients=["a"], groups={})
    chosen = gallery_cases(run, "identity", 0.5)
    table = gallery_table(run, "identity", CLASSES, chosen, {})
    assert table.empty
    assert "png" in table


@pytest.mark.parametrize(
    ("image", "size", "first"),
    [
        (np.array([[[-100], [100]]], dtype=np.int16), (2, 1), 0),
        (np.zeros((200, 400, 3), dtype=np.uint8), (96, 48), (0, 0, 0)),
        (np.stack([np.full((2, 2, 1), v, dtype=np.uint8) for v in (1, 7, 9)]), (2, 2), 7),
        (np.full((2, 2, 1), 3.5, dtype=np.float32), (2, 2), 0),
        (np.full((2, 2, 2), 5, dtype=np.uint8), (2, 2), 5),
    ],
    ids=["signed", "large and coloured", "volume", "flat", "two channels"],
)
def test_any_image_becomes_a_small_picture(image, size, first):
    picture = Image.open(io.BytesIO(thumbnail(image)))
    assert picture.size == size
    assert picture.getpixel((0, 0)) == first


def test_images_are_found_by_their_case_in_the_prepared_data(runs, tmp_path):
    names = runs[2].test.predictions.cases
    pd.DataFrame({"case": names[::-1]}).to_parquet(tmp_path / "cases.parquet")
    values = np.arange(len(names), dtype=np.uint8)[::-1]
    np.save(tmp_path / "images.npy", np.tile(values[:, None, None, None], (1, 2, 2, 1)))
    experiment = Experiment(
        runs, ROW, CARD | {"show_images": True}, images=partial(read_images, tmp_path)
    )
    table = experiment.frame(GALLERY)
    assert set(table["label"]) <= set(CARD["classes"])
    points = experiment.points_of_shown.set_index("calibrator")
    threshold = points["threshold"]["temperature"]
    chosen = gallery_cases(runs[2], "temperature", threshold)["confident_error"]
    errors = table[table["kind"] == "confident_error"]
    shown = [
        Image.open(io.BytesIO(base64.b64decode(png))).getpixel((0, 0)) for png in errors["png"]
    ]
    assert shown == [int(case) % 256 for case in chosen]
