import weakref

import nibabel as nib
import numpy as np
import pytest
import torch
from pydicom.uid import (
    BasicTextSRStorage,
    CTImageStorage,
    RTDoseStorage,
    SecondaryCaptureImageStorage,
)

from pipeline.adapters import Case, phantom
from pipeline.adapters.phantom.study import StudyArguments
from pipeline.config import read_dataset
from pipeline.errors import InputError
from pipeline.metrics.patient_units import whole_patients
from pipeline.metrics.top_label import top_label
from pipeline.preparing.collecting import case_fault
from tests.dicom_files import uid, write_image
from tests.made_releases import make_release
from tests.predicting.releases import CALIBRATOR, PSEUDONYMS, make_classifier, make_predictor
from tests.projects import ROOT
from tests.sources import encode

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 10), np.uint8)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def write(folder, name, pixels=None, *, study="one", patient="one", **elements):
    """A DICOM image whose pixels no other has, of a study and a patient by their words."""
    if pixels is None:
        pixels = np.random.default_rng(len(name) * 1000 + sum(map(ord, name)))
        pixels = pixels.integers(0, 256, (12, 10), np.uint8)
    stated = {"StudyInstanceUID": uid("study", study), "PatientID": patient}
    write_image(folder / name, pixels, name=name, **stated | elements)
    return folder / name


def decide(folder, release=None, *inputs, **options):
    return make_predictor(folder, release, **options).decide(list(inputs) or [folder])


def predict(folder, release=None):
    """Return decisions, and what became of each file by its name."""
    from pipeline.predicting.inputs import find_files

    scratch = folder.parent / "scratch"
    scratch.mkdir()
    predicted = make_predictor(folder, release).predict(find_files([folder], scratch))
    fates = {each.file.path.name: each.fate for each in predicted.fates}
    return predicted.decisions, fates


def test_the_same_patients_are_answered_with_the_same_logits_as_evaluate_s(tmp_path):
    """The study's prepared images through network, calibrator and patients' units, as evaluate."""
    stated = read_dataset(ROOT / "configs", "phantom")
    dataset = stated.model_copy(update={"arguments": {"num_patients": 60}})
    phantom.acquire(tmp_path, dataset)
    cases = [each for each in phantom.read(tmp_path, dataset) if isinstance(each, Case)]
    images = np.stack([each.image for each in cases])
    logits = make_classifier()(torch.from_numpy(images)).numpy()
    top = top_label(CALIBRATOR(logits), np.zeros(len(cases), int))
    units = whole_patients(
        top.confidence, np.zeros(len(cases)), np.array([each.patient for each in cases])
    )
    threshold = float(np.median(units.confidence))
    reading = phantom.reading_arguments(StudyArguments()).model_dump(mode="json")
    release = make_release(
        image_size=[32, 32], preprocessing__arguments=reading, rule__threshold=threshold
    )
    decisions = decide(tmp_path / "images", release)
    found = {each.patient: each for each in decisions}
    assert len(found) == len(decisions) == len(units.patients) == 60
    # The study's own key is public, this place's is not: patients are matched by their IDs.
    for number in range(60):
        theirs = np.flatnonzero(units.patients == phantom._PUBLIC("patient", f"SIM-{number:04}"))
        ours = found[PSEUDONYMS("patient", f"SIM-{number:04}")]
        confidence = float(units.confidence[theirs[0]])
        # Batches of other shapes and layouts of memory change the last bits of float32.
        assert ours.confidence == pytest.approx(confidence, abs=1e-6)
        assert (ours.outcome == "answered") == (confidence >= threshold)
    assert {each.outcome for each in decisions} == {"answered", "referred"}


def test_images_of_a_study_are_decided_together_and_studies_apart(folder):
    write(folder, "1.dcm")
    write(folder, "2.dcm")
    write(folder, "3.dcm", study="two")
    write(folder, "4.dcm", study="three", patient="other")
    decisions = decide(folder)
    assert sorted(each.num_images for each in decisions) == [1, 1, 2]
    assert len({each.patient for each in decisions}) == 2
    assert len({each.study for each in decisions}) == 3


def test_a_decision_names_nobody(folder):
    write(folder, "Doe_Jane.dcm", patient="4711-SECRET", PatientName="Doe^Jane")
    write(folder, "Doe_John.dcm", patient="4712-SECRET")
    (folder / "Doe_John.dcm").write_bytes((folder / "Doe_John.dcm").read_bytes()[:-9])
    told = repr(decide(folder))
    assert not any(word in told for word in ("Doe", "SECRET", "1.2.826"))


def test_batches_of_any_number_of_images_give_the_same_decisions(folder, monkeypatch):
    for number in range(7):
        write(folder, f"{number}.dcm", study=f"{number}", patient=f"{number}")
    together = decide(folder)
    monkeypatch.setattr("pipeline.predicting.predictor.VALUES_AT_ONCE", 2 * 8 * 8)
    apart = decide(folder)
    for one, other in zip(together, apart, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=1e-6)
        assert (one.patient, one.outcome) == (other.patient, other.outcome)


def test_memory_holds_a_batch_of_images_however_many_there_are(folder, monkeypatch):
    for number in range(40):
        write(folder, f"{number}.dcm", study=f"{number}", patient=f"{number}")
    alive, most = set(), []

    def watched(case, seen):
        number = len(seen)
        alive.add(number)
        weakref.finalize(case.image, alive.discard, number)
        most.append(len(alive))
        return case_fault(case, seen)

    monkeypatch.setattr("pipeline.predicting.predictor.case_fault", watched)
    monkeypatch.setattr("pipeline.predicting.predictor.VALUES_AT_ONCE", 4 * 8 * 8)
    assert len(decide(folder)) == 40
    # A batch of 4 that waits, and the last one until the next is full.
    assert max(most) <= 2 * 4


def test_every_file_is_part_of_one_decision_or_listed_as_what_it_is(folder):
    write(folder, "image.dcm")
    (folder / "twin.dcm").write_bytes((folder / "image.dcm").read_bytes())
    write(folder, "report.dcm", SOPClassUID=BasicTextSRStorage, Rows=None, Columns=None)
    write(folder, "dose.dcm", SOPClassUID=RTDoseStorage)
    write(folder, "scout.dcm", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    (folder / "notes.txt").write_text("no image")
    decisions, fates = predict(folder)
    assert fates == {
        "image.dcm": "read",
        "twin.dcm": "copy of another",
        "report.dcm": "no image",
        "dose.dcm": "no image of the patient",
        "scout.dcm": "image type left out",
        "notes.txt": "no DICOM file",
    }
    (decision,) = decisions
    assert (decision.outcome, decision.num_images) == ("answered", 1)


@pytest.mark.parametrize("name", ["a.dcm", "A", "1.2.840.10008.1.2"])
def test_a_file_that_should_have_been_an_image_is_referred(folder, name):
    (folder / name).write_bytes(b"nothing of the kind")
    (decision,) = decide(folder)
    assert (decision.reason, decision.detail) == (
        "unreadable",
        "One of its files cannot be used: no DICOM file.",
    )


def test_an_image_without_its_size_is_no_report(folder):
    write(folder, "a.dcm", Rows=None, SOPClassUID=CTImageStorage)
    (decision,) = decide(folder)
    assert (decision.reason, decision.num_images) == ("unreadable", 0)


def test_what_a_maker_keeps_beside_the_images_is_no_image(folder):
    write(folder, "a.dcm")
    write(folder, "private.dcm", SOPClassUID="1.3.12.2.1107.5.9.1", Rows=None, Columns=None)
    (decision,) = decide(folder)
    assert decision.outcome == "answered"


def test_two_images_of_one_identifier_refer_their_study(folder):
    write(folder, "a.dcm", SOPInstanceUID="1.2.3")
    write(folder, "b.dcm", SOPInstanceUID="1.2.3")
    (decision,) = decide(folder)
    assert decision.detail == "One of its files cannot be used: duplicate SOP instance UID."


def test_other_modalities_beside_the_release_s_are_listed_and_alone_referred(folder):
    write(folder, "mr.dcm", Modality="MR")
    write(folder, "ct.dcm", Modality="CT")
    write(folder, "alone.dcm", Modality="DOE JANE", study="two")
    decisions, fates = predict(folder, make_release(modality="MR"))
    by_reason = {each.reason: each for each in decisions}
    assert by_reason[""].num_images == 1
    told = "the modality is another or none, the release reads MR"
    assert by_reason["outside limits"].detail == f"{told}."
    assert fates["ct.dcm"] == "the modality is CT, the release reads MR"


def test_refuses_where_all_is_of_another_modality(folder):
    write(folder, "ct.dcm", Modality="CT")
    with pytest.raises(InputError, match="can decide upon: the modality is CT, the release reads"):
        decide(folder, make_release(modality="MR"))


def test_refuses_planes_for_a_release_that_reads_volumes(folder):
    write(folder, "a.dcm")
    release = make_release(image_size=[8, 8, 8], preprocessing__arguments={"case": "series"})
    with pytest.raises(InputError, match="a single slice, the release reads volumes"):
        decide(folder, release)


@pytest.mark.parametrize("shape", [(9, 9), (9, 9, 1), (1, 9, 9)])
def test_a_nifti_file_of_one_slice_is_no_volume(folder, shape):
    for name, size in {"a.nii": shape, "b.nii": (9, 9, 9)}.items():
        volume = np.random.default_rng(0).integers(0, 99, size, np.int16)
        nib.save(nib.Nifti1Image(volume, np.eye(4)), folder / name)
    release = make_release(preprocessing__reader="nifti", image_size=[8, 8, 8])
    decisions, fates = predict(folder, release)
    assert sorted(each.reason for each in decisions) == ["", "missing image"]
    assert fates["a.nii"] == "a single slice, the release reads volumes"
    (folder / "b.nii").unlink()
    with pytest.raises(InputError, match="decide upon: a single slice, the release reads volumes"):
        decide(folder, release)
    plane = make_release(preprocessing__reader="nifti", image_size=[8, 8])
    assert [each.num_images for each in decide(folder, plane)] == [1]


def slices(folder, numbers, study="one"):
    for number in numbers:
        write(
            folder, f"{study}-{number}.dcm", study=study, patient=study,
            SeriesInstanceUID=uid("series", study), ImagePositionPatient=[0, 0, number],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[1, 1],
        )  # fmt: skip


def test_a_series_that_lacks_a_slice_is_referred_and_the_next_one_answered(folder):
    slices(folder, range(6))
    slices(folder, [0, 1, 2, 4, 5], study="two")
    slices(folder, range(6), study="three")
    (folder / "three-3.dcm").write_bytes((folder / "three-3.dcm").read_bytes()[:-40])
    release = make_release(image_size=[8, 8, 8], preprocessing__arguments={"case": "series"})
    decisions, fates = predict(folder, release)
    assert sorted(each.reason for each in decisions) == ["", "missing image", "unreadable"]
    assert fates["two-4.dcm"] == "slices missing or unevenly spaced"
    assert fates["three-0.dcm"] == "pixel data cannot be decoded"


def test_nifti_volumes_and_pictures_are_a_patient_each(folder):
    for name in ("a.nii", "b.nii.gz"):
        volume = np.random.default_rng(len(name)).integers(0, 99, (9, 9, 9), np.int16)
        nib.save(nib.Nifti1Image(volume, np.eye(4)), folder / name)
    (folder / "a.png").write_bytes(encode(PIXELS))
    (folder / "b.png").write_bytes(encode(PIXELS))
    (folder / "c.png").write_bytes(b"no picture")
    volumes = make_release(preprocessing__reader="nifti", image_size=[8, 8, 8])
    assert [each.outcome for each in decide(folder, volumes)] == ["answered"] * 2
    pictures = decide(folder, make_release(preprocessing__reader="picture"))
    assert sorted(each.reason for each in pictures) == ["", "", "unreadable"]


@pytest.mark.parametrize("reader", ["dicom", "nifti", "picture"])
@pytest.mark.parametrize("content", [None, b"text"])
def test_refuses_a_folder_without_an_image(folder, reader, content):
    if content:
        (folder / "notes.txt").write_bytes(content)
    size = [8, 8, 8] if reader == "nifti" else [8, 8]
    with pytest.raises(InputError, match=f"no image to decide upon: .* none is a {reader} image"):
        decide(folder, make_release(preprocessing__reader=reader, image_size=size))


def test_refuses_a_release_whose_images_had_another_type(folder):
    (folder / "a.png").write_bytes(encode(PIXELS))
    release = make_release(preprocessing__reader="picture", preprocessing__dtype="float32")
    with pytest.raises(InputError, match="images of type float32, got uint8"):
        decide(folder, release)


def test_an_image_whose_values_overflow_the_network_is_referred_alone(folder):
    reading = {"dtype": "float32", "window": "none"}
    release = make_release(preprocessing__arguments=reading, preprocessing__dtype="float32")
    huge = np.full((12, 10), 2**15, np.uint16)
    write(folder, "a.dcm", huge, RescaleSlope=1e33, patient="a", study="a")
    write(folder, "b.dcm", patient="b", study="b")
    decisions = decide(folder, release)
    assert sorted(each.reason for each in decisions) == ["", "unreadable"]


def test_the_files_of_a_decision_are_told(folder):
    write(folder, "a.dcm")
    write(folder, "b.dcm", SOPClassUID=SecondaryCaptureImageStorage)
    write(folder, "c.dcm", study="two", patient="two")
    found = make_predictor(folder).decide_with_sources([folder])
    names = {tuple(path.name for path in sources) for _, sources in found}
    assert names == {("a.dcm", "b.dcm"), ("c.dcm",)}
