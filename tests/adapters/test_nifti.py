import gzip
import logging

import nibabel as nib
import numpy as np
import pytest

from pipeline.adapters import nifti
from pipeline.adapters.case import Case, Quarantined
from pipeline.config import read_dataset
from pipeline.config.reading import check_config
from pipeline.errors import InputError
from tests.dicom_files import revealed, write_table
from tests.projects import ROOT
from tests.sources import make_dataset, mirrored

VOLUME = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
PHYSICAL = {"dtype": "int16", "window": "none"}
COLUMNS = ("key", "label", "who")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Work in a folder of its own, where the identity key is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_IDENTITY_KEY", raising=False)
    (tmp_path / "in").mkdir()
    return tmp_path


def save(path, volume=VOLUME, affine=None, **header):
    image = nib.Nifti1Image(volume, np.eye(4) if affine is None else affine)
    for name, value in header.items():
        image.header[name] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return path


def config(folder, table, size=VOLUME.shape, labels=None, **arguments):
    stated = {"key": "file", "key_column": "key", "patient_column": "who"}
    stated = stated | {"table": str(table)} | (labels or {})
    arguments = {"folder": str(folder), "labels": stated} | arguments
    return make_dataset(adapter="nifti", image_size=list(size), arguments=arguments)


def read(project, *, rows=None, folder=None, **changes):
    """Acquire and read the folder; all its files are ill and P1's unless rows say otherwise."""
    folder = folder or project / "in"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.nii*"))
    rows = [(name, "ill", "P1") for name in names] if rows is None else rows
    dataset = config(folder, write_table(project / "labels.csv", rows, COLUMNS), **changes)
    raw = project / "raw"
    raw.mkdir(exist_ok=True)
    nifti.acquire(raw, dataset)
    found = list(nifti.read(raw, dataset))
    cases = [each for each in found if isinstance(each, Case)]
    return cases, [each for each in found if isinstance(each, Quarantined)]


def only_case(project, **changes):
    cases, out = read(project, **changes)
    assert out == []
    assert len(cases) == 1
    return cases[0]


def only_reason(project, **changes):
    cases, out = read(project, **changes)
    assert cases == []
    assert len(out) == 1
    return out[0].reason


@pytest.mark.parametrize("name", ["a.nii", "deep/er/a.nii.gz"])
def test_reads_volumes_plain_or_compressed(project, name):
    save(project / "in" / name)
    case = only_case(project, **PHYSICAL)
    np.testing.assert_array_equal(case.image[..., 0], VOLUME)
    assert (case.label, revealed(case.source), case.spacing_mm) == (1, name, (1, 1, 1))


def test_axes_are_turned_to_right_front_and_up(project):
    # Stored as (front to back, feet to head, right to left).
    affine = np.array([[0, 0, -3.0, 0], [-1.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 0, 1]])
    save(project / "in/a.nii", affine=affine)
    case = only_case(project, size=(6, 4, 5), **PHYSICAL)
    expected = VOLUME.transpose(2, 0, 1)[::-1, ::-1]
    np.testing.assert_array_equal(case.image[..., 0], expected)
    assert case.spacing_mm == (3, 1, 2)


def test_big_and_little_endian_are_the_same(project):
    save(project / "in/a.nii")
    swapped = nib.Nifti1Image(VOLUME, np.eye(4)).header.as_byteswapped(">")
    nib.save(nib.Nifti1Image(VOLUME.astype(">i2"), None, swapped), project / "in/b.nii")
    assert (project / "in/b.nii").read_bytes()[:4] == b"\x00\x00\x01\x5c"
    (first, second), _ = read(project, **PHYSICAL)
    np.testing.assert_array_equal(first.image, second.image)


def test_stored_values_are_scaled(project):
    path = save(project / "in/a.nii")
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([2, -100], "<f4").tobytes()  # the header's slope and intercept
    path.write_bytes(content)
    np.testing.assert_array_equal(only_case(project, **PHYSICAL).image[..., 0], VOLUME * 2 - 100)


def test_a_volume_of_several_is_chosen(project):
    save(project / "in/a.nii", np.stack([VOLUME, VOLUME + 1000], axis=-1))
    assert only_reason(project) == "several volumes"
    np.testing.assert_array_equal(
        only_case(project, volume=1, **PHYSICAL).image[..., 0], VOLUME + 1000
    )
    assert only_reason(project, volume=2) == "volume not in the file"


def test_a_single_volume_needs_no_choice(project):
    save(project / "in/a.nii", VOLUME[..., None])
    assert only_case(project, **PHYSICAL).image.shape == (*VOLUME.shape, 1)


@pytest.mark.parametrize(("which", "expected"), [("middle", 3), (0, 0), (5, 5)])
def test_an_axial_slice_shows_the_front_up_and_the_right_on_the_left(project, which, expected):
    save(project / "in/a.nii", affine=np.diag([2.0, 3.0, 4.0, 1.0]))
    case = only_case(project, size=(5, 4), slice=which, **PHYSICAL)
    np.testing.assert_array_equal(case.image[..., 0], VOLUME[::-1, ::-1, expected].T)
    assert case.spacing_mm == (3, 2)


def test_a_slice_that_a_volume_lacks_is_quarantined(project):
    save(project / "in/a.nii")
    assert only_reason(project, size=(5, 4), slice=6) == "slice not in the volume"


def test_a_volume_is_resampled_to_a_spacing(project):
    ramp = np.broadcast_to(np.arange(6, dtype=np.int16) * 10, (4, 4, 6))
    save(project / "in/a.nii", ramp, affine=np.diag([1.0, 1.0, 2.0, 1.0]))
    case = only_case(project, size=(4, 4, 11), spacing_mm=[1, 1, 1], **PHYSICAL)
    np.testing.assert_allclose(case.image[1, 1, :, 0], np.arange(11) * 5, atol=1)
    assert case.spacing_mm == (1, 1, 1)


def test_a_percentile_window_is_the_default(project):
    save(project / "in/a.nii")
    case = only_case(project)
    assert case.image.dtype == np.uint8
    assert (case.image.min(), case.image.max()) == (0, 255)


def test_the_table_says_who_it_is_and_leaves_no_trace_of_it(project, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    header = {"descrip": b"PLANTED text", "aux_file": b"PLANTED aux", "db_name": b"PLANTED name"}
    save(project / "in/PLANTED-1/a.nii", **header)
    save(project / "in/PLANTED-2/b.nii", VOLUME + 1)
    (project / "in/PLANTED-2/b.nii").write_bytes(b"PLANTED" * 100)
    odd = save(project / "in/PLANTED-2/odd.nii", VOLUME + 2)
    content = bytearray(odd.read_bytes())
    content[344:347] = b"JD1"  # where the library looks for the format's name, and quotes it
    odd.write_bytes(content)
    rows = [("PLANTED-1/a.nii", "ill", "PLANTED-1"), ("PLANTED-2/b.nii", "ill", "PLANTED-2")]
    cases, out = read(project, rows=rows)
    assert (len(cases), [each.reason for each in out]) == (1, ["no NIfTI file"] * 2)
    told = [repr(vars(each)) for each in [*cases, *out]]
    told += [caplog.text, *capfd.readouterr()]
    told += [path.read_bytes().decode("latin-1") for path in (project / "raw").iterdir()]
    assert not any("PLANTED" in text or "JD1" in text for text in told)


def test_what_cannot_be_read_is_listed_with_its_reason(project):
    folder = project / "in"
    save(folder / "copy.nii")
    save(folder / "good.nii")
    save(folder / "nolabel.nii", VOLUME + 1)
    save(folder / "nobody.nii", VOLUME + 2)
    save(folder / "what.nii", VOLUME + 3)
    save(folder / "nan.nii", np.full((2, 2, 2), np.nan, np.float32))
    save(folder / "complex.nii", np.ones((2, 2, 2), np.complex64))
    flat = save(folder / "flat.nii", VOLUME + 4)
    content = bytearray(flat.read_bytes())
    content[280:296] = bytes(16)  # the first row of the header's sform
    flat.write_bytes(content)
    cut = save(folder / "cut.nii", VOLUME + 5)
    cut.write_bytes(cut.read_bytes()[:-10])
    noise = np.random.default_rng(0).integers(0, 4096, (32, 32, 32), dtype=np.int16)
    cut = save(folder / "cut.nii.gz", noise)
    cut.write_bytes(cut.read_bytes()[:-20])
    (folder / "text.nii").write_text("no volume at all, " * 40)
    (folder / "text.nii.gz").write_text("nor a gzip file")
    (folder / "sidecar.json").write_text("{}")
    names = {path.name for path in folder.glob("*.nii*")} - {
        "nolabel.nii",
        "nobody.nii",
        "what.nii",
    }
    rows = [(name, "ill", "P1") for name in sorted(names)]
    rows += [("nobody.nii", "ill", ""), ("what.nii", "unclear", "P1")]
    cases, out = read(project, rows=rows)
    assert [revealed(each.source) for each in cases] == ["copy.nii"]
    assert {revealed(each.source, folder): each.reason for each in out} == {
        "good.nii": "duplicate file",
        "nolabel.nii": "no label",
        "nobody.nii": "no patient",
        "what.nii": "label outside the classes",
        "nan.nii": "voxels are not finite",
        "complex.nii": "voxels are no numbers",
        "flat.nii": "no usable orientation",
        "cut.nii": "voxels cannot be read",
        "cut.nii.gz": "voxels cannot be read",
        "text.nii": "no NIfTI file",
        "text.nii.gz": "no NIfTI file",
    }
    assert all(each.advice for each in out)


@pytest.mark.parametrize(("allowed", "expected"), [(False, ["row 3 of the labels"]), (True, [])])
def test_a_row_without_a_volume_is_listed_unless_the_table_is_of_more(project, allowed, expected):
    save(project / "in/a.nii")
    rows = [("a.nii", "ill", "P1"), ("gone.nii", "ill", "P2")]
    cases, out = read(project, rows=rows, labels={"allow_rows_without_files": allowed})
    assert len(cases) == 1
    assert [each.source for each in out] == expected
    assert all(each.reason == "no file for this row" for each in out)


def test_a_compressed_bomb_is_refused_by_its_header(project):
    path = save(project / "in/a.nii")
    header = bytearray(path.read_bytes()[:352])
    header[40:56] = np.array([3, 30000, 30000, 30000, 1, 1, 1, 1], "<i2").tobytes()
    path.unlink()
    with gzip.open(project / "in/a.nii.gz", "wb") as file:
        file.write(bytes(header) + bytes(2**20))
    assert only_reason(project) == "too large"


@pytest.mark.parametrize(
    ("code", "unit_mm"), [(0, 1), (1, 1000), (2, 1), (3, 0.001), (2 + 8, 1), (1 + 16, 1000)]
)
@pytest.mark.parametrize("size", [VOLUME.shape, (5, 4)])
def test_lengths_are_brought_to_millimetres(project, code, unit_mm, size):
    """Codes of 8 and more say in what time is counted (nifti1.h, xyzt_units)."""
    affine = np.diag([2 / unit_mm, 3 / unit_mm, 4 / unit_mm, 1])
    save(project / "in/a.nii", affine=affine, xyzt_units=code)
    expected = (2, 3, 4) if len(size) == 3 else (3, 2)
    assert only_case(project, size=size).spacing_mm == pytest.approx(expected)


def test_a_spacing_is_of_millimetres_whatever_the_unit(project):
    for number, (code, unit_mm) in enumerate([(2, 1), (1, 1000), (3, 0.001)]):
        affine = np.diag([1 / unit_mm, 1 / unit_mm, 2 / unit_mm, 1])
        save(project / f"in/{number}.nii", VOLUME, affine, xyzt_units=code)
    cases, out = read(project, size=(4, 5, 11), spacing_mm=[1, 1, 1], **PHYSICAL)
    assert out == []
    assert cases[0].image.std() > 1
    for each in cases[1:]:
        np.testing.assert_allclose(each.image, cases[0].image, atol=1)


@pytest.mark.parametrize("code", [4, 7])
def test_a_unit_that_there_is_not_is_refused(project, code):
    save(project / "in/a.nii", xyzt_units=code)
    assert only_reason(project) == "unusable xyzt_units"


@pytest.mark.parametrize("edge_mm", [1e-9, 1e9])
def test_voxels_of_no_size_that_there_is_are_refused(project, edge_mm):
    """A nanometre's thousandth would be recorded as a spacing of zero, and end the run."""
    save(project / "in/a.nii", affine=np.diag([1, 1, edge_mm, 1]))
    assert only_reason(project) == "unusable voxel size"


def test_a_spacing_that_images_of_two_axes_are_not_given_is_refused(project):
    save(project / "in/a.nii")
    with pytest.raises(InputError, match="'spacing_mm' needs an 'image_size' of three axes"):
        read(project, size=(5, 4), spacing_mm=[1, 1, 1])


def test_what_resampling_would_make_is_within_the_limit_too(project):
    """A metre a voxel, read as millimetres would be none the wiser: 4 x 5 x 6 m at 1 mm."""
    save(project / "in/a.nii", affine=np.diag([1.0, 1, 1, 1]), xyzt_units=1)
    assert only_reason(project, spacing_mm=[1, 1, 1]) == "too large"
    assert only_case(project, spacing_mm=[1000, 1000, 1000]).spacing_mm == (1000, 1000, 1000)


def test_a_volume_smaller_than_a_voxel_is_refused(project):
    save(project / "in/a.nii", affine=np.diag([1e-3, 1e-3, 1e-3, 1]))
    assert only_reason(project, spacing_mm=[1, 1, 1]) == "too small for the spacing"


def patched(path, position, values, kind):
    content = bytearray(path.read_bytes())
    patch = np.array(values, kind).tobytes()
    content[position : position + len(patch)] = patch
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("scale", "reason"),
    [
        ((np.inf, 0), "unusable scl_slope"),
        ((np.nan, -1024), "unusable scl_slope"),
        ((2, np.inf), None),
        ((2, np.nan), None),
    ],
)
def test_a_scale_that_cannot_be_used_is_refused(project, scale, reason):
    patched(save(project / "in/a.nii"), 112, scale, "<f4")
    # The library itself finds no NIfTI file in some.
    assert only_reason(project) == (reason or "no NIfTI file")


@pytest.mark.parametrize("scale", [(0, -1024), (np.nan, np.nan), (1, 0)])
def test_a_slope_of_zero_or_nan_says_that_there_is_none(project, scale):
    patched(save(project / "in/a.nii"), 112, scale, "<f4")
    np.testing.assert_array_equal(only_case(project, **PHYSICAL).image[..., 0], VOLUME)


@pytest.mark.parametrize(
    "affine",
    [
        [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]],
        [[1, 2, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0]],
        [[1, 1, 0, 0], [1, 1 + 1e-6, 0, 0], [0, 0, 1, 0]],
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, np.inf, 0]],
    ],
)
@pytest.mark.parametrize("size", [VOLUME.shape, (5, 4)])
def test_axes_that_lie_in_a_plane_are_no_orientation(project, affine, size):
    path = patched(save(project / "in/a.nii"), 280, affine, "<f4")
    patched(path, 252, [0, 1], "<i2")  # no quaternion, but this matrix
    assert only_reason(project, size=size) == "no usable orientation"


@pytest.mark.parametrize("shape", [(8, 8, 0), (0, 8, 8)])
def test_a_volume_without_voxels_is_refused(project, shape):
    patched(save(project / "in/a.nii"), 40, [3, *shape, 1, 1, 1, 1], "<i2")
    assert only_reason(project) == "unusable number of voxels"


def test_an_empty_volume_in_few_bytes_is_not_unfolded(project):
    """640 x 640 x 640 zeros in 2 MB took a minute and 4 GB, and were a case."""
    header = save(project / "in/a.nii", np.zeros((2, 2, 2))).read_bytes()[:352]
    (project / "in/a.nii").unlink()
    with gzip.open(project / "in/a.nii.gz", "wb", compresslevel=9) as file:
        file.write(header[:40] + np.array([3, 160, 160, 160, 1, 1, 1, 1], "<i2").tobytes())
        file.write(header[56:] + bytes(160**3 * 8))
    assert (project / "in/a.nii.gz").stat().st_size < 40_000
    assert only_reason(project) == "compressed too far to hold an image"


@pytest.mark.parametrize("length", [2**31 - 16, -16, 0])
def test_a_header_that_claims_gigabytes_is_not_read(project, length):
    path = save(project / "in/a.nii")
    content = path.read_bytes()
    claim = np.array([1], "<i4").tobytes() + np.array([length, 4], "<i4").tobytes() + bytes(20)
    path.write_bytes(content[:348] + claim + content[352:])
    patched(path, 108, [380], "<f4")  # where the voxels begin
    assert only_reason(project) == "no NIfTI file"
    patched(save(path), 108, [1e9], "<f4")
    assert only_reason(project) == "no NIfTI file"


def test_a_header_with_extensions_is_read(project):
    image = nib.Nifti1Image(VOLUME, np.eye(4))
    for number in range(3):
        text = f"note {number}".encode()
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", text))
    nib.save(image, project / "in/a.nii.gz")
    np.testing.assert_array_equal(only_case(project, **PHYSICAL).image[..., 0], VOLUME)


def test_two_workers_read_what_one_reads(project):
    for number in range(3):
        save(project / f"in/{number}.nii", VOLUME * number)
    alone, _ = read(project, size=(5, 4), workers=1)
    together, _ = read(project, size=(5, 4), workers=2)
    np.testing.assert_array_equal([each.image for each in alone], [each.image for each in together])


def test_real_volumes_are_read_or_listed(project):
    folder = mirrored("nifti/CT_AVM.nii.gz").parent
    cases, out = read(project, folder=folder, size=(24, 24, 24), spacing_mm=[8, 8, 8])
    assert {revealed(each.source, folder): each.reason for each in out} == {
        "not-nifti.nii": "no NIfTI file",
        "5D_small.nii": "several volumes",
    }
    images = {revealed(each.source, folder): each.image for each in cases}
    assert len(images) == 8
    # The same volume, big- and little-endian, three-dimensional and with a fourth axis of one.
    np.testing.assert_array_equal(images["big.nii.gz"], images["little.nii.gz"])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"labels": {"patient_column": None}}, "NIfTI names no patient"),
        ({"labels": {"key": "patient"}}, "NIfTI names no patient"),
        ({"window": "tag"}, "a NIfTI file states no window"),
        ({"slices": 3}, "unknown key 'slices'"),
        ({"spacing_mm": [1, 0, 1]}, "spacing_mm.1"),
        ({"spacing_mm": [1, 1, -1]}, "spacing_mm.2"),
    ],
)
def test_refuses_a_config_that_it_cannot_follow(project, changes, match):
    table = write_table(project / "labels.csv", [], COLUMNS)
    with pytest.raises(InputError, match=match):
        nifti.acquire(project, config(project / "in", table, **changes))


def test_the_example_config_is_one_that_the_reader_takes():
    example = read_dataset(ROOT / "configs", "example_nifti")
    assert check_config(example.arguments, nifti.NiftiArguments, place="example").volume is None
