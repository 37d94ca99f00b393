import numpy as np
import pytest

from tests.dicom_files import folder_dataset, read_folder, write_image, write_table

RAMP = np.arange(16, dtype=np.uint16).reshape(4, 4)


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    """Work in a folder of its own, where the identity key is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_IDENTITY_KEY", raising=False)


def one_image(tmp_path, pixels=RAMP, *, arguments=None, dataset=None, **elements):
    """The only case of a folder with one file."""
    write_image(tmp_path / "in/a.dcm", pixels, **elements)
    table = write_table(tmp_path / "labels.csv", [("a.dcm", "ill")])
    config = folder_dataset(tmp_path / "in", table, dataset=dataset, **(arguments or {}))
    cases, quarantined = read_folder(tmp_path / "raw", config)
    assert quarantined == []
    return cases[0]


def test_a_window_in_the_header_runs_from_black_to_white(tmp_path):
    # LINEAR: from 8 - 0.5 - (9 - 1) / 2 = 3.5 to 11.5, so value 5 is (5 - 3.5) / 8 of 255.
    case = one_image(tmp_path, WindowCenter=8, WindowWidth=9)
    assert case.image[0, 0, 0] == 0
    assert case.image[1, 1, 0] == round((5 - 3.5) / 8 * 255)
    assert case.image[3, 3, 0] == 255
