import numpy as np
import pandas as pd
import pytest

from pipeline.artifacts import (
    ForeignPredictions,
    Predictions,
    read_foreign,
    read_images,
    read_json,
    read_log_probabilities,
    read_predictions,
    read_prepared,
    write_foreign,
    write_log_probabilities,
    write_predictions,
)
from pipeline.errors import InputError
from tests.mutants import refusals


def some_predictions(n=7, classes=3, truth=True):
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(n, classes)).astype(np.float32)
    return Predictions(
        logits=logits,
        labels=generator.integers(classes, size=n),
        cases=np.array([f"case-{i}" for i in range(n)]),
        patients=np.array([f"patient-{i // 2}" for i in range(n)]),
        groups=pd.DataFrame({"site": ["north", "south"] * (n // 2) + ["north"]}),
        truth=np.full((n, classes), 1 / classes) if truth else None,
    )


@pytest.mark.parametrize("truth", [True, False])
def test_predictions_come_back_bit_for_bit(tmp_path, truth):
    written = some_predictions(truth=truth)
    write_predictions(written, tmp_path / "test.parquet")
    read = read_predictions(tmp_path / "test.parquet")
    assert read.logits.dtype == np.float32
    np.testing.assert_array_equal(read.logits, written.logits)
    np.testing.assert_array_equal(read.labels, written.labels)
    np.testing.assert_array_equal(read.cases, written.cases)
    np.testing.assert_array_equal(read.patients, written.patients)
    pd.testing.assert_frame_equal(read.groups, written.groups, check_dtype=False)
    if truth:
        np.testing.assert_array_equal(read.truth, written.truth)
    else:
        assert read.truth is None


def test_foreign_predictions_come_back_bit_for_bit_and_without_a_label(tmp_path):
    known = some_predictions()
    written = ForeignPredictions(known.logits, known.cases, known.patients)
    write_foreign(written, tmp_path / "seed-0.parquet")
    read = read_foreign(tmp_path / "seed-0.parquet")
    assert read.logits.dtype == np.float32
    for name in ("logits", "cases", "patients"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


def test_predictions_with_labels_are_not_taken_for_foreign_ones(tmp_path):
    write_predictions(some_predictions(), tmp_path / "test.parquet")
    with pytest.raises(InputError, match=r"test\.parquet: cases of no known class expected"):
        read_foreign(tmp_path / "test.parquet")


def test_foreign_predictions_are_one_finite_row_a_case():
    names = np.array(["a", "b"])
    with pytest.raises(InputError, match="one row a case expected, got logits 1, cases 2"):
        ForeignPredictions(np.zeros((1, 3)), names, names)
    with pytest.raises(InputError, match="logits must be finite, got NaN or infinity in 2 of 2"):
        ForeignPredictions(np.full((2, 3), np.nan), names, names)


def test_the_same_predictions_make_the_same_file(tmp_path):
    for name in ("one", "two"):
        write_predictions(some_predictions(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.array([0, 1, 2, 3, 0, 1, 2])}, r"labels must lie in \[0, 3\), got 0\.\.3"),
        ({"logits": np.full((7, 3), np.inf)}, r"logits must be finite, got NaN or infinity in 7"),
        ({"patients": np.array(["a"])}, r"one row a case expected, got .*patients 1"),
    ],
)
def test_predictions_refuse_what_is_not_one_finite_row_a_case(change, message):
    with pytest.raises(InputError, match=message):
        Predictions(**(vars(some_predictions()) | change))


def test_log_probabilities_keep_one_column_a_calibrator(tmp_path):
    values = {"identity": np.log([[0.25, 0.75]]), "ats": np.log([[0.5, 0.5]])}
    write_log_probabilities(values, tmp_path / "test.parquet")
    read = read_log_probabilities(tmp_path / "test.parquet")
    assert list(read) == ["identity", "ats"]
    np.testing.assert_array_equal(read["identity"], values["identity"])


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"test\.parquet: no such file"):
        read_predictions(tmp_path / "test.parquet")
    with pytest.raises(InputError, match=r"card\.json: no such file"):
        read_json(tmp_path / "card.json")
    with pytest.raises(InputError, match=r"card\.json is missing.*: run prepare first"):
        read_prepared(tmp_path)


def test_a_file_of_another_format_is_named(tmp_path):
    (tmp_path / "test.parquet").write_text("no parquet at all, though its name says so")
    with pytest.raises(InputError, match=r"test\.parquet: no Parquet file"):
        read_predictions(tmp_path / "test.parquet")


def test_images_that_are_damaged_are_mapped_or_refused_in_one_line(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, np.zeros((6, 2, 2, 1), np.uint8))
    told = refusals(read_images, path, path.read_bytes(), number=300)
    assert len(told) > 100
