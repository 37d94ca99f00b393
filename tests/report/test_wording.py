"""What every sentence of a page has in common: one need not be several, and nothing is empty."""

import dataclasses
import re

import pandas as pd
import pytest

from pipeline.report.data_card import data_card
from pipeline.report.first_screen import first_screen
from pipeline.report.model_card import model_card
from pipeline.report.views import experiment_view
from pipeline.tables.derived.comparison import metrics_table
from pipeline.tables.parts.scores import NOT_RECORDED, Scores

PLURAL_OF_ONE = re.compile(r"(?<![\d,.–])1 (classes|losses|[a-z]*[^s\W]s)\b(?<! is)(?<! was)")
EMPTY = re.compile(r"\bnan\b|<NA>|\bNone of\b \D|[.;:] \.|  |\(\)|\.\.(?!\.)")


def with_one_seed(scores: Scores) -> Scores:
    first = scores.record["seeds"][0]
    runs = [run for run in scores.provenance["runs"] if run["seed"] == first]
    tables = {
        name: table[table["seed"] == first] if "seed" in table else table
        for name, table in scores.frames.items()
    }
    tables["summary"] = tables["summary"].assign(sd=float("nan"), num_seeds=1)
    return dataclasses.replace(
        scores,
        record=scores.record | {"seeds": [first]},
        provenance=scores.provenance | {"runs": runs},
        frames=tables,
    )


def brought(scores: Scores) -> Scores:
    """One model of whose training nobody told, without held-out cases."""
    one = with_one_seed(scores)
    unknown = {"recipe": NOT_RECORDED, "network": NOT_RECORDED}
    test = {"counts": {"test": one.dataset["counts"]["test"]}}
    test |= {part: {"test": one.dataset[part]["test"]} for part in ("images", "patients")}
    runs = [run | {"versions": {}} for run in one.provenance["runs"]]
    none = {"status": "too_few", "threshold": float("nan"), "num_threshold_patients": 0}
    nothing = {"answered": 0, "wrong": 0, "referred": 600, "risk": float("nan")}
    return dataclasses.replace(
        one.having(operating_points=one.frame("operating_points").assign(**none, **nothing)),
        record=one.record | unknown | {"dataset": one.dataset | test},
        provenance=one.provenance | {"runs": runs},
    )


def texts(scores):
    view = experiment_view(scores)
    yield from (view.screen.verdict, view.screen.in_a_hundred, view.screen.warning)
    yield from (text for _, text in view.screen.said)
    yield from (tile.detail for tile in view.screen.tiles)
    yield from (item.answer for _, items in view.cards for item in items)
    yield from (panel.sentence for panel in view.panels)
    for table in view.all_tables:
        yield table.caption
        yield from (cell.text for row in table.rows for cell in row)
        yield from (cell.detail for row in table.rows for cell in row)


@pytest.mark.slow
@pytest.mark.parametrize("change", [with_one_seed, brought])
def test_one_of_a_kind_is_told_in_the_singular_and_no_sentence_lacks_a_word(screening, change):
    for text in texts(change(screening)):
        assert not PLURAL_OF_ONE.search(text), text
        assert not EMPTY.search(text), text


def test_of_what_was_brought_no_training_is_claimed(screening):
    card = {item.question: item.answer for item in model_card(brought(screening))}
    assert card["Model, software"] == (
        "Network and training not recorded; calibrated with adaptive temperature scaling (ats). It "
        "gives a class with its confidence, or refers. Software: not recorded."
    )
    assert card["Training"] == "Not recorded: predictions were brought."
    assert card["Threshold"] == "None was searched: no separate cases were given."
    assert card["Recalibration"] == "No calibrator was fitted: no separate cases were given."
    assert "No image is answered, so none is misclassified." in card["Known failures"]
    answers = [item.answer for item in data_card(brought(screening))]
    assert any("Size and channels of the images: not recorded." in each for each in answers)
    said = dict(first_screen(brought(screening)).said)
    assert said["Seeds"] == (
        "Model shown: as it was brought, with adaptive temperature scaling (ats)."
    )
    assert said["Result"].startswith("No separate cases were given")


def test_the_ece_of_a_calibrated_model_stands_in_per_cent_as_the_ece_does(screening):
    summary = screening.frame("summary")
    ideal = summary[summary["metric"] == "ece"].assign(metric="ece_if_calibrated", mean=0.0487)
    ideal = screening.having(summary=pd.concat([summary, ideal]))
    table = metrics_table(ideal, "calibration")
    units = {column.label: column.unit for column in table.columns}
    assert units["ECE if calibrated"] == "%"
    place = [column.label for column in table.columns].index("ECE if calibrated")
    assert all(cells[place].text.startswith("4.87") for cells in table.rows)
