"""Damaged images, other sites and images out of scope: tables and sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, RATE_FROM
from pipeline.tables.parts.scores import Scores, pick
from pipeline.tables.parts.shown import Cell, Heading, Table
from pipeline.tables.parts.wording import (
    MASKED,
    count_of,
    counted,
    metric_name,
    missing,
    number_text,
    percent,
    scaled,
    share_of,
    target_text,
)

CLEAN = "clean"
NOT_COVERED = "The guarantee does not cover these data."
OOD_FIGURES = {
    "auroc": ("AUROC", "↑ %"),
    "aupr_in": ("AUPR, own", "↑ %"),
    "aupr_out": ("AUPR, foreign", "↑ %"),
    "fpr_at_95_tpr": ("Foreign passed", "↓ % where 95% of the own pass"),
}
CORRECTIONS = {
    "none": "none",
    "em": "class shares by EM",
    "bbse": "class shares by BBSE",
}
AT_A_SITE = ("accuracy", "nll", "ece", "brier")


def headline_and_baseline(scores: Scores) -> list[str]:
    """Return the losses that are looked at closely."""
    record = scores.record
    return list(dict.fromkeys([record["headline_loss"], record["baseline"]]))


def frozen_sentence(scores: Scores, rows: pd.DataFrame) -> str:
    """Say what the threshold from home does where it errs most: `rows` are of the model shown."""
    if missing(rows["threshold"].iloc[0]):
        return "No threshold was found at home, so nobody is answered here."
    hidden = rows["view"].isin({CLEAN, *masked_views(rows)})
    judged = rows[~hidden & (rows["answered"] >= RATE_FROM)]
    if judged.empty:
        return (
            f"Nowhere here are {RATE_FROM} {scores.unit} or more answered, so how wrong the "
            "threshold from home is cannot be told."
        )
    worst = judged.iloc[int(judged["risk"].to_numpy().argmax())]
    return (
        f"At the threshold from home it is most wrong at {worst['view']}: "
        f"{share_of(int(worst['wrong']), int(worst['answered']))}, with "
        f"{worst['answered']:,.0f} of {counted(int(worst['patients']), scores.unit)} answered."
    )


def masked_views(rows: pd.DataFrame) -> set[str]:
    """Return the sites that are too small to show, or whose size would give such a site away."""
    return set(rows[rows["patients"].isna()]["view"])


def shift_table(scores: Scores, partner: str, rows: pd.DataFrame) -> Table:
    """Return one row a view of a partner: calibration, and what the threshold from home does."""
    masked = masked_views(rows)
    cells = [
        (Cell(row["view"]), *_view_cells(row, row["view"] in masked)) for _, row in rows.iterrows()
    ]
    headline = scores.headline
    return Table(
        name=f"shift_{partner}",
        caption=f"{partner}: {headline['loss']} with {headline['calibrator']}, seed "
        f"{headline['seed']}, calibrated and its threshold found at home (target "
        f"{target_text(scores.record['headline_target'])}). {NOT_COVERED} {MASKED} masked: fewer "
        f"than {MASK_BELOW}, or shown they would give such a view away; below {RATE_FROM}, counts "
        "alone.",
        columns=(
            Heading("View", numeric=False),
            Heading("Cases"),
            Heading("Accuracy", "%"),
            Heading("ECE", "%"),
            Heading("Answered", f"of the {scores.unit}"),
            Heading("Wrong", "of the answered"),
        ),
        rows=tuple(cells),
        frame=rows.astype(dict.fromkeys(("cases", "patients", "answered", "wrong"), "Int64")),
    )


def _view_cells(row: pd.Series, masked: bool) -> tuple[Cell, ...]:
    if masked:
        return (Cell(MASKED),) * 5
    few = row["patients"] < RATE_FROM
    answered = f"{row['answered']:,.0f} of {row['patients']:,.0f}"
    wrong = MASKED if missing(row["wrong"]) else count_of(int(row["wrong"]), int(row["answered"]))
    return (
        Cell(f"{row['cases']:,.0f}"),
        Cell("–" if few else scaled("accuracy", row["accuracy"])),
        Cell("–" if few else scaled("ece", row["ece"])),
        Cell(answered, "" if few else percent(row["coverage"])),
        Cell(wrong),
    )


def answered_sentence(scores: Scores) -> str:
    """Say of each partner out of scope how many images the model shown answers."""
    rows = _answered_by(scores)
    said = [
        f"{count_of(int(row['answered']), int(row['foreign']))} out-of-scope images "
        f"({row['partner']}) {'was' if row['answered'] == 1 else 'were'} answered."
        for _, row in rows.iterrows()
    ]
    if len(rows) and missing(rows["threshold"].iloc[0]):
        said.append("No threshold was found, so nothing at all is.")
    elif len(rows) and rows["answered"].sum():
        said.append("All of these answers are wrong.")
    return " ".join(said)


def _answered_by(scores: Scores) -> pd.DataFrame:
    return scores.shown("ood_answered")


def ood_answered_table(scores: Scores) -> Table | None:
    """Return how many images out of scope each loss answers at the headline's target."""
    if scores.frame("ood_answered").empty:
        return None
    record = scores.record
    rows = pick(
        scores.frame("ood_answered"),
        calibrator=record["headline_calibrator"],
        target=record["headline_target"],
    )
    cells = []
    for (partner, loss), runs in rows.groupby(["partner", "loss"], sort=False):
        first, rates = runs.iloc[0], runs["rate"]
        among = percent(rates.min()), percent(rates.max())
        cells.append(
            (
                Cell(str(partner)),
                Cell(str(loss)),
                Cell(count_of(int(first["answered"]), int(first["foreign"]))),
                Cell(" to ".join(dict.fromkeys(among))),
                Cell(f"{runs['threshold'].notna().sum()} of {len(runs)}"),
            )
        )
    return Table(
        name="ood_answered",
        caption=f"Images out of scope that are answered, all of them wrongly, at the target of "
        f"{target_text(record['headline_target'])} after {record['headline_calibrator']}; exact "
        "95% intervals, each image taken as drawn by itself.",
        columns=(
            Heading("Images", numeric=False),
            Heading("Loss", numeric=False),
            Heading("Answered", "first seed"),
            Heading("Answered", "fewest to most of all seeds"),
            Heading("Seeds with a threshold"),
        ),
        rows=tuple(cells),
        frame=scores.frame("ood_answered"),
        headings=2,
    )


def ood_table(scores: Scores) -> Table | None:
    """Return how well scores tell own from foreign images, for the headline and the baseline."""
    if scores.frame("ood").empty:
        return None
    losses = headline_and_baseline(scores)
    calibrators = {scores.uncalibrated, scores.record["headline_calibrator"]}
    rows = scores.frame("ood")[
        scores.frame("ood")["loss"].isin(losses)
        & scores.frame("ood")["calibrator"].isin(calibrators)
    ]
    keys = ["partner", "loss", "calibrator", "score"]
    cells = [
        (
            *(Cell(str(word).replace("_", " ") if place == 3 else str(word))
              for place, word in enumerate(names)),
            *(_spread(runs[key]) for key in OOD_FIGURES),
        )
        for names, runs in rows.groupby(keys, sort=False)
    ]  # fmt: skip
    return Table(
        name="ood",
        caption="How well a score tells own test images from images out of scope: "
        f"{scores.spread_text}. Max logit and energy need logits, which are left as such without a "
        "calibrator and by a temperature alone.",
        columns=(
            Heading("Images", numeric=False),
            Heading("Loss", numeric=False),
            Heading("Calibrator", numeric=False),
            Heading("Score", numeric=False),
            *(Heading(label, unit) for label, unit in OOD_FIGURES.values()),
        ),
        rows=tuple(cells),
        frame=scores.frame("ood"),
        headings=4,
    )


def site_recalibration_table(scores: Scores) -> Table | None:
    """Return what correcting the calibrator with another site's cases gains."""
    if scores.frame("site_recalibration").empty:
        return None
    calibrator = scores.record["headline_calibrator"]
    rows = pick(scores.frame("site_recalibration"), calibrator=calibrator)
    return Table(
        name="site_recalibration",
        caption=f"At another site after {calibrator}, fitted at home and corrected with cases of "
        f"the site, tested on its other half: {scores.spread_text}, "
        f"each the mean of {rows['num_draws'].iloc[0]} halvings of the patients; {MASKED} masked: "
        f"fewer than {MASK_BELOW} cases, and no rate of fewer than {RATE_FROM}.",
        columns=(
            Heading("Site", numeric=False),
            Heading("Loss", numeric=False),
            Heading("Corrected with", numeric=False),
            Heading("Cases tested"),
            *(Heading(metric_name(key).label, metric_name(key).unit) for key in AT_A_SITE),
        ),
        rows=tuple(_correction_rows(rows)),
        frame=scores.frame("site_recalibration"),
        headings=3,
    )


def _correction_rows(rows: pd.DataFrame) -> Iterator[tuple[Cell, ...]]:
    for names, runs in rows.groupby(["partner", "loss", "correction"], sort=False):
        partner, loss, correction = (str(name) for name in names)
        means = (f"{scaled(key, runs[key].mean())}{_sd(key, runs[key])}" for key in AT_A_SITE)
        yield (
            Cell(partner),
            Cell(loss),
            Cell(_correction(correction)),
            Cell(number_text(runs["cases"].iloc[0])),
            *(Cell(text) for text in means),
        )


def _correction(name: str) -> str:
    """Write a correction in words.

    >>> _correction("few_shot_50"), _correction("none")
    ('50 labelled cases', 'none')
    """
    shots = name.removeprefix("few_shot_")
    return CORRECTIONS.get(name, name) if shots == name else f"{shots} labelled cases"


def _sd(key: str, values: pd.Series) -> str:
    sd = values.std()
    return "" if missing(sd) else f" ±\u2009{scaled(key, sd)}"


def _spread(values: pd.Series) -> Cell:
    mean, sd = 100 * values.mean(), 100 * values.std()
    return Cell(f"{mean:.1f}" if missing(sd) else f"{mean:.1f} ±\u2009{sd:.1f}")
