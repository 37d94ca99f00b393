"""No stage reads a file whose bytes are not those that an earlier stage wrote."""

import json

import numpy as np
import pytest

from pipeline.artifacts import Predictions, read_predictions, write_json, write_predictions
from pipeline.config.plan import DatasetRow, Plan, StudyRow, write_plan
from pipeline.errors import InputError
from pipeline.hashes import write_hashes
from pipeline.stages import calibrate, evaluate, overview, report, shift, train
from tests.test_artifacts import some_predictions
from tests.test_verify import ROW
from tests.training.examples import CPU, write_project

LOGITS = "data/logits/tiny/hand"
FOLDERS = {
    LOGITS: "train@tiny-hand",
    "data/prepared/hand": "data@hand",
    "data/probabilities/tiny/hand": "evaluate@tiny-hand",
    "data/scores/tiny/hand": "evaluate@tiny-hand",
    "data/shifted/tiny/hand": "shift@tiny-hand",
}
FILES = {
    "ce/seed-0/weights.safetensors": LOGITS,
    "ce/seed-0/run.json": LOGITS,
    "ce/seed-0/test.parquet": "data/probabilities/tiny/hand",
    "images.npy": "data/prepared/hand",
    "cases.parquet": "data/prepared/hand",
    "summary.csv": "data/scores/tiny/hand",
    "spoons/shift.json": "data/shifted/tiny/hand",
}


@pytest.fixture
def project(tmp_path):
    """Every folder that a stage reads; a stage that reads on finds nothing sound in it."""
    row = ROW.model_copy(update={"partners": {"spoons": "far_ood"}})
    row = row.model_copy(update={"shifted": "data/shifted/tiny/hand"})
    shifted = {"study": "tiny", "experiment": "hand", "trained_on": "hand", "data": {}}
    shifted |= {"partners": row.partners, "losses": ["ce"], "seeds": [0]}
    plan = Plan.model_validate(
        {
            "datasets": {"hand": DatasetRow(dataset="hand", base="hand", made_from="hand",
                                            labelled_by="hand")},
            "shifts": {"tiny-hand": shifted},
            "experiments": {"tiny-hand": row},
            "studies": {"tiny": StudyRow(study="tiny", title="Tiny", experiments=["hand"])},
        }
    )  # fmt: skip
    (tmp_path / "configs/calibrators").mkdir(parents=True)
    write_plan(plan, tmp_path / "configs/plan.yaml")
    for kind in row.calibrators:
        (tmp_path / f"configs/calibrators/{kind}.yaml").write_text(f"kind: {kind}\n")
    for split in ("calibration", "test"):
        write_predictions(some_predictions(), tmp_path / LOGITS / f"ce/seed-0/{split}.parquet")
    for name, folder in FILES.items():
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"some bytes")
    card = tmp_path / "data/prepared/hand/card.json"
    card.write_text(json.dumps({"show_images": True}))
    for folder in FOLDERS:
        write_hashes(tmp_path / folder)
    return tmp_path


def refused(run, project, path, folder):
    message = rf"{path} is not as it was written: `dvc repro .* {FOLDERS[folder]}` makes it again$"
    with pytest.raises(InputError, match=message):
        run(root=project)
    assert not (project / "reports").exists()


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def on(stage, key="tiny-hand"):
    return lambda root: stage.run(key, root=root)


READS = [
    (on(calibrate), LOGITS, "ce/seed-0/test.parquet"),
    (on(calibrate), LOGITS, "ce/seed-0/run.json"),
    (on(evaluate), LOGITS, "ce/seed-0/test.parquet"),
    (on(evaluate), "data/probabilities/tiny/hand", "ce/seed-0/test.parquet"),
    (on(evaluate), "data/shifted/tiny/hand", "spoons/shift.json"),
    (on(evaluate), "data/prepared/hand", "card.json"),
    (on(evaluate), "data/prepared/hand", "images.npy"),
    (on(shift), LOGITS, "ce/seed-0/weights.safetensors"),
    (on(shift), "data/prepared/hand", "cases.parquet"),
    (on(report, "tiny"), "data/scores/tiny/hand", "summary.csv"),
    (overview.run, "data/scores/tiny/hand", "summary.csv"),
]


@pytest.mark.parametrize(("run", "folder", "name"), READS)
def test_a_flipped_bit_is_named_with_the_command_that_brings_the_file_back(
    project, run, folder, name
):
    flip(project / folder / name)
    refused(run, project, f"{folder}/{name}", folder)


def test_rows_in_another_order_are_refused(project):
    path = project / LOGITS / "ce/seed-0/calibration.parquet"
    read = read_predictions(path)
    turned = Predictions(read.logits[::-1], read.labels, read.cases, read.patients, read.groups)
    write_predictions(turned, path)
    refused(on(calibrate), project, "ce/seed-0/calibration.parquet", LOGITS)


def test_half_a_score_table_is_refused(project):
    path = project / "data/scores/tiny/hand/summary.csv"
    path.write_bytes(path.read_bytes()[:5])
    refused(on(report, "tiny"), project, "summary.csv", "data/scores/tiny/hand")


def test_a_split_that_is_gone_is_not_taken_for_one_that_never_was(project):
    (project / LOGITS / "ce/seed-0/test.parquet").unlink()
    with pytest.raises(InputError, match=r"test\.parquet is missing, though SHA256SUMS"):
        calibrate.run("tiny-hand", root=project)


@pytest.fixture
def squares(tmp_path, monkeypatch):
    for name, value in CPU.items():
        monkeypatch.setenv(name, value)
    return tmp_path, write_project(tmp_path)


def test_changed_pixels_are_not_trained_on(squares):
    root, key = squares
    path = root / "data/prepared/squares/images.npy"
    images = np.load(path)
    images[3, 2, 1] += 1
    np.save(path, images)
    with pytest.raises(InputError, match=r"images\.npy is not as .* data@squares` makes it again"):
        train.run(key, root=root)


def test_another_reuse_is_not_trained_on(squares):
    root, key = squares
    path = root / "data/prepared/squares/card.json"
    path.write_text(path.read_text().replace('"reuse": {}', '"reuse": {"test": "train"}'))
    with pytest.raises(InputError, match=r"card\.json is not as .* data@squares` makes it again"):
        train.run(key, root=root)


def test_a_damaged_seed_is_trained_again_and_gives_the_same_bits(squares, capsys):
    root, key = squares
    train.run(key, root=root)
    path = root / "data/logits/study/experiment/cross_entropy/seed-0/test.parquet"
    whole = path.read_bytes()
    (copy,) = root.glob("data/checkpoints/*/finished/test.parquet")
    flip(copy)
    capsys.readouterr()
    train.run(key, root=root)
    said = capsys.readouterr()
    assert said.err.startswith(f"warning: {copy} is not as it was written: the seed is trained")
    assert said.out == "experiment, cross_entropy, seed 0: trained\n"
    assert path.read_bytes() == copy.read_bytes() == whole


@pytest.mark.parametrize(
    ("change", "key"),
    [({"fingerprint": "e"}, "data_fingerprint"), ({"classes": ["no", "ill"]}, "classes")],
)
def test_logits_of_other_data_are_not_evaluated(project, change, key):
    about = {"classes": ["no", "yes"], "critical_classes": [], "fingerprint": "f"}
    run = project / LOGITS / "ce/seed-0/run.json"
    write_json({"classes": about["classes"], "data_fingerprint": "f"}, run)
    card = project / "data/prepared/hand/card.json"
    write_json({"show_images": False} | about | change, card)
    write_hashes(project / LOGITS)
    write_hashes(card.parent)
    with pytest.raises(InputError, match=rf"seed-0/run\.json: key '{key}': what card\.json"):
        evaluate.run("tiny-hand", root=project)
