import errno
import hashlib
import json
import re
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from pipeline import __main__ as command_line
from pipeline import verifying
from pipeline.artifacts import (
    Predictions,
    read_json,
    read_predictions,
    write_json,
    write_predictions,
)
from pipeline.cases import COLUMNS, read_cases, write_cases
from pipeline.config.plan import (
    DatasetRow,
    ExperimentRow,
    Plan,
    StudyRow,
    read_plan,
    write_plan,
)
from pipeline.errors import InputError
from pipeline.evaluation import BOOTSTRAP
from pipeline.hashes import HASHES, write_hashes
from pipeline.preparing.card import cases_fingerprint
from pipeline.provenance import array_sha256, fingerprint
from pipeline.stages import calibrate, evaluate, overview, report
from pipeline.verifying import Difference, describe, studies_not_here, verify
from pipeline.verifying.data import (
    logits_differences,
    prepared_differences,
    recorded_differences,
)
from pipeline.verifying.differences import compare_files, compare_folders, same_text

CLASSES = ["healthy", "ill"]
PLAN = "configs/plan.yaml"
SPLITS = {"calibration": 60, "threshold": 60, "test": 60}
LOGITS = "data/logits/tiny/hand"
RUN = f"{LOGITS}/ce/seed-0"
ROW = ExperimentRow(
    study="tiny",
    experiment="hand",
    dataset="hand",
    network="none",
    recipe="none",
    losses=["ce"],
    seeds=[0],
    calibrators=["identity", "temperature"],
    baseline="ce",
    headline_loss="ce",
    headline_calibrator="temperature",
    risk_targets=[0.2],
    headline_target=0.2,
    delta=0.05,
    partners={},
    shifted="data/logits/tiny/hand",
)


def write_plan_and_configs(root):
    dataset = DatasetRow(dataset="hand", base="hand", made_from="hand", labelled_by="hand")
    plan = Plan(
        datasets={"hand": dataset},
        shifts={},
        experiments={"tiny-hand": ROW},
        studies={"tiny": StudyRow(study="tiny", title="Tiny", experiments=["hand"])},
    )
    (root / "configs/calibrators").mkdir(parents=True)
    write_plan(plan, root / PLAN)
    for kind in ROW.calibrators:
        (root / f"configs/calibrators/{kind}.yaml").write_text(f"kind: {kind}\n")


def make_cases(images, truth, labels):
    """Two images a patient."""
    rows = []
    place = iter(range(len(images)))
    for split, num_patients in SPLITS.items():
        for patient in np.repeat(np.arange(num_patients), 2):
            i = next(place)
            rows.append(
                {"case": f"c{i:03}", "patient": f"{split}-{patient}", "group": f"g{i}"}
                | {"site": "north" if patient % 2 else "south", "sex": "F", "age": 50.0}
                | {"label": labels[i], "split": split, "source": "x.png"}
                | {"source_sha256": hashlib.sha256(str(i).encode()).hexdigest()}
                | {"pixel_sha256": hashlib.sha256(images[i].tobytes()).hexdigest()}
                | {"spacing": [1.0, 1.0], "truth": truth[i].tolist()}
            )
    cases = pd.DataFrame(rows)[COLUMNS.names]
    return cases.astype({"label": "int32"})


def write_prepared(root, images, cases):
    folder = root / "data/prepared/hand"
    folder.mkdir(parents=True)
    np.save(folder / "images.npy", images)
    write_cases(cases, folder / "cases.parquet")
    by_split = cases.groupby("split")
    card = {
        "title": "By hand", "classes": CLASSES, "critical_classes": ["ill"], "long_tail": None,
        "reuse": {}, "image_size": [2, 2], "channels": 1, "licence": "none", "citation": "none",
        "show_images": True, "simulated": True, "notes": [],
        "counts": {
            split: {name: int((part["label"] == k).sum()) for k, name in enumerate(CLASSES)}
            for split, part in by_split
        },
        "patients": {split: int(part["patient"].nunique()) for split, part in by_split},
        "fingerprint": cases_fingerprint(cases),
    }  # fmt: skip
    write_json(card, folder / "card.json")
    write_hashes(folder)
    return card


def write_run(root, cases, logits, card):
    hashes = {}
    for split in SPLITS:
        part = cases[cases["split"] == split]
        predictions = Predictions(
            logits=logits[part.index],
            labels=part["label"].to_numpy(),
            cases=part["case"].to_numpy(dtype=str),
            patients=part["patient"].to_numpy(dtype=str),
            groups=part[["site"]].reset_index(drop=True),
        )
        write_predictions(predictions, root / RUN / f"{split}.parquet")
        hashes[split] = array_sha256(predictions.logits)
    record = {
        "revision": "0" * 40, "dirty": False, "config_hash": "0" * 64, "versions": {},
        "data_fingerprint": card["fingerprint"], "device": "cpu", "processor": {},
        "wall_seconds": 1.0, "classes": card["classes"],
        "logits_sha256": fingerprint(hashes), "logits_sha256_by_split": hashes,
    }  # fmt: skip
    write_json(record, root / RUN / "run.json")
    pd.DataFrame({"epoch": [1], "train_loss": [0.5]}).to_csv(root / RUN / "history.csv")
    write_hashes(root / LOGITS)


@pytest.fixture(scope="module", autouse=True)
def _few_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BOOTSTRAP, "num_resamples", 10)
        yield


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A project of one run, with everything that the stages make of its logits; not to be
    changed."""
    root = tmp_path_factory.mktemp("written")
    generator = np.random.default_rng(0)
    num_cases = 2 * sum(SPLITS.values())
    fair = generator.normal(scale=3.0, size=(num_cases, 2))
    truth = softmax(fair, axis=1)
    labels = (generator.random(num_cases) < truth[:, 1]).astype(int)
    images = generator.integers(0, 256, size=(num_cases, 2, 2, 1), dtype=np.uint8)
    cases = make_cases(images, truth, labels)
    write_plan_and_configs(root)
    card = write_prepared(root, images, cases)
    write_run(root, cases, (2 * fair).astype(np.float32), card)
    calibrate.run("tiny-hand", root=root)
    evaluate.run("tiny-hand", root=root)
    report.run("tiny", root=root)
    return root


@pytest.fixture
def project(written, tmp_path):
    """A copy that a test may change."""
    shutil.copytree(written, tmp_path / "project")
    return tmp_path / "project"


def change_digit(path, column, *, row=0):
    """Change the last digit of one cell of a CSV file; return what stood there and what does."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    stored = table.loc[row, column]
    changed = stored[:-1] + str((int(stored[-1]) + 1) % 10)
    table.loc[row, column] = changed
    table.to_csv(path, index=False)
    return stored, changed


def change_logit(path, *, case=3, by=0.5):
    predictions = read_predictions(path)
    logits = predictions.logits.copy()
    logits[case, 1] += by
    write_predictions(Predictions(**(vars(predictions) | {"logits": logits})), path)


def test_what_the_stages_wrote_comes_out_again(written):
    before = {path: path.stat().st_mtime_ns for path in written.rglob("*")}
    assert list(verify(["tiny"], root=written, tolerance=0.0)) == []
    assert {path: path.stat().st_mtime_ns for path in written.rglob("*")} == before


def test_a_full_disk_of_temporary_files_is_no_difference(written, monkeypatch):
    def fill_up(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipeline.stages.calibrate.write_log_probabilities", fill_up)
    with pytest.raises(InputError, match=r"where results are computed again: no space left"):
        list(verify(["tiny"], root=written, tolerance=0.0))


def test_what_another_commit_evaluated_comes_out_again(project):
    scores = project / "data/scores/tiny/hand"
    provenance = read_json(scores / "provenance.json")
    provenance["evaluated_by"] |= {"revision": "1" * 40, "dirty": True}
    write_json(provenance, scores / "provenance.json")
    write_hashes(scores)
    report.run("tiny", root=project)
    assert list(verify(["tiny"], root=project, tolerance=0.0)) == []


def test_pictures_that_may_be_shown_come_out_again_too(written):
    gallery = pd.read_csv(written / "data/scores/tiny/hand/gallery.csv")
    assert set(gallery["kind"]) == {"confident_error", "referred"}
    assert (written / "reports/tiny/experiments/hand-gallery.html").is_file()


def test_planted_changes_are_all_named(project):
    table = "reports/tiny/tables/hand/comparison.csv"
    stored, changed = change_digit(project / table, "mean", row=2)
    metrics = read_json(project / "reports/tiny/metrics/hand.json")
    write_json(metrics | {"ece": 0.125}, project / "reports/tiny/metrics/hand.json")
    scores = "data/scores/tiny/hand/summary.csv"
    change_digit(project / scores, "mean", row=4)
    page = project / "reports/tiny/index.html"
    page.write_text(page.read_text().replace("Tiny", "Tony", 1))
    found = {each.path: each for each in verify([], root=project, tolerance=0.0)}
    assert found[table].stored == changed
    assert found[table].recomputed == stored
    assert found[table].place.startswith("row 3 (loss ce, calibrator identity, metric ")
    assert found[table].place.endswith(": mean")
    number = found["reports/tiny/metrics/hand.json"]
    assert (number.place, number.stored) == ("key ece", "0.125")
    assert float(number.recomputed) == metrics["ece"]
    assert found[scores].place.startswith("row 5 (")
    assert "Tony" in found["reports/tiny/index.html"].stored
    assert set(found) == {table, scores, number.path, "reports/tiny/index.html"}


def test_one_digit_of_a_page_is_found_and_shown_with_what_stands_around_it(project):
    page = project / "reports/tiny/experiments/hand.html"
    html = page.read_text()
    number = re.search(r">(\d+\.\d)(\d)<", html)
    changed = f">{number[1]}{(int(number[2]) + 1) % 10}<"
    page.write_text(html[: number.start()] + changed + html[number.end() :])
    (found,) = verify(["tiny"], root=project, tolerance=0.0)
    assert found.path == "reports/tiny/experiments/hand.html"
    assert changed in found.stored
    assert number[0] in found.recomputed


def test_the_front_page_is_compared_where_there_is_one(project):
    overview.run(root=project)
    assert list(verify([], root=project, tolerance=0.0)) == []
    page = project / "reports/index.html"
    page.write_text(page.read_text().replace("By hand", "By head", 1))
    (found,) = verify([], root=project, tolerance=0.0)
    assert found.path == "reports/index.html"
    assert "By head" in found.stored


def places(found, path):
    return [each.place for each in found if each.path == path]


def test_one_changed_logit_is_named_by_its_file_and_nothing_is_computed_from_it(project):
    change_logit(project / RUN / "test.parquet", case=3)
    *found, last = verify(["tiny"], root=project, tolerance=0.0)
    assert {each.path for each in found} == {f"{RUN}/test.parquet", f"{RUN}/run.json"}
    hashes = [f"sha256 ({HASHES})", "sha256 of the logits (run.json)"]
    assert places(found, f"{RUN}/test.parquet") == hashes
    assert (last.path, last.stored) == ("reports/tiny", "a report")
    assert last.recomputed.startswith(f"nothing ({RUN}/test.parquet is not as it was written: ")


def test_a_logit_that_was_hashed_anew_is_named_and_so_is_all_that_follows(project):
    change_logit(project / RUN / "test.parquet", case=3)
    write_hashes(project / LOGITS)
    found = list(verify(["tiny"], root=project, tolerance=0.0))
    assert places(found, f"{RUN}/test.parquet") == ["sha256 of the logits (run.json)"]
    applied = "data/probabilities/tiny/hand/ce/seed-0/test.parquet"
    rows = {each.place.rsplit(", ", 1)[0] for each in found if each.path == applied}
    assert rows == {"column identity, row 4", "column temperature, row 4"}
    assert any(each.path == "data/scores/tiny/hand/runs.csv" for each in found)
    assert any(each.path == "reports/tiny/metrics/hand.json" for each in found)


def test_a_changed_logit_does_not_hide_behind_a_changed_record(project):
    change_logit(project / RUN / "threshold.parquet")
    record = read_json(project / RUN / "run.json")
    logits = read_predictions(project / RUN / "threshold.parquet").logits
    record["logits_sha256_by_split"]["threshold"] = array_sha256(logits)
    write_json(record, project / RUN / "run.json")
    (found,) = logits_differences(project, ROW)
    assert (found.path, found.place) == (f"{RUN}/run.json", "logits_sha256")


DAMAGES = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "a flipped bit": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "of another kind": lambda content: b"\xff\x00 nothing that anybody wrote",
    "an empty object": lambda content: b"{}",
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "path",
    [
        "data/prepared/hand/images.npy",
        "data/prepared/hand/cases.parquet",
        "data/prepared/hand/card.json",
        f"data/prepared/hand/{HASHES}",
        f"{RUN}/run.json",
        f"{RUN}/test.parquet",
        f"{RUN}/history.csv",
        f"{LOGITS}/{HASHES}",
    ],
)
def test_a_damaged_file_is_a_difference_that_names_it_and_no_end(project, path, damage):
    file = project / path
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    found = list(verify(["tiny"], root=project, tolerance=0.0))
    assert any(path.removesuffix("hand/SHA256SUMS") in str(each) for each in found)
    assert found[-1].path == "reports/tiny"
    assert str(project) not in " ".join(str(each) for each in found)


def test_a_class_that_was_renamed_is_a_difference_though_it_was_hashed_anew(project):
    card = project / "data/prepared/hand/card.json"
    content = read_json(card)
    write_json(content | {"classes": ["healthy", "sick"]}, card)
    write_hashes(card.parent)
    found = list(verify(["tiny"], root=project, tolerance=0.0))
    assert (found[0].path, found[0].place) == (
        f"{RUN}/run.json",
        "classes (the prepared data's card.json)",
    )
    assert found[0].stored == "healthy, ill"


@pytest.mark.parametrize("name", ["data/probabilities", "data/scores", "reports"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_result_is_a_difference_that_names_it(written, tmp_path, name, damage):
    stored = tmp_path / "stored"
    shutil.copytree(written / name, stored)
    names = {each.relative_to(stored).as_posix() for each in stored.rglob("*") if each.is_file()}
    for each in names:
        (stored / each).write_bytes(DAMAGES[damage]((stored / each).read_bytes()))
    found = compare_folders(stored, written / name, name="x", tolerance=0.0)
    compared = {each for each in names if not each.endswith(HASHES)}
    assert {each.path.removeprefix("x/") for each in found} == compared


def test_the_project_as_written_has_no_difference_in_its_data(written):
    assert list(prepared_differences(written, "hand")) == []
    assert list(logits_differences(written, ROW)) == []


def test_a_changed_pixel_is_named_by_its_case(project):
    images = np.load(project / "data/prepared/hand/images.npy")
    images[7, 0, 1] += 1
    np.save(project / "data/prepared/hand/images.npy", images)
    (found,) = prepared_differences(project, "hand")
    assert found.path == "data/prepared/hand/images.npy"
    assert found.place == "pixels of case c007 (cases.parquet)"


def test_a_changed_label_is_found_in_the_table_and_in_every_run(project):
    path = project / "data/prepared/hand/cases.parquet"
    cases = read_cases(path)
    row = cases.index[cases["split"] == "test"][0]
    cases.loc[row, "label"] = 1 - cases.loc[row, "label"]
    write_cases(cases, path)
    (table,) = prepared_differences(project, "hand")
    assert (table.path, table.place) == (
        "data/prepared/hand/cases.parquet",
        "fingerprint (card.json)",
    )
    (run,) = logits_differences(project, ROW)
    assert run.place == f"case {cases.loc[row, 'case']}: label"
    assert run.recomputed == str(cases.loc[row, "label"])


def test_logits_of_other_data_are_found(project):
    record = read_json(project / RUN / "run.json")
    write_json(record | {"data_fingerprint": "f" * 64}, project / RUN / "run.json")
    (found,) = logits_differences(project, ROW)
    assert found.stored == "f" * 64


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def recorded(project):
    """The project with raw data, `dvc.lock` and the listing that DVC's cache holds of them."""
    folder = project / "data/raw/hand"
    folder.mkdir(parents=True)
    contents = {"a.dcm": b"one", "b.dcm": b"two"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    listing = [{"md5": md5(content), "relpath": name} for name, content in contents.items()]
    text = json.dumps(listing, sort_keys=True).encode()
    cached = project / ".dvc/cache/files/md5" / md5(text)[:2] / f"{md5(text)[2:]}.dir"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(text)
    out = {"path": "data/raw/hand", "hash": "md5", "md5": f"{md5(text)}.dir"}
    stages = {"data@hand": {"outs": [out]}, "data@other": {"outs": [{"path": "gone"}]}}
    write_json({"schema": "2.0", "stages": stages}, project / "dvc.lock")
    return project


def test_data_that_dvc_recorded_are_held_against_the_record(recorded):
    assert list(recorded_differences(recorded, read_plan(recorded / PLAN), "tiny")) == []


def test_a_changed_and_an_added_raw_file_are_named(recorded):
    (recorded / "data/raw/hand/b.dcm").write_bytes(b"tow")
    (recorded / "data/raw/hand/c.dcm").write_bytes(b"new")
    found = list(recorded_differences(recorded, read_plan(recorded / PLAN), "tiny"))
    assert found == [
        Difference("data/raw/hand/b.dcm", "md5 (dvc.lock, data@hand)", md5(b"two"), md5(b"tow")),
        Difference("data/raw/hand/c.dcm", "md5 (dvc.lock, data@hand)", "no such file", md5(b"new")),
    ]


def test_a_folder_that_lost_all_of_its_files_is_compared_too(recorded):
    for name in ("a.dcm", "b.dcm"):
        (recorded / "data/raw/hand" / name).unlink()
    found = list(recorded_differences(recorded, read_plan(recorded / PLAN), "tiny"))
    assert [each.recomputed for each in found] == ["no such file"] * 2


def test_training_is_one_stage_an_experiment(project):
    out = {"path": "data/logits/tiny/hand", "hash": "md5", "md5": "0" * 32}
    write_json({"stages": {"train@tiny-hand": {"outs": [out]}}}, project / "dvc.lock")
    (found,) = recorded_differences(project, read_plan(project / PLAN), "tiny")
    assert (found.path, found.place) == ("data/logits/tiny/hand", "md5 (dvc.lock, train@tiny-hand)")


def test_without_the_cache_the_folder_is_named(recorded):
    shutil.rmtree(recorded / ".dvc")
    (recorded / "data/raw/hand/b.dcm").write_bytes(b"tow")
    (found,) = recorded_differences(recorded, read_plan(recorded / PLAN), "tiny")
    assert found.path == "data/raw/hand"


def test_a_raw_file_that_is_gone_is_named_but_raw_data_need_not_be_here(recorded):
    (recorded / "data/raw/hand/a.dcm").unlink()
    (found,) = recorded_differences(recorded, read_plan(recorded / PLAN), "tiny")
    assert (found.path, found.recomputed) == ("data/raw/hand/a.dcm", "no such file")
    shutil.rmtree(recorded / "data/raw/hand")
    assert list(recorded_differences(recorded, read_plan(recorded / PLAN), "tiny")) == []


@pytest.mark.parametrize(
    "path",
    ["reports/tiny", RUN, "data/probabilities/tiny/hand", "data/scores/tiny/hand/provenance.json"],
)
def test_what_is_missing_is_named_before_anything_is_computed(project, path):
    target = project / path
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    with pytest.raises(InputError, match=path):
        verify(["tiny"], root=project, tolerance=0.0)


def test_a_study_whose_logits_are_not_here_is_passed_over_unless_it_is_named(project):
    row = ROW.model_copy(update={"study": "far"})
    plan = read_plan(project / PLAN)
    far = StudyRow(study="far", title="Far", experiments=["hand"])
    write_plan(
        plan.model_copy(
            update={
                "experiments": plan.experiments | {"far-hand": row},
                "studies": plan.studies | {"far": far},
            }
        ),
        project / PLAN,
    )
    assert studies_not_here(project) == ["far"]
    assert list(verify([], root=project, tolerance=0.0)) == []
    with pytest.raises(InputError, match=r"reports/far: no such file: dvc repro report@far"):
        verify(["far"], root=project, tolerance=0.0)


def test_a_study_outside_the_plan_is_refused(written):
    with pytest.raises(InputError, match="no row 'absent'; it has: tiny"):
        verify(["absent"], root=written, tolerance=0.0)


def pair(folder, name, stored, recomputed):
    for side, content in {"stored": stored, "recomputed": recomputed}.items():
        (folder / side).mkdir(exist_ok=True)
        (folder / side / name).write_text(content)
    return folder / "stored" / name, folder / "recomputed" / name


def test_a_file_that_only_one_side_has_is_named(tmp_path):
    pair(tmp_path, "same.csv", "a\n1\n", "a\n1\n")
    (tmp_path / "stored/old.csv").write_text("a\n")
    (tmp_path / "recomputed/new.csv").write_text("a\n")
    found = compare_folders(
        tmp_path / "stored", tmp_path / "recomputed", name="reports/x", tolerance=0.0
    )
    assert [(each.path, each.stored) for each in found] == [
        ("reports/x/new.csv", "no such file"),
        ("reports/x/old.csv", "a file"),
    ]


@pytest.mark.parametrize(
    ("name", "stored", "recomputed", "expected"),
    [
        ("t.csv", "a,b\n1,2\n", "a,b\n1,3\n", ("row 1: b", "2", "3")),
        ("t.csv", "loss,b\nce,2\n", "loss,b\nce,\n", ("row 1 (loss ce): b", "2", "")),
        ("t.csv", "a\n1\n2\n", "a\n1\n", ("row 2", "2", "nothing")),
        ("t.csv", "a\n1\n", "a\n1\n2\n", ("row 2", "nothing", "2")),
        ("t.csv", "a,b\n1,2\n", "a,b\n1\n", ("row 1", "2 cells", "1 cells")),
        ("t.csv", "a,b\n", "a,c\n", ("header", "a,b", "a,c")),
        ("t.json", '{"a": [1, 2]}', '{"a": [1, 3]}', ("key a.1", "2", "3")),
        ("t.json", '{"a": {}}', '{"a": {"b": 1}}', ("key a", "{}", "nothing")),
        ("t.svg", "<svg>\n<g/>", "<svg>\n<h/>", ("line 2", "'<g/>'", "'<h/>'")),
        ("t.html", "a\n", "a\nb\n", ("line 2", "''", "'b'")),
    ],
)
def test_a_difference_is_named_by_its_place(tmp_path, name, stored, recomputed, expected):
    assert next(compare_files(*pair(tmp_path, name, stored, recomputed), 0.0)) == expected


def test_a_long_line_is_shown_around_the_place(tmp_path):
    stored, recomputed = "x" * 500 + "1" + "y" * 500, "x" * 500 + "2" + "y" * 500
    ((_, old, new),) = compare_files(*pair(tmp_path, "t.svg", stored, recomputed), 0.0)
    assert "x1y" in old
    assert "x2y" in new
    assert len(old) < 70


@pytest.mark.parametrize("name", ["t.json", "t.parquet"])
def test_a_file_that_cannot_be_read_any_more_is_a_difference(tmp_path, name):
    ((place, _, _),) = compare_files(*pair(tmp_path, name, "{", "{}"), 0.0)
    assert "any more" in place


def test_tables_in_parquet_are_compared_cell_by_cell(tmp_path):
    table = pd.DataFrame({"loss": ["ce", None], "value": [1.0, np.nan]})
    for side, value in {"stored": 2.0, "recomputed": 1.0}.items():
        (tmp_path / side).mkdir()
        table.assign(value=[value, np.nan]).to_parquet(tmp_path / side / "t.parquet")
    paths = tmp_path / "stored/t.parquet", tmp_path / "recomputed/t.parquet"
    assert list(compare_files(*paths, 0.0)) == [("column value, row 1", "2.0", "1.0")]
    assert list(compare_files(*paths, 1.0)) == []
    table.iloc[:1].to_parquet(paths[0])
    assert [place for place, _, _ in compare_files(*paths, 0.0)] == ["table"]


def test_the_last_digit_counts_unless_a_tolerance_is_given(tmp_path):
    files = pair(tmp_path, "t.csv", "a\n0.30000000000000004\n", "a\n0.3\n")
    assert len(list(compare_files(*files, 0.0))) == 1
    assert list(compare_files(*files, 1e-12)) == []


@pytest.mark.parametrize(
    ("stored", "recomputed", "same"),
    [
        ("risk 1.0e-3 of 5", "risk 0.001 of 5", True),
        ("risk 0.1 of 5", "risk 0.1 of 6", False),
        ("risk 0.1 of 5", "rise 0.1 of 5", False),
        ("0.1", "0.1 0.2", False),
    ],
)
def test_words_never_differ_and_numbers_by_no_more_than_the_tolerance(stored, recomputed, same):
    assert same_text(stored, recomputed, 1e-9) is same


def test_many_differences_of_a_file_are_counted():
    many = [Difference("a.csv", f"row {i}", "1", "2") for i in range(8)]
    lines = list(describe([*many, Difference("b.csv", "", "a file", "no such file")]))
    assert lines[0] == "differs: a.csv: row 0: stored 1, recomputed 2"
    assert lines[5] == "differs: a.csv: and 3 more places"
    assert lines[6] == "differs: b.csv: stored a file, recomputed no such file"
    assert len(lines) == 7


def test_rounding_alone_is_called_by_its_name():
    last_digit = Difference("a.csv", "row 1: b", "0.30000000000000004", "0.3")
    *_, last = describe([last_digit])
    assert last.endswith("--tolerance 1e-09 passes over it.")
    *_, last = describe([last_digit, Difference("b.csv", "row 1: b", "0.31", "0.3")])
    assert last == "differs: b.csv: row 1: b: stored 0.31, recomputed 0.3"


@pytest.mark.parametrize(
    ("found", "code"), [([], 0), ([Difference("a.csv", "row 1", "1", "2")], 1)]
)
def test_the_command_says_what_differs_by_its_exit_code(monkeypatch, capsys, found, code):
    monkeypatch.setattr(verifying, "verify", lambda studies, **_: iter(found))
    monkeypatch.setattr(sys, "argv", ["pipeline", "verify", "tiny"])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    assert stopped.value.code == code
    assert ("a.csv" in capsys.readouterr().out) is bool(found)


def test_missing_inputs_have_an_exit_code_of_their_own(monkeypatch, capsys, tmp_path):
    write_plan_and_configs(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pipeline", "verify"])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert "nothing to verify: reports/evidence holds no study, and logits are not here" in error
    monkeypatch.setattr(sys, "argv", ["pipeline", "verify", "tiny"])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    assert stopped.value.code == 2
    assert "reports/tiny: no such file" in capsys.readouterr().err
