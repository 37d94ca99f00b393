"""The first screen: verdict, tiles, flow of 1,000 patients, guarantee, limits."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.tables.parts.classes import class_rows
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.sentences import (
    OperatingPoint,
    critical_sentences,
    guarantee_sentence,
    in_a_hundred,
    main_sentence,
    operating_point,
    test_sentence,
    unit_sentence,
    verdict,
)
from pipeline.tables.parts.wording import counted, interval, missing, percent
from pipeline.tables.reliability import trust_sentence

READERS = "Readers were not studied."
WITHOUT_COSTS = (
    "The costs that were stated are not used: a mean cost would give a masked class away."
)
UNCOMMITTED = "Trained from uncommitted changes: the revision alone does not bring it back."
SIMULATED = "The images are simulated: this tests the method and says nothing of any patient."


@dataclass(frozen=True)
class Tile:
    """One large number: value, what it counts, and its share or interval."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True)
class Flow:
    """What becomes of 1,000 arriving: whole numbers that sum to 1,000."""

    right: int
    wrong: int
    referred: int


@dataclass(frozen=True)
class FirstScreen:
    """One experiment's answer: everything that is said before any figure.

    `said` pairs a label with its sentences; `warning` is empty where the test bears the target out.
    """

    kind: str
    verdict: str
    in_a_hundred: str
    tiles: tuple[Tile, ...]
    flow: Flow
    warning: str
    said: tuple[tuple[str, str], ...]


def first_screen(scores: Scores) -> FirstScreen:
    """Return the first screen of an experiment's headline pair, first seed, headline target."""
    row = scores.point
    point = operating_point(row, scores.unit)
    kind, words = verdict(point)
    critical = critical_sentences(
        class_rows(scores), scores.dataset["critical_classes"], scores.unit
    )
    said = (
        ("Result", " ".join((main_sentence(point), *critical, unit_sentence(point))).strip()),
        ("Calibration", trust_sentence(scores)),
        ("Seeds", _seeds_sentence(scores)),
        ("Guarantee", _guarantee(scores, point)),
        ("Limits", _limits(scores)),
    )
    return FirstScreen(
        kind=kind,
        verdict=words,
        in_a_hundred=in_a_hundred(point),
        tiles=_tiles(point),
        flow=_flow(point),
        warning=test_sentence(point),
        said=tuple((label, text) for label, text in said if text),
    )


def _guarantee(scores: Scores, point: OperatingPoint) -> str:
    """Say what is promised and, beside it, which of its conditions nobody could check."""
    promised = guarantee_sentence(point)
    return " ".join([promised, *scores.dataset.get("unchecked", [])]) if promised else ""


def _tiles(point: OperatingPoint) -> tuple[Tile, ...]:
    per_thousand = Tile(
        "wrong answers per 1,000 arriving",
        f"{point.wrong_per_thousand:.1f}",
        f"{point.wrong:,} of {point.num_test:,}",
    )
    span = "" if missing(point.risk) else f", 95% CI {interval(point.risk_lower, point.risk_upper)}"
    wrong = Tile(
        "wrong among answered",
        "–" if missing(point.risk) else percent(point.risk),
        f"{point.wrong:,} of {point.answered:,}{span}",
    )
    total = f"of {counted(point.num_test, point.unit)}"
    return (
        Tile("answered", percent(point.answered / point.num_test), f"{point.answered:,} {total}"),
        Tile("referred", percent(point.referred / point.num_test), f"{point.referred:,} {total}"),
        wrong,
        per_thousand,
    )


def _flow(point: OperatingPoint) -> Flow:
    referred = round(1000 * point.referred / point.num_test)
    wrong = round(point.wrong_per_thousand)
    return Flow(right=1000 - referred - wrong, wrong=wrong, referred=referred)


def _seeds_sentence(scores: Scores) -> str:
    """Say whether the other seeds agree; the model shown is the first seed, not the best."""
    rows = scores.shown("operating_points", every=["seed"])
    found = rows[rows["status"] == "found"]
    if scores.brought:
        return f"Model shown: as it was brought, with {scores.calibrator}."
    shown = f"Model shown: {scores.model}, the first, not the best."
    if len(rows) == 1:
        return f"{shown} No other seed was trained."
    if found.empty:
        return f"{shown} None of the {len(rows)} seeds found a threshold."
    share, risk = found["answered"] / found["num_test"], found["risk"].dropna()
    wrong = f" and wrong in {interval(risk.min(), risk.max())}" if len(risk) else ""
    return (
        f"{shown} {len(found)} of {len(rows)} seeds found a threshold, answering "
        f"{interval(share.min(), share.max())}{wrong}."
    )


def _limits(scores: Scores) -> str:
    dataset = scores.dataset
    reused = [
        f"The {source} cases served as {split} cases too."
        for split, source in dataset["reuse"].items()
    ]
    simulated = [SIMULATED] if dataset["simulated"] else []
    shared = dataset.get("equal_pixels", {"across": {}})["across"]
    leaks = [
        f"{counted(count, 'images')} {'is' if count == 1 else 'are'} in "
        f"{pair.replace('/', ' and ')} alike."
        for pair, count in shared.items()
        if "test" in pair.split("/")
    ]
    dirty = [UNCOMMITTED] if any(run["dirty"] for run in scores.provenance["runs"]) else []
    notes = dataset.get("notes", [])
    costs = [WITHOUT_COSTS] if scores.record["costs"] and scores.frame("cost_points").empty else []
    return " ".join([*simulated, *notes, *leaks, *reused, *dirty, *costs, READERS])
