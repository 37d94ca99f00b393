"""The whole folder of a report on predictions that were brought, searched for what it hides."""

import json
import re
from unittest.mock import patch
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from pipeline.bring_your_own import Shown, logits_report
from pipeline.evaluation import BOOTSTRAP

pytestmark = pytest.mark.slow

CLASSES = ("usual", "second", "third", "rare")
NUM_TEST, RARE = 150, 4
ESCAPE = "=north\x1b[31m"
"""A site's name with a formula and an escape byte."""

KEYS = {
    "loss", "calibrator", "seed", "target", "threshold", "method", "level", "prevalence", "policy",
    "column", "group", "class", "label", "prediction", "score", "quantity", "visibility", "metric",
    "threshold_probability", "experiment", "reason",
}  # fmt: skip
"""Columns that say what a row is of."""

SMALL = {"rare", "islet"}


def cases(num_patients, *, seed, first=0):
    generator = np.random.default_rng(seed)
    fair = generator.normal(scale=2.5, size=(num_patients, len(CLASSES)))
    fair[:, -1] = -9.0
    drawn = generator.random(num_patients)[:, None]
    labels = (softmax(fair, axis=1).cumsum(axis=1) < drawn).sum(axis=1)
    labels[:RARE] = len(CLASSES) - 1
    sites = np.where(np.arange(num_patients) % 2, ESCAPE, "south").astype(object)
    sites[:3] = "islet"
    sites[3:43] = "valley"
    return pd.DataFrame(
        {f"logit_{name}": 2 * fair[:, place] for place, name in enumerate(CLASSES)}
        | {"label": np.array(CLASSES)[labels], "site": sites}
        | {"patient": [f"p{first + i}" for i in range(num_patients)]}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("handed-out")
    cases(NUM_TEST, seed=0).to_parquet(root / "test.parquet")
    cases(200, seed=1, first=1000).drop(columns="site").to_parquet(root / "calibration.parquet")
    shown = Shown("Ours", ("rare",), 0.2, ("identity",))
    with patch.dict(BOOTSTRAP, num_resamples=20):
        logits_report(
            root / "test.parquet",
            root / "out",
            shown,
            calibration=root / "calibration.parquet",
            groups=["site"],
        )
    return root / "out"


def tables(folder):
    for path in sorted(folder.rglob("*.csv")):
        yield path.relative_to(folder), pd.read_csv(path, dtype=str, keep_default_na=False)
    for path in sorted(folder.rglob("*.parquet")):
        yield path.relative_to(folder), pd.read_parquet(path).astype(str)


def embedded(folder):
    page = (folder / "experiments/test.html").read_text()
    found = re.search(r'id="explorer-data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def test_no_table_has_a_number_of_a_class_or_group_of_one_to_nine(folder):
    rows = 0
    for path, table in tables(folder):
        names = [name for name in ("class", "group", "label", "partner") if name in table]
        small = table[names].isin(SMALL).any(axis=1)
        if not small.any():
            continue
        numbers = table[small].drop(columns=[name for name in table if name in KEYS])
        known = set(numbers.fillna("").to_numpy().ravel()) - {"", "nan", "None", "<NA>", "–*"}
        assert not known, path
        rows += len(numbers)
    assert rows > 20


def test_no_small_number_can_be_had_from_the_total_of_its_own_table(folder):
    table = pd.read_csv(folder / "scores/per_class.csv")
    for _, rows in table.groupby(["calibrator", "target"]):
        assert rows["cases"].isna().sum() >= 2
        assert NUM_TEST - rows["cases"].sum() >= 10
    table = pd.read_csv(folder / "scores/accepted_groups.csv")
    answered = pd.read_csv(folder / "scores/exact_band.csv").set_index(["calibrator", "threshold"])
    for (calibrator, threshold), rows in table.groupby(["calibrator", "threshold"]):
        hidden = answered.loc[(calibrator, threshold), "answered"] - rows["answered"].sum()
        assert rows["answered"].isna().sum() >= 2
        assert hidden >= 10


def test_the_card_the_page_and_the_embedded_data_are_as_silent(folder):
    record = json.loads((folder / "scores/experiment.json").read_text())
    assert "rare" not in record["dataset"]["counts"]["test"]
    data = embedded(folder)
    assert all(matrix[-1] is None for matrix in data["confusion"])
    entries = {entry["label"]: entry for entry in data["groups"]}
    assert set(entries["site: islet"]) == {"label"}
    page = (folder / "experiments/test.html").read_text()
    assert "rare: fewer than 10 cases, or shown it would give such a class away" in page
    assert f"Of {RARE} cases with rare" not in page


def test_no_control_character_reaches_any_file_and_every_figure_is_well_formed(folder):
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".csv", ".tex", ".json", ".svg"}:
            assert "\x1b" not in path.read_text(), path
    figures = list(folder.rglob("*.svg"))
    assert figures
    for path in figures:
        ElementTree.parse(path)


def test_no_cell_of_a_table_is_a_formula(folder):
    found = False
    for path in folder.rglob("*.csv"):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        cells = {*table.columns, *table.to_numpy().ravel().tolist()}
        words = {cell for cell in cells if cell[:1] in set("=+-@")}
        assert not [word for word in words if pd.isna(pd.to_numeric(word, errors="coerce"))], path
        found |= "'=north[31m" in cells
    assert found


def test_the_page_names_a_site_as_it_was_called(folder):
    page = (folder / "experiments/test.html").read_text()
    assert "site: =north[31m" in page
    assert "&#39;=north" not in page
