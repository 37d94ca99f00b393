"""Model card: what a reader must know of a model, item by item, and what nobody recorded.

The items are those of TRIPOD+AI (T), CLAIM 2024 (C) and STARD-AI (S) that a line answers.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.method_names import named
from pipeline.metrics import metrics_shown
from pipeline.report.data_card import Item, quarantined_text, reuse_text, sites_text
from pipeline.report.provenance import chain, short_hash
from pipeline.tables.accepted import failures_sentence
from pipeline.tables.groups import groups_place, groups_sentence
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.sentences import main_sentence, operating_point
from pipeline.tables.parts.wording import (
    count_of,
    counted,
    metric_name,
    missing,
    one_or,
    scaled,
    target_text,
)
from pipeline.tables.shift import frozen_sentence

MOST_FAILURES = 3
NOT_TRIED = {"corruption": "Damaged images: not tried.", "site": "Another site: not tried."}


def model_card(scores: Scores) -> tuple[Item, ...]:
    """Return the model card of an experiment's headline pair."""
    return (*_use_items(scores), *_method_items(scores), *_limit_items(scores))


def _use_items(scores: Scores) -> tuple[Item, ...]:
    classes = ", ".join(scores.dataset["classes"])
    return (
        Item(
            "Use and users",
            f"Sorts an image into {classes}, or refers it to a reader. For people who study "
            "calibration and referral; no clinical use is intended. Its users need images prepared "
            "as the data card says, and a reader for what is referred.",
            "T 3b, 27b; C 3, 41; S 3, 15d, 34",
        ),
        Item(
            "When not",
            "On other sites, scanners or populations than those tested; on images of anything "
            "else; without a reader for what is referred.",
            "T 3b; S 34",
        ),
    )


def _method_items(scores: Scores) -> tuple[Item, ...]:
    record = scores.record
    return (
        Item(
            "Model, software",
            f"{_made(scores)}. It gives a class with its confidence, or refers. Software: "
            f"{dict(chain(scores))['Software']}.",
            "T 12c, 22; C 22, 23; S 15a",
        ),
        Item("Training", _training(scores), "T 12c, 13; C 25, 26; S 15b"),
        Item("Threshold", _threshold(scores), "T 15; S 15c"),
        Item("Recalibration", _recalibration(scores), "T 12f, 24"),
        Item(
            "Metrics and intervals",
            f"{scores.averaged().capitalize()}; {record['bootstrap']['num_resamples']:,} bootstrap "
            f"resamples of {record['bootstrap']['unit']}s; exact intervals of proportions.",
            "T 12e, 23a; C 28, 29, 37, 38",
        ),
        Item("Results", _results(scores), "T 23a; C 37, 38"),
    )


def _limit_items(scores: Scores) -> tuple[Item, ...]:
    dataset = scores.dataset
    unstudied = (
        "Readers were not studied. Safety, agreement with people and what readers and model do "
        "together need a live study."
    )
    revisions = dict.fromkeys(short_hash(run["revision"]) for run in scores.provenance["runs"])
    return (
        Item(
            "Referred cases and bad input",
            "Referred cases are counted, never scored as right; their readers were not studied. "
            f"Unreadable files are set apart and counted: {quarantined_text(dataset)}.",
            "T 27a; C 12; S 19, 20",
        ),
        Item("Subgroups and fairness", _subgroups(scores), "T 14, 23a, 25; S 23"),
        Item("Known failures", _failures(scores), "T 23a; C 39"),
        Item("Robustness, external test", _robustness(scores), "T 16, 23b; C 30, 33; S 29"),
        Item("Limits", " ".join([*dataset.get("notes", []), unstudied]), "T 26; C 40; S 33"),
        Item(
            "Code, data, funding",
            f"Code at revision {', '.join(revisions)}; licence of the data: {dataset['licence']}. "
            "The hashes of every run: see “Where it comes from”. Funding, conflicts of interest, "
            "protocol and registration: not recorded.",
            "T 18a–f; C 42–44; S 36, 37, 39",
        ),
    )


def _made(scores: Scores) -> str:
    record = scores.record
    none = record["headline_calibrator"] == "identity"
    calibrated = "not calibrated" if none else f"calibrated with {scores.calibrator}"
    if scores.brought:
        return f"Network and training not recorded; {calibrated}"
    return f"{record['network']}, trained with {scores.loss}, {calibrated}"


def _training(scores: Scores) -> str:
    if scores.brought:
        return "Not recorded: predictions were brought."
    record = scores.record
    seeds = f"{one_or('seeds', record['seeds'])} {', '.join(map(str, record['seeds']))}"
    return f"Recipe {record['recipe']}, {_epochs(scores)}; {seeds}. {_long_tail(scores.dataset)}"


def _threshold(scores: Scores) -> str:
    if "threshold" not in scores.splits:
        return "None was searched: no separate cases were given."
    record = scores.record
    target, delta = target_text(record["headline_target"]), target_text(record["delta"])
    rule = (
        f"By fixed-sequence testing on the threshold split, so that error above {target} is passed "
        f"at most {delta} of the time. Both figures are this project's choice, not a clinic's."
    )
    said = [rule, reuse_text(scores.dataset), *scores.dataset.get("unchecked", [])]
    return " ".join(filter(None, said))


def _recalibration(scores: Scores) -> str:
    if "calibration" not in scores.splits:
        return "No calibrator was fitted: no separate cases were given."
    compared = "; ".join(map(named, scores.record["calibrators"]))
    return f"Compared: {compared}. All were fitted on the calibration split alone."


def _epochs(scores: Scores) -> str:
    epochs = scores.frame("history")["epoch"].nunique()
    return counted(epochs, "epochs") if epochs else "epochs not recorded"


def _long_tail(dataset: dict[str, Any]) -> str:
    tail = dataset.get("long_tail")
    if not tail:
        return "Classes were not resampled."
    return f"Training classes thinned to an imbalance of {tail['imbalance_ratio']:g}."


def _results(scores: Scores) -> str:
    means = scores.shown("summary").set_index("metric")
    shown = means.loc[[key for key in metrics_shown("model_card") if key in means.index]]
    figures = [_figure(str(key), row) for key, row in shown.iterrows()]
    row = scores.shown("operating_points")
    return f"{'; '.join(figures)}. {main_sentence(operating_point(row.iloc[0], scores.unit))}"


def _figure(key: str, row: pd.Series) -> str:
    """Write one metric with its interval.

    >>> _figure("ece", pd.Series({"mean": 0.012, "lower": 0.01, "upper": 0.025}))
    'ECE 1.20% (95% CI 1.00–2.50%)'
    """
    name = metric_name(key)
    unit = "%" if name.unit == "%" else f" {name.unit}".rstrip()
    value = f"{name.label} {scaled(key, row['mean'])}{unit}"
    if missing(row["lower"]):
        return value
    return f"{value} (95% CI {scaled(key, row['lower'])}–{scaled(key, row['upper'])}{unit})"


def _failures(scores: Scores) -> str:
    return f"{failures_sentence(scores, MOST_FAILURES)} {_foreign(scores)}"


def _foreign(scores: Scores) -> str:
    """Say how many images out of scope are answered, all of them wrongly."""
    if scores.frame("ood_answered").empty:
        return "Images out of scope: not tried."
    rows = scores.shown("ood_answered")
    counts = (
        f"{row['partner']} {count_of(int(row['answered']), int(row['foreign']))}"
        for _, row in rows.iterrows()
    )
    return f"Images out of scope that are answered: {'; '.join(counts)}."


def _robustness(scores: Scores) -> str:
    said, kinds = [sites_text(scores.dataset)], set()
    if not scores.frame("shift").empty:
        kinds = set(scores.frame("shift")["kind"])
        for partner, rows in scores.shown("shift").groupby("partner", sort=False):
            said.append(f"{partner}: {frozen_sentence(scores, rows)}")
    said += [words for kind, words in NOT_TRIED.items() if kind not in kinds]
    return " ".join(said)


def _subgroups(scores: Scores) -> str:
    if scores.frame("groups").empty:
        return "No column tells two groups apart, so none was examined. One threshold for all."
    groups = scores.shown("groups")
    kinds = ", ".join(name.replace("_", " ") for name in groups["column"].unique())
    return (
        f"Examined by {kinds}: see “{groups_place(scores)}”. {groups_sentence(groups)} One "
        "threshold for all; no method for fairness was used after training."
    )
