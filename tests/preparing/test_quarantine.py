import pandas as pd
import pytest
import yaml

from pipeline.adapters import Quarantined
from pipeline.adapters.identity import hide_names, load_pseudonyms
from pipeline.errors import InputError
from pipeline.preparing.quarantine import (
    listing_of,
    require_few_quarantined,
    reveal_quarantine,
    summarise,
    write_quarantine,
)
from tests.sources import make_dataset

LEFT_OUT = [
    Quarantined("a.dcm", "truncated", "export it again, whole"),
    Quarantined("b.dcm", "no label", "add a row"),
    Quarantined("c.dcm", "no label", "add a row"),
]


def test_the_list_names_file_reason_and_advice(tmp_path):
    write_quarantine(LEFT_OUT, tmp_path / "quarantine.csv")
    read = pd.read_csv(tmp_path / "quarantine.csv")
    assert read.columns.tolist() == ["file", "reason", "advice"]
    assert read.iloc[0].tolist() == ["a.dcm", "truncated", "export it again, whole"]


def test_an_empty_list_has_its_header(tmp_path):
    write_quarantine([], tmp_path / "quarantine.csv")
    assert (tmp_path / "quarantine.csv").read_text() == "file,reason,advice\n"


def test_the_summary_counts_by_reason_most_frequent_first():
    assert summarise(97, LEFT_OUT) == "97 cases read, 3 quarantined: 2 no label, 1 truncated"


def test_exactly_the_allowed_share_passes_and_one_more_does_not(tmp_path):
    dataset, listing = make_dataset(max_quarantined_share=0.03), tmp_path / "quarantine/small.csv"
    require_few_quarantined(97, LEFT_OUT, dataset, listing)  # 3 of 100
    assert not listing.exists()
    message = (
        r"3 of 99 quarantined: more than max_quarantined_share 0\.03 allows; "
        rf"first: a\.dcm: truncated \(export it again, whole\); all: {listing}"
    )
    with pytest.raises(InputError, match=message):
        require_few_quarantined(96, LEFT_OUT, dataset, listing)
    assert pd.read_csv(listing)["file"].tolist() == ["a.dcm", "b.dcm", "c.dcm"]
    require_few_quarantined(97, LEFT_OUT, dataset, listing)
    assert not listing.exists()


def test_a_series_weighs_as_much_as_its_files(tmp_path):
    dataset, listing = make_dataset(max_quarantined_share=0.05), tmp_path / "small.csv"
    scouts = [Quarantined(f"{n}.dcm", "geometry disagrees with the series", "") for n in range(6)]
    # Six volumes of 20 slices were read: 6 of 126 files, and not 6 of 12 cases.
    require_few_quarantined(120, scouts, dataset, listing)
    series = Quarantined("a.dcm (and 6 more of its series)", "no label", "add it", num_files=7)
    with pytest.raises(InputError, match="7 of 107 quarantined: more than"):
        require_few_quarantined(100, [series], dataset, listing)


def test_a_source_of_which_nothing_is_read_is_refused(tmp_path):
    dataset, listing = make_dataset(max_quarantined_share=1), tmp_path / "small.csv"
    with pytest.raises(InputError, match=r"3 of 3 quarantined: no case could be read; first: a"):
        require_few_quarantined(0, LEFT_OUT, dataset, listing)
    assert len(pd.read_csv(listing)) == 3
    with pytest.raises(InputError, match="0 of 0 quarantined: no case could be read$"):
        require_few_quarantined(0, [], dataset, listing)


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """A project whose data set `own` lies in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPELINE_IDENTITY_KEY", "a key for the tests")
    for name in ("Doe Jane/1.dcm", "Doe Jane/2.dcm"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    dataset = make_dataset(adapter="dicom", arguments={"folder": str(tmp_path / "in")})
    path = tmp_path / "configs/datasets/own.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(dataset.model_dump(exclude_none=True)))
    return tmp_path


def test_what_was_left_out_is_shown_by_its_real_path(own_folder):
    hidden = [hide_names(f"Doe Jane/{number}.dcm", load_pseudonyms()) for number in (1, 2)]
    left_out = [
        Quarantined(f"{hidden[0]} (and 3 more of its series)", "no label", "add it"),
        Quarantined(hidden[1], "truncated", "export it again"),
        Quarantined("row 7 of the labels", "no file for this row", "take it out"),
    ]
    listing = own_folder / "data/prepared/own/quarantine.csv"
    listing.parent.mkdir(parents=True)
    write_quarantine(left_out, listing)
    folder = own_folder / "in/Doe Jane"
    shown = [
        f"{folder / '1.dcm'} (and 3 more of its series): no label (add it)",
        f"{folder / '2.dcm'}: truncated (export it again)",
        "row 7 of the labels: no file for this row (take it out)",
    ]
    assert list(reveal_quarantine("own", own_folder)) == shown
    # What a later run was refused for is what matters now.
    refused = listing_of("own", own_folder)
    refused.parent.mkdir()
    write_quarantine(left_out[2:], refused)
    assert list(reveal_quarantine("own", own_folder)) == shown[2:]


def test_a_path_with_a_class_in_it_a_broken_link_and_one_in_the_advice_are_shown_too(own_folder):
    (own_folder / "in/ill").mkdir()
    (own_folder / "in/ill/Doe.png").touch()
    (own_folder / "in/gone").symlink_to("nowhere")
    pseudonyms = load_pseudonyms()
    picture = hide_names("ill/Doe.png", pseudonyms, {"ill"})
    link, twin = hide_names("gone", pseudonyms), hide_names("Doe Jane/2.dcm", pseudonyms)
    listing = own_folder / "data/prepared/own/quarantine.csv"
    listing.parent.mkdir(parents=True)
    advice = f"keep one copy: it has the bytes of {twin}"
    write_quarantine(
        [Quarantined(picture, "duplicate file", advice), Quarantined(link, "broken link", "mend")],
        listing,
    )
    folder = own_folder / "in"
    assert list(reveal_quarantine("own", own_folder)) == [
        f"{folder / 'ill/Doe.png'}: duplicate file (keep one copy: it has the bytes of "
        f"{folder / 'Doe Jane/2.dcm'})",
        f"{folder / 'gone'}: broken link (mend)",
    ]


def test_a_data_set_that_was_never_prepared_has_no_list(own_folder):
    with pytest.raises(InputError, match=r"quarantine\.csv: no such file: run prepare first"):
        list(reveal_quarantine("own", own_folder))


@pytest.mark.parametrize("content", [b"", b"file,reason\na,b\n", b"file,rea", b"\xff\xfe"])
def test_a_damaged_list_is_one_line_that_names_it(own_folder, content):
    listing = own_folder / "data/prepared/own/quarantine.csv"
    listing.parent.mkdir(parents=True)
    listing.write_bytes(content)
    with pytest.raises(InputError, match=r"quarantine\.csv: .* expected"):
        list(reveal_quarantine("own", own_folder))
