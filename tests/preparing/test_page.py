import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from pipeline.adapters import Quarantined
from pipeline.cases import COLUMNS
from pipeline.preparing.card import make_card
from pipeline.preparing.collecting import Collected
from pipeline.preparing.page import contact_sheet, render_page
from tests.sources import make_cases, make_dataset

CASES = make_cases([0, 0, 1, 1], split=["train"] * 3 + ["test"])[COLUMNS.names]
COLLECTED = Collected(CASES.assign(patient_is="patient"), [], num_files=4)


def card(collected=COLLECTED, **changes):
    return make_card("s", make_dataset(**changes), CASES, np.dtype("uint8"), collected)


def test_the_page_states_counts_licence_and_fingerprint():
    page = render_page(card(licence="CC0 <not a tag>"))
    text = re.sub(r"<[^>]+>", " ", page)
    assert "4 cases of 4 patients" in text
    assert "CC0 &lt;not a tag&gt;" in text
    assert card()["fingerprint"] in text
    assert "50.0%" in text


def test_the_page_asks_nothing_of_the_network():
    class Links(HTMLParser):
        found = []

        def handle_starttag(self, tag, attributes):
            self.found += [v for k, v in attributes if k in ("src", "href")]

    files = [{"name": "a", "md5": "0" * 32, "url": "https://example.org/a"}]
    parser = Links()
    parser.feed(render_page(card(files=files), sheet_png=b"png"))
    assert all(link.startswith("data:") for link in parser.found)
    assert len(parser.found) == 2
    assert "default-src 'none'" in render_page(card())


def test_what_the_config_states_is_told_in_words():
    labels = {"key": "study", "label_names": {"0": "healthy", "1": "ill"}}
    page = render_page(card(arguments={"labels": labels, "window": {"percentile": [1, 99]}}))
    assert "<dd>labels: key = study; label_names = 0 = healthy; 1 = ill</dd>" in page
    assert "<dd>window: percentile = 1, 99</dd>" in page


@pytest.mark.parametrize(
    ("adapter", "window"), [("dicom", "tag"), ("nifti", "percentile = 1.0, 99.0")]
)
def test_the_window_that_an_adapter_falls_back_to_is_told_as_such(adapter, window):
    silent = render_page(card(adapter=adapter, arguments={"folder": "in"}))
    assert silent.count("<dd>window: ") == 1
    assert f"<dd>window: {window} (the default)</dd><dt>Sites" in silent
    stated = render_page(card(adapter=adapter, arguments={"window": {"centre": 40, "width": 400}}))
    assert "<dd>window: centre = 40; width = 400</dd>" in stated
    assert "(the default)" not in stated


def test_a_source_of_pictures_has_no_window_to_tell():
    assert "window" not in render_page(card())


def test_what_nobody_recorded_is_said_to_be_not_recorded():
    page = render_page(card())
    for question in ("Dates, setting, eligibility", "Missing values; ethics"):
        assert f"<dt>{question}</dt><dd>Not recorded.</dd>" in page
    assert "Readers and their agreement: not recorded." in page


@pytest.mark.parametrize(
    ("simulated", "said"), [(True, "the images are simulated"), (False, "beyond its licence")]
)
def test_the_page_says_what_the_data_are_not_for(simulated, said):
    page = render_page(card() | {"simulated": simulated})
    assert re.search(rf"<dt>When not</dt><dd>[^<]*{said}", page)


def test_what_was_left_out_is_a_click_away():
    left_out = [Quarantined("a", "no label", "add it")]
    some = card(replace(COLLECTED, quarantined=left_out))
    assert '1 no label. <a href="quarantine.csv">' in render_page(some)
    assert "quarantine.csv" not in render_page(card())


def test_the_page_says_what_counts_as_a_patient_where_none_is_named():
    unnamed = replace(COLLECTED, cases=CASES.assign(patient_is="image"))
    page = render_page(card(unnamed))
    assert (
        "<strong>No case names its patient: every image counts as a patient of its own."
        "</strong> Two of one patient may lie in two splits"
    ) in page
    assert "What counts as a patient is never in two splits." in page
    assert "Patients are never in two splits." in render_page(card())
    assert "names its patient" not in render_page(card())


def test_the_page_counts_blank_images_apart():
    blank = frozenset(CASES["pixel_sha256"][:2])
    page = render_page(card(replace(COLLECTED, blank=blank)))
    assert "<dt>Blank images, whose pixels are all the same</dt><dd>2; they are not counted" in page
    assert "Blank images" not in render_page(card())


def test_images_are_shown_only_where_a_sheet_is_given():
    assert "<img" not in render_page(card())


@pytest.mark.parametrize("shape", [(4, 4, 1), (4, 4, 3), (5, 4, 4, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_sheet_has_one_row_a_class_and_shows_training_images(shape, dtype):
    images = np.zeros((4, *shape), dtype)
    images[0, ..., 0, :, :] = 255  # the first column or row of case 0 is bright
    sheet = Image.open(io.BytesIO(contact_sheet(images, CASES, num_classes=2))).convert("L")
    assert sheet.size == (10 * 60, 2 * 60)
    tiles = np.asarray(sheet)
    assert tiles[2, 2] == 255  # case 0, bright
    assert tiles[2, 62] == 0  # case 1, dark
    assert tiles[62, 2] == 0  # case 2, of the other class
    assert tiles[62, 62] == 255  # no second training image of that class: paper
