"""The score files of one experiment, checked as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import read_json
from pipeline.errors import InputError
from pipeline.outgoing_text import from_csv
from pipeline.report.wording import counted
from pipeline.splits import SPLITS

NOT_RECORDED = "not recorded"
"""What stands where nobody told: the recipe, above all, of predictions that were brought."""

REQUIRED_COLUMNS = {
    "runs": "loss seed calibrator",
    "summary": "loss calibrator metric mean sd num_seeds lower upper",
    "risk_coverage": "loss calibrator coverage risk_mean risk_sd num_seeds",
    "exact_band": "loss calibrator seed coverage answered wrong risk lower upper",
    "reliability": "loss calibrator bin lower_edge upper_edge count confidence accuracy "
    "consistency_lower consistency_upper",
    "operating_points": "loss seed calibrator target delta status threshold "
    "num_threshold_patients minimum_answered lowest_upper_limit lowest_limit_wrong "
    "lowest_limit_answered num_candidates num_test answered referred wrong risk risk_lower "
    "risk_upper one_sided_upper",
    "per_class": "loss seed calibrator target class cases answered wrong referred",
    "calibrators": "loss seed calibrator parameters notes preserves_argmax argmax_changed "
    "rank_inversions",
    "history": "loss seed epoch",
}
OPTIONAL_COLUMNS = {
    "accepted": "loss calibrator seed threshold label prediction cases",
    "accepted_groups": "loss calibrator seed threshold column group patients answered wrong "
    "lower upper",
    "class_calibration": "loss calibrator class cases mean_probability share gap gap_lower "
    "gap_upper ece",
    "class_risk": "loss calibrator seed score class cases missed aurc risk_at_coverage_80 "
    "risk_at_coverage_90",
    "comparisons": "metric loss calibrator reference_loss reference_calibrator mean_difference "
    "sd num_pairs lower upper p_value p_value_holm",
    "confidence": "loss calibrator seed lower_edge upper_edge right wrong",
    "cost_coverage": "loss calibrator coverage risk_mean risk_sd num_seeds",
    "cost_points": "loss seed calibrator target delta status threshold num_threshold_patients "
    "minimum_answered lowest_upper_limit num_candidates largest_cost num_test answered referred "
    "mean_cost one_sided_upper",
    "cost_selection": "loss seed calibrator score mean_cost aurc augrc",
    "costs": "loss calibrator seed target policy weight cost lower upper",
    "cox": "loss seed calibrator class cases slope intercept intercept_at_slope_one reason",
    "differences": "metric calibrator loss baseline mean_difference sd num_pairs lower upper "
    "p_value p_value_holm",
    "gallery": "loss calibrator seed kind rank label prediction confidence png",
    "group_curves": "loss calibrator seed column group patients threshold coverage answered wrong "
    "risk lower upper",
    "group_scores": "loss calibrator seed column group visibility num_patients num_wrong metric "
    "value lower upper",
    "groups": "loss calibrator seed target quantity column group visibility num_patients "
    "num_marked share lower upper difference difference_lower difference_upper",
    "levels": "loss calibrator quantity value lower upper",
    "long_tail": "loss seed calibrator rule group num_classes cases accuracy ece aurc",
    "long_tail_curves": "loss calibrator rule group cases coverage risk_mean risk_sd num_seeds",
    "net_benefit": "loss calibrator seed class policy threshold_probability net_benefit lower "
    "upper",
    "ood": "loss calibrator seed partner kind score auroc aupr_in aupr_out fpr_at_95_tpr",
    "ood_answered": "loss calibrator seed partner kind target threshold answered foreign rate",
    "ood_confidence": "calibrator partner kind left right cases share",
    "prediction_sets": "loss calibrator seed method level class cases covered coverage lower upper "
    "mean_size single empty",
    "referral_benefit": "loss calibrator seed class policy threshold_probability net_benefit lower "
    "upper",
    "selection": "loss seed calibrator score aurc augrc",
    "shift": "loss calibrator seed partner kind view corruption severity cases patients accuracy "
    "ece threshold answered wrong coverage risk risk_lower risk_upper",
    "site_recalibration": "loss calibrator seed partner correction cases accuracy nll ece brier "
    "num_draws",
    "smooth_curve": "loss calibrator seed confidence accuracy lower upper",
    "workload": "loss calibrator seed target prevalence policy class patients arriving answered "
    "right wrong referred wrong_lower wrong_upper referred_lower referred_upper",
}
"""Files that not every experiment has; their panels are left out without them."""

MAY_BE_EMPTY = ("accepted", "accepted_groups", "exact_band", "gallery", "history")
"""Too few patients for a rate, no picture, or a training that nobody recorded."""
TEXT_COLUMNS = (
    "baseline",
    "calibrator",
    "class",
    "column",
    "correction",
    "corruption",
    "group",
    "kind",
    "label",
    "loss",
    "method",
    "metric",
    "notes",
    "parameters",
    "partner",
    "png",
    "policy",
    "prediction",
    "prevalence",
    "quantity",
    "reason",
    "reference_calibrator",
    "reference_loss",
    "rule",
    "score",
    "status",
    "view",
    "visibility",
)


@dataclass(frozen=True)
class Scores:
    """Everything the report knows of one experiment.

    Attributes
    ----------
    record : dict
        What was tested: the data set's card, network, recipe, losses, seeds, headline, targets.
    provenance : dict
        One record a run, and who evaluated.
    runs, summary, risk_coverage, ... : DataFrame
        The files of the same names; None where an optional one is absent.
    """

    record: dict[str, Any]
    provenance: dict[str, Any]
    runs: pd.DataFrame
    summary: pd.DataFrame
    risk_coverage: pd.DataFrame
    exact_band: pd.DataFrame
    reliability: pd.DataFrame
    operating_points: pd.DataFrame
    per_class: pd.DataFrame
    calibrators: pd.DataFrame
    history: pd.DataFrame
    accepted: pd.DataFrame | None = None
    accepted_groups: pd.DataFrame | None = None
    class_calibration: pd.DataFrame | None = None
    class_risk: pd.DataFrame | None = None
    comparisons: pd.DataFrame | None = None
    confidence: pd.DataFrame | None = None
    cost_coverage: pd.DataFrame | None = None
    cost_points: pd.DataFrame | None = None
    cost_selection: pd.DataFrame | None = None
    costs: pd.DataFrame | None = None
    cox: pd.DataFrame | None = None
    differences: pd.DataFrame | None = None
    gallery: pd.DataFrame | None = None
    group_curves: pd.DataFrame | None = None
    group_scores: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    levels: pd.DataFrame | None = None
    long_tail: pd.DataFrame | None = None
    long_tail_curves: pd.DataFrame | None = None
    net_benefit: pd.DataFrame | None = None
    ood: pd.DataFrame | None = None
    ood_answered: pd.DataFrame | None = None
    ood_confidence: pd.DataFrame | None = None
    prediction_sets: pd.DataFrame | None = None
    referral_benefit: pd.DataFrame | None = None
    selection: pd.DataFrame | None = None
    shift: pd.DataFrame | None = None
    site_recalibration: pd.DataFrame | None = None
    smooth_curve: pd.DataFrame | None = None
    workload: pd.DataFrame | None = None

    @property
    def name(self) -> str:
        """The experiment's key in its study."""
        return self.record["experiment"]

    @property
    def dataset(self) -> dict[str, Any]:
        """The data set's card."""
        return self.record["dataset"]

    @property
    def headline(self) -> dict[str, Any]:
        """The loss, calibrator and seed of the model on the first screen: the first seed."""
        return {
            "loss": self.record["headline_loss"],
            "calibrator": self.record["headline_calibrator"],
            "seed": self.record["seeds"][0],
        }

    @property
    def uncalibrated(self) -> str:
        """The calibrator that stands for none: identity, or else the study's first."""
        calibrators = self.record["calibrators"]
        return "identity" if "identity" in calibrators else calibrators[0]

    @property
    def seeds_text(self) -> str:
        """How many seeds there are, in words."""
        return counted(len(self.record["seeds"]), "seeds")

    def averaged(self, spread: str = "") -> str:
        """Say over how many seeds means were taken, and what the spread shows; one seed has none.

        `spread` follows the words "mean over 3 seeds".
        """
        return (
            "one seed" if len(self.record["seeds"]) == 1 else f"mean over {self.seeds_text}{spread}"
        )

    @property
    def spread_text(self) -> str:
        """What cells of a table hold where a value is given for each seed."""
        if len(self.record["seeds"]) == 1:
            return "one seed, so without a standard deviation"
        return f"mean ± standard deviation over {self.seeds_text}"

    @property
    def brought(self) -> bool:
        """Whether the predictions were brought by somebody: of the training nothing is known."""
        return self.record["recipe"] == NOT_RECORDED

    @property
    def splits(self) -> list[str]:
        """The splits that have cases, in their order of use."""
        return [split for split in SPLITS if split in self.dataset["counts"]]

    @property
    def num_test_cases(self) -> int:
        """Images of the test split, over which metrics and reliability are taken."""
        return self.dataset["images"]["test"]

    @property
    def unit(self) -> str:
        """What operating points count: patients, but cases where nobody has more than one."""
        return "cases" if self.dataset["images"] == self.dataset["patients"] else "patients"


def read_scores(folder: Path) -> Scores:
    """Return the scores in a folder.

    Raises
    ------
    InputError
        If a file or a column is missing, or a file holds no rows; the message names it.
    """
    record = read_json(folder / "experiment.json")
    if "images" not in record["dataset"]:
        message = f"{folder / 'experiment.json'}: key 'dataset.images' expected: run evaluate first"
        raise InputError(message)
    tables = {
        name: _read_table(folder / f"{name}.csv", columns.split())
        for name, columns in (REQUIRED_COLUMNS | OPTIONAL_COLUMNS).items()
        if name in REQUIRED_COLUMNS or (folder / f"{name}.csv").is_file()
    }
    return Scores(
        record=record,
        provenance=read_json(folder / "provenance.json"),
        **tables,
    )


def _read_table(path: Path, required: list[str]) -> pd.DataFrame:
    if not path.is_file():
        message = f"{path}: no such file: run evaluate first"
        raise InputError(message)
    # Only an empty cell is undefined: a class may well be called NA or null.
    text = dict.fromkeys(TEXT_COLUMNS, str)
    table = from_csv(pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""]))
    if missing := [column for column in required if column not in table.columns]:
        message = f"{path}: column '{missing[0]}' expected, got: {', '.join(table.columns)}"
        raise InputError(message)
    if table.empty and path.stem not in MAY_BE_EMPTY:
        message = f"{path}: at least one row expected, got none"
        raise InputError(message)
    present = [column for column in TEXT_COLUMNS if column in table.columns]
    return table.assign(**{column: table[column].fillna("") for column in present})


def pick(table: pd.DataFrame, **values: object) -> pd.DataFrame:
    """Return the rows whose columns hold these values, in the file's order.

    >>> pick(pd.DataFrame({"loss": ["a", "b"], "mean": [1, 2]}), loss="b")["mean"].tolist()
    [2]
    """
    keep = pd.Series(True, index=table.index)
    for column, value in values.items():
        keep &= table[column] == value
    return table[keep]
