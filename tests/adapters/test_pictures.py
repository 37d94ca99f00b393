import hashlib

import numpy as np

from pipeline.adapters.case import Quarantined
from pipeline.adapters.file_tree import open_tree
from pipeline.adapters.pictures import PictureDecoder, read_pictures
from tests.sources import encode, write_zip

CONTENTS = {f"{number}.png": encode(np.full((4, 6), number, np.uint8)) for number in range(20)}


def read(tmp_path, names):
    write_zip(tmp_path / "p.zip", CONTENTS | {"broken.png": b"no picture"})
    with open_tree(tmp_path) as tree:
        return list(read_pictures(tree, names, PictureDecoder(channels=1, size=(2, 3))))


def test_pictures_come_in_the_order_asked_for_resized_and_hashed(tmp_path):
    names = ["7.png", "3.png"]
    pictures = read(tmp_path, names)
    assert [picture.name for picture in pictures] == names
    np.testing.assert_array_equal(pictures[0].image, np.full((2, 3, 1), 7, np.uint8))
    assert pictures[1].sha256 == hashlib.sha256(CONTENTS["3.png"]).hexdigest()


def test_what_cannot_be_decoded_keeps_its_place_and_its_reason(tmp_path):
    first, broken, last = read(tmp_path, ["0.png", "broken.png", "1.png"])
    assert isinstance(broken, Quarantined)
    assert (broken.source, broken.reason) == ("broken.png", "not a picture")
    assert (first.name, last.name) == ("0.png", "1.png")


def test_many_processes_yield_what_one_does(tmp_path, monkeypatch):
    alone = read(tmp_path, sorted(CONTENTS))
    monkeypatch.setattr("pipeline.adapters.pictures.BYTES_A_WORKER", 1)
    monkeypatch.setattr("pipeline.adapters.pictures.available_cores", lambda: 2)
    together = read(tmp_path, sorted(CONTENTS))
    assert [each.sha256 for each in together] == [each.sha256 for each in alone]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
