import dataclasses

import pytest

from pipeline.errors import InputError
from pipeline.tables.gallery import shown_gallery


def test_pictures_say_what_was_seen_what_was_read_and_how_surely(screening):
    errors, referred = shown_gallery(screening)
    row = screening.frame("gallery").query("kind == 'confident_error'").iloc[0]
    assert errors.pictures[0].words.startswith(f"{row['label']}, read as {row['prediction']} (")
    assert "would read" in referred.pictures[0].words


def test_how_pictures_were_chosen_is_said(screening):
    assert [shelf.chosen for shelf in shown_gallery(screening)] == [
        "The 8 most confident, not a random sample",
        "The 8 least confident, not a random sample",
    ]


def test_pictures_that_may_not_be_shown_are_refused(screening):
    dataset = screening.dataset | {"show_images": False}
    hidden = dataclasses.replace(screening, record=screening.record | {"dataset": dataset})
    with pytest.raises(InputError, match="no pictures expected"):
        shown_gallery(hidden)


def test_without_pictures_there_is_no_gallery(digits):
    assert shown_gallery(digits) == ()


def test_a_thumbnail_that_is_no_png_is_refused(screening):
    odd = screening.frame("gallery").assign(png="PHN2Zz4=")
    with pytest.raises(InputError, match="a PNG in base64 expected, got 'PHN2Zz4='"):
        shown_gallery(screening.having(gallery=odd))
