import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import log_softmax, softmax

from pipeline.bring_your_own import Shown, logits_report, read_costs, read_shares, study_name
from pipeline.bring_your_own.cases import read_all, require_other_cases
from pipeline.bring_your_own.notes import WITHOUT_CALIBRATION, notes
from pipeline.bring_your_own.study import given_run, split_halves
from pipeline.errors import InputError
from pipeline.metrics import score
from tests.bring_your_own.tables import read_given

CLASSES = ["none", "benign", "malignant"]
SHOWN = Shown("Ours", critical=("malignant",), target=0.2, calibrators=("identity", "temperature"))


def simulated(num_patients, *, seed, first_patient=0):
    """Two images a patient; logits twice as sure as the probabilities that drew the labels."""
    generator = np.random.default_rng(seed)
    fair = generator.normal(scale=3.0, size=(2 * num_patients, 3))
    drawn = generator.random(len(fair))[:, None]
    labels = (softmax(fair, axis=1).cumsum(axis=1) < drawn).sum(axis=1)
    patients = first_patient + np.arange(len(fair)) // 2
    return pd.DataFrame(
        {f"logit_{name}": 2 * fair[:, number] for number, name in enumerate(CLASSES)}
        | {"label": np.array(CLASSES)[labels], "patient": [f"p{i}" for i in patients]}
        | {"site": np.where(patients % 2, "north", "south"), "age": 20 + patients % 60}
    )


@pytest.fixture
def csv(tmp_path):
    """Write a table as CSV and return its path."""

    def write(table, name="cases.csv"):
        table.to_csv(tmp_path / name, index=False)
        return tmp_path / name

    return write


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """The whole command in a process of its own, which may not have imported torch at its end."""
    root = tmp_path_factory.mktemp("own")
    simulated(300, seed=0).to_csv(root / "test.csv", index=False)
    simulated(400, seed=1, first_patient=1000).to_csv(root / "calibration.csv", index=False)
    program = (
        "import sys\n"
        "from pipeline import __main__ as command_line\n"
        "try:\n"
        "    command_line.main()\n"
        "except SystemExit as stopped:\n"
        "    assert not stopped.code, stopped.code\n"
        "found = {'torch', 'monai', 'pydicom', 'nibabel'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    arguments = ["logits-report", "test.csv", "--calibration", "calibration.csv", "--out", "out"]
    arguments += ["--groups", "site,age", "--critical", "malignant", "--target", "0.2"]
    arguments += ["--calibrators", "identity,temperature", "--title", "Ours"]
    arguments += ["--prevalence", "none=0.9,benign=0.08,malignant=0.02"]
    arguments += ["--costs", "malignant:none=20"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=root,
        env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return root / "out"


def test_a_report_is_written_without_torch_or_an_image_reader(reported):
    page = (reported / "index.html").read_text()
    assert "Ours" in page
    assert (reported / "experiments/test.html").is_file()
    assert (reported / "figures/test/exact_band.svg").is_file()
    assert (reported / "tables/test/comparison.csv").is_file()
    assert (reported / "metrics/test.json").is_file()


def test_the_numbers_are_those_of_the_logits(reported):
    table = pd.read_csv(reported / "scores/runs.csv").set_index("calibrator")
    given = simulated(300, seed=0)
    logits = given[[f"logit_{name}" for name in CLASSES]].to_numpy()
    labels = given["label"].map(CLASSES.index).to_numpy()
    expected = score(log_softmax(logits, axis=1), labels)
    for metric in ("accuracy", "nll", "ece", "aurc"):
        assert table.loc["identity", metric] == pytest.approx(expected[metric], rel=1e-12)


def test_the_calibrator_finds_how_much_too_sure_the_logits_are(reported):
    table = pd.read_csv(reported / "scores/calibrators.csv").set_index("calibrator")
    # Half of 800 cases tell the temperature, which is 2, to about 8 %.
    fitted = json.loads(table.loc["temperature", "parameters"])["temperature"]
    assert fitted == pytest.approx(2.0, rel=0.25)


def test_thresholds_come_from_the_other_half_of_the_patients(reported):
    points = pd.read_csv(reported / "scores/operating_points.csv")
    assert (points["num_threshold_patients"] == 200).all()
    assert (points["num_test"] == 300).all()
    assert 0.2 in set(points["target"])


def test_results_are_broken_down_by_the_named_columns_with_ages_in_bands(reported):
    groups = pd.read_csv(reported / "scores/groups.csv")
    assert set(groups["column"]) == {"site", "age_band"}
    assert set(groups[groups["column"] == "age_band"]["group"]) == {"18-39", "40-59", "60-79"}


def test_the_workload_is_told_at_the_stated_prevalence(reported):
    table = pd.read_csv(reported / "scores/workload.csv", keep_default_na=False)
    stated = table[(table["prevalence"] == "stated") & (table["policy"] == "model")]
    arriving = stated.set_index(["calibrator", "class"])["arriving"].astype(float)
    assert arriving.loc["temperature"].to_dict() == pytest.approx(
        {"": 1000, "none": 900, "benign": 80, "malignant": 20}
    )


def test_risk_is_told_as_the_stated_costs(reported):
    points = pd.read_csv(reported / "scores/cost_points.csv")
    assert (points["largest_cost"] == 20).all()
    assert (points["num_threshold_patients"] == 200).all()


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"prevalence": {"tumour": 1.0}}, r"test\.csv: the stated prevalence .*, got tumour"),
        ({"prevalence": {"none": 0.9}}, r"test\.csv: prevalence must sum to one, got 0\.9"),
        ({"costs": {"tumour": {"none": 2.0}}}, r"test\.csv: costs must be of .*, got tumour"),
    ],
)
def test_what_is_stated_of_no_class_leaves_nothing_behind(csv, tmp_path, stated, message):
    shown = replace(SHOWN, **stated)
    path = csv(simulated(20, seed=0), "test.csv")
    with pytest.raises(InputError, match=message):
        logits_report(path, tmp_path / "out", shown, calibration=None, groups=())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_shares, "benign", "CLASS=NUMBER,CLASS=NUMBER expected, got 'benign'"),
        (read_shares, "benign=", "CLASS=NUMBER,CLASS=NUMBER expected"),
        (read_shares, "benign=most", "a number expected, got 'most'"),
        (read_shares, "a=0.5,a=0.5", "one number a name expected, got two of 'a'"),
        (read_costs, "benign=2", "TRUE:ANSWERED=COST expected, got 'benign'"),
    ],
)
def test_what_is_not_stated_as_it_should_be_is_refused(read, text, message):
    with pytest.raises(InputError, match=message):
        read(text)


def test_nothing_stated_is_nothing():
    assert read_shares("") == {}
    assert read_costs("") == {}


def test_without_calibration_cases_no_threshold_has_a_guarantee(csv, tmp_path):
    path = csv(simulated(40, seed=0).drop(columns="patient"))
    logits_report(path, tmp_path / "out", SHOWN, calibration=None, groups=())
    points = pd.read_csv(tmp_path / "out/scores/operating_points.csv")
    assert (points["status"] == "too_few").all()
    assert set(points["calibrator"]) == {"identity"}
    notes = json.loads((tmp_path / "out/scores/experiment.json").read_text())["dataset"]["notes"]
    assert notes[0] == WITHOUT_CALIBRATION
    assert "names no patients" in notes[1]
    assert WITHOUT_CALIBRATION in (tmp_path / "out/index.html").read_text()
    page = (tmp_path / "out/experiments/cases.html").read_text()
    assert "No separate cases were given" in page
    assert "there were 0" not in page
    assert "trained with given" not in page


def test_probabilities_are_reported_as_the_logits_they_come_from(csv, tmp_path):
    table = simulated(40, seed=0)
    logits = table[[f"logit_{name}" for name in CLASSES]].to_numpy()
    columns = {
        f"probability_{name}": softmax(logits, axis=1)[:, k] for k, name in enumerate(CLASSES)
    }
    given = {"logits": table, "probabilities": table[["label", "patient"]].assign(**columns)}
    runs = {}
    for kind, cases in given.items():
        path = csv(cases, f"{kind}.csv")
        logits_report(path, tmp_path / kind, SHOWN, calibration=None, groups=())
        runs[kind] = pd.read_csv(tmp_path / kind / "scores/runs.csv")
    # Seventeen digits of a probability tell its logarithm to about 1e-15.
    pd.testing.assert_frame_equal(runs["probabilities"], runs["logits"], rtol=1e-9, atol=1e-12)


def test_a_folder_that_holds_something_is_left_as_it_is(csv, tmp_path):
    path = csv(simulated(20, seed=0))
    with pytest.raises(InputError, match="a new or empty folder expected"):
        logits_report(path, tmp_path, SHOWN, calibration=None, groups=())
    assert path.is_file()


def test_an_unknown_critical_class_leaves_nothing_behind(csv, tmp_path):
    shown = Shown("Ours", critical=("tumour",), target=0.05, calibrators=("identity",))
    with pytest.raises(InputError, match="critical classes must be among none, .*, got tumour"):
        logits_report(
            csv(simulated(20, seed=0)), tmp_path / "out", shown, calibration=None, groups=()
        )
    assert not (tmp_path / "out").exists()


def test_a_target_outside_zero_and_one_is_refused(csv, tmp_path):
    shown = Shown("Ours", critical=(), target=5.0, calibrators=("identity",))
    with pytest.raises(InputError, match=r"target must lie in \(0, 1\), got 5"):
        logits_report(tmp_path / "x.csv", tmp_path / "out", shown, calibration=None, groups=())


def test_csv_parquet_and_npz_say_the_same(csv, tmp_path):
    table = simulated(10, seed=0)
    from_csv = read_given(csv(table), ["site"])
    table.to_parquet(tmp_path / "cases.parquet")
    from_parquet = read_given(tmp_path / "cases.parquet", ["site"])
    np.savez(
        tmp_path / "cases.npz",
        logits=table[[f"logit_{name}" for name in CLASSES]].to_numpy(),
        labels=table["label"].map(CLASSES.index).to_numpy(),
        patients=table["patient"].to_numpy(dtype=str),
        site=table["site"].to_numpy(dtype=str),
        classes=np.array(CLASSES),
    )
    from_npz = read_given(tmp_path / "cases.npz", ["site"])
    for other in (from_parquet, from_npz):
        assert other.classes == tuple(CLASSES)
        np.testing.assert_array_equal(other.predictions.logits, from_csv.predictions.logits)
        np.testing.assert_array_equal(other.predictions.labels, from_csv.predictions.labels)
        np.testing.assert_array_equal(other.predictions.patients, from_csv.predictions.patients)
        pd.testing.assert_frame_equal(other.predictions.groups, from_csv.predictions.groups)


def test_a_predictions_file_of_this_project_is_read_with_its_groups(tmp_path):
    logits = 2 * np.eye(3, dtype=np.float32)
    columns = {
        "case": ["a", "b", "c"],
        "patient": ["p", "p", "q"],
        "label": pa.array([0, 1, 2], pa.int32()),
        "logits": pa.FixedSizeListArray.from_arrays(pa.array(logits.reshape(-1)), 3),
        "group_site": ["north", "north", "south"],
    }
    pq.write_table(pa.table(columns), tmp_path / "test.parquet")
    given = read_given(tmp_path / "test.parquet")
    np.testing.assert_array_equal(given.predictions.logits, logits)
    assert given.predictions.groups["site"].tolist() == ["north", "north", "south"]
    assert given.classes == ("0", "1", "2")


def test_probabilities_are_read_as_their_logarithms_and_zeros_are_counted(csv):
    table = pd.DataFrame(
        {"probability_a": [0.75, 1.0], "probability_b": [0.25, 0.0], "label": ["a", "b"]}
    )
    given = read_given(csv(table))
    assert given.outputs.kind == "probabilities"
    assert given.outputs.num_zeros == 1
    np.testing.assert_allclose(softmax(given.predictions.logits, axis=1)[0], [0.75, 0.25])
    assert np.isfinite(given.predictions.logits).all()


def test_labels_are_names_of_classes_before_they_are_numbers(csv):
    table = pd.DataFrame({"logit_2": [2.0, 0.0], "logit_1": [0.0, 1.0], "label": [1, 2]})
    assert read_given(csv(table)).predictions.labels.tolist() == [1, 0]
    assert read_given(csv(table.assign(label=[0, 1]))).predictions.labels.tolist() == [0, 1]


GOOD = pd.DataFrame(
    {"logit_a": [1.0, 0.0, 2.0], "logit_b": [0.0, 1.0, 0.5], "label": ["a", "b", "a"]}
)
PROBABILITIES = pd.DataFrame(
    {"probability_a": [0.6, 0.5], "probability_b": [0.4, 0.5], "label": ["a", "b"]}
)
REFUSED = {
    "no label": (
        GOOD.drop(columns="label"),
        "column 'label' expected, got 2 others: is the header",
    ),
    "no class columns": (
        GOOD.rename(columns={"logit_a": "a", "logit_b": "b"}),
        "columns logit_CLASS or probability_CLASS .* expected, got 3 others: is the header missing",
    ),
    "both kinds": (GOOD.assign(probability_a=1.0), "expected, got both"),
    "one class column": (
        GOOD.drop(columns="logit_b"),
        "logits of two classes or more expected, got 'logit_a' alone: give a sigmoid's output",
    ),
    "NaN": (
        GOOD.assign(logit_b=[0.0, np.nan, 0.5]),
        "column 'logit_b': finite numbers expected, .* in 1 of 3 rows, first row 2",
    ),
    "infinity": (GOOD.assign(logit_a=[np.inf, 0.0, 1.0]), "column 'logit_a': finite numbers"),
    "text for a number": (
        GOOD.assign(logit_a=["1", "high", "2"]),
        "column 'logit_a': numbers expected, got something else in 1 of 3 rows, first row 2",
    ),
    "label out of range": (
        GOOD.assign(label=[0, 1, 2]),
        r"column 'label': labels must lie in \[0, 2\) or be one of .* in 1 of 3 rows, first",
    ),
    "negative label": (
        GOOD.assign(label=[0, 1, -1]),
        r"labels must lie in \[0, 2\) or be one of the classes a, b, got others in 1 of 3 rows",
    ),
    "label of no class": (
        GOOD.assign(label=["a", "b", "c"]),
        "column 'label': one of the classes a, b or a number from 0 expected, .* row 3",
    ),
    "missing label": (
        GOOD.assign(label=["a", "", "b"]),
        "column 'label': a value in every row expected, got none in 1 of 3 rows, first row 2",
    ),
    "single class": (
        GOOD.assign(label="a"),
        "column 'label': cases of two classes or more expected, got 'a' alone",
    ),
    "missing patient": (GOOD.assign(patient=["p", None, "q"]), "column 'patient': a value in"),
    "case twice": (
        GOOD.assign(case=["x", "y", "x"]),
        "column 'case': every case once expected, got one again in 1 of 3 rows, first row 3",
    ),
    "rows that do not sum to one": (
        PROBABILITIES.assign(probability_b=[0.4, 0.7]),
        r"must sum to one within 0\.001, got 1\.2 in 1 of 2 rows, first row 2 below the header",
    ),
    "negative probability": (
        PROBABILITIES.assign(probability_a=[1.2, 0.5], probability_b=[-0.2, 0.5]),
        r"probabilities must lie in \[0, 1\], got others in 1 of 2 rows, first row 1",
    ),
    "no rows": (GOOD.iloc[:0], "at least one case expected, got none"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_faulty_file_is_named_with_its_column(csv, fault):
    table, message = REFUSED[fault]
    with pytest.raises(InputError, match=rf"cases\.csv: .*{message}") as refused:
        read_given(csv(table))
    assert "\n" not in str(refused.value)


def test_an_absent_group_column_is_named(csv):
    with pytest.raises(InputError, match=r"cases\.csv: column 'site' expected, got 3 others"):
        read_given(csv(GOOD), ["site"])


def test_a_pickle_in_an_npz_is_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    labels = np.array([Trap(), Trap()], dtype=object)
    np.savez(tmp_path / "cases.npz", logits=np.eye(2), labels=labels)
    with pytest.raises(InputError, match=r"cases\.npz: array 'labels': .* a pickle"):
        read_given(tmp_path / "cases.npz")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x80\x04K\x01."])
@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_a_file_that_is_not_what_its_ending_says_is_refused(tmp_path, ending, content):
    path = tmp_path / f"cases.{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"cases\.{ending}: no (npz|Parquet) file"):
        read_given(path)


def test_arrays_of_different_lengths_are_refused(tmp_path):
    np.savez(tmp_path / "cases.npz", logits=2 * np.eye(2), labels=np.array([0, 1, 1]))
    with pytest.raises(InputError, match=r"cases\.npz: one row a case expected, got logits 2, "):
        read_given(tmp_path / "cases.npz")


@pytest.mark.parametrize(
    ("name", "message"),
    [("cases.txt", "a file ending in .csv, .parquet, .npz expected"), ("no.csv", "no such file")],
)
def test_what_is_no_table_is_refused(tmp_path, name, message):
    (tmp_path / "cases.txt").write_text("label")
    with pytest.raises(InputError, match=message):
        read_given(tmp_path / name)


def test_a_patient_in_both_files_is_refused(csv):
    first = read_given(csv(GOOD.assign(patient=["p", "q", "r"]), "first.csv"))
    second = read_given(csv(GOOD.assign(patient=["s", "t", "q"]), "second.csv"))
    with pytest.raises(
        InputError, match=r"second\.csv: other patients .*, got some .* first row 3"
    ):
        require_other_cases(first, second)


def test_files_of_other_classes_are_refused(csv):
    renamed = GOOD.rename(columns={"logit_b": "logit_c"}).assign(label=[0, 1, 0])
    paths = [csv(GOOD, "first.csv"), csv(renamed, "second.csv")]
    with pytest.raises(InputError, match=r"second\.csv: the classes of .* \(a, b\), got a, c"):
        read_all(paths)


def test_halves_share_no_patient_and_do_not_depend_on_the_order_of_cases(csv):
    table = simulated(101, seed=2)
    first, second = split_halves(read_given(csv(table)).predictions)
    assert not set(first.patients) & set(second.patients)
    assert (len(set(first.patients)), len(set(second.patients))) == (50, 51)
    again, _ = split_halves(read_given(csv(table.iloc[::-1])).predictions)
    assert set(again.patients) == set(first.patients)


def test_a_single_patient_cannot_be_halved(csv):
    with pytest.raises(InputError, match="at least two patients expected, got 1"):
        split_halves(read_given(csv(GOOD.assign(patient="p"))).predictions)


def test_an_unknown_calibrator_is_refused(csv):
    given = read_given(csv(GOOD))
    shown = Shown("Ours", critical=(), target=0.05, calibrators=("magic",))
    with pytest.raises(InputError, match="calibrator magic: .*temperature"):
        given_run(given, given.predictions, given.predictions, shown)


@pytest.mark.parametrize(
    ("file", "name"), [("My results (2).csv", "My-results-2"), ("..csv", "given")]
)
def test_a_study_is_named_after_its_file(file, name):
    assert study_name(Path(file)) == name


@pytest.fixture(scope="module")
def without_patients(tmp_path_factory):
    """A report on files of which neither names patients, with what was told on the way."""
    root = tmp_path_factory.mktemp("nameless")
    for name, (num_patients, seed) in {"test": (150, 3), "held_out": (400, 4)}.items():
        table = simulated(num_patients, seed=seed).drop(columns="patient")
        table.to_csv(root / f"{name}.csv", index=False)
    told = []
    logits_report(
        root / "test.csv",
        root / "out",
        replace(SHOWN, target=0.3),
        calibration=root / "held_out.csv",
        groups=("site",),
        tell=told.append,
    )
    return (root / "out/experiments/test.html").read_text(), told


def test_beside_the_guarantee_stands_what_could_not_be_checked(without_patients):
    page, told = without_patients
    unchecked = "Not checked, as test.csv and held_out.csv name no patients: that no patient is in"
    guarantee = page.index("it promises nothing for other sites")
    assert page.index(unchecked, guarantee) - guarantee < 200
    assert any(line.startswith(unchecked) for line in told)


def test_sites_of_a_named_column_are_on_the_data_card(without_patients):
    page, _ = without_patients
    assert "Images by site: north 150, south 150." in page
    assert "Sites and scanners: not recorded" not in page


def test_each_long_step_is_told_before_it_is_taken(without_patients):
    _, told = without_patients
    steps = ("reading test.csv and held_out.csv", "fitting", "computing the table", "writing")
    places = [next(i for i, line in enumerate(told) if line.startswith(step)) for step in steps]
    assert places == sorted(places)


def test_where_every_patient_is_named_nothing_is_said_to_be_unchecked(reported):
    assert "Not checked" not in (reported / "experiments/test.html").read_text()


def test_the_same_cases_are_refused_before_anything_is_written(csv, tmp_path):
    table = simulated(30, seed=0).drop(columns="patient")
    shuffled = table.sample(frac=1, random_state=0)
    with pytest.raises(InputError, match=r"held_out\.csv: .* very same logits in 60 of 60 rows"):
        logits_report(
            csv(table, "test.csv"),
            tmp_path / "out",
            SHOWN,
            calibration=csv(shuffled, "held_out.csv"),
            groups=(),
        )
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_ours_is_refused_before_the_file_is_read(tmp_path):
    with pytest.raises(InputError, match=r"a folder expected that is named without '\.\.'"):
        logits_report(
            tmp_path / "none.csv", tmp_path / ".." / "out", SHOWN, calibration=None, groups=()
        )


def test_what_a_calibrator_cannot_be_fitted_to_is_said_of_the_calibration_file(tmp_path, csv):
    two = simulated(2, seed=1, first_patient=900).iloc[[0, 2]]
    few = csv(two.assign(label=["none", "benign"]), "few.csv")
    with pytest.raises(InputError, match=r"few\.csv: calibrator temperature: at least 2 .* got 1"):
        logits_report(csv(simulated(9, seed=0)), tmp_path / "o", SHOWN, calibration=few, groups=[])


def test_how_a_file_was_read_is_said_in_a_line_each(tmp_path):
    table = simulated(40, seed=0)
    logits = table[[f"logit_{name}" for name in CLASSES]].to_numpy()
    rounded = softmax(logits, axis=1).round(3)
    columns = {f"probability_{name}": rounded[:, k] for k, name in enumerate(CLASSES)}
    cases = table[["label", "patient"]].assign(**columns, label=table["label"].str.upper())
    cases.to_csv(tmp_path / "cases.csv", index=False, sep=";")
    num_rescaled = (np.abs(rounded.sum(axis=1) - 1) > 1e-6).sum()
    assert notes([read_given(tmp_path / "cases.csv")]) == [
        WITHOUT_CALIBRATION,
        "The cells of cases.csv are parted by semicolons.",
        "Rows of cases.csv whose probabilities sum to 1 only within 0.0015, and were "
        f"divided by their sum: {num_rescaled}.",
        "Probabilities of exactly 0 in cases.csv, read as the smallest positive number: "
        f"{(rounded == 0).sum()}.",
        "Labels of cases.csv that were read without regard to spaces, decimals or the case of "
        "letters: 80.",
    ]
