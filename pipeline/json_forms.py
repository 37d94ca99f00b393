"""What JSON files of our own hold, by their names: the type of every key that somebody reads.

A key may be absent, since older files lack some: whoever needs it says so then. What is not listed
is read by nobody.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field
from typing_extensions import TypedDict

from pipeline.config.method import Recipe

_EXACT = ConfigDict(strict=True, allow_inf_nan=False)
"""A number is no text, nor a text a number."""

Count = Annotated[int, Field(ge=0)]
Size = Annotated[int, Field(gt=0)]


class _Form(TypedDict, total=False):
    __pydantic_config__ = _EXACT  # type: ignore[misc]


class EqualPixels(_Form, total=False):
    """Images that occur more than once."""

    across: dict[str, Count]
    within: dict[str, Count]
    with_conflicting_labels: Count


class Data(_Form, total=False):
    """What is told of a data set wherever it is told."""

    name: str
    title: str
    licence: str
    citation: str
    fingerprint: str
    classes: Annotated[list[str], Field(min_length=2)]
    critical_classes: list[str]
    notes: list[str]
    files: list[dict[str, str]]
    counts: dict[str, dict[str, Count]]
    images: dict[str, Count]
    patients: dict[str, Count]
    sites: dict[str, Count]
    masked_sites: list[str]
    quarantined: dict[str, Count]
    read: Count
    left_out: Count
    reuse: dict[str, str]
    long_tail: dict[str, float] | None
    equal_pixels: EqualPixels
    show_images: bool
    simulated: bool


class Card(Data, total=False):
    """A prepared data set: ``data/prepared/NAME/card.json``."""

    image_size: Annotated[list[Size], Field(min_length=2, max_length=3)]
    channels: Size
    dtype: str


class Code(_Form, total=False):
    """What code did something."""

    revision: str
    dirty: bool
    versions: dict[str, str]


def _facts(value: object) -> object:
    """Return what is known of a processor: of runs before it was written down, a text."""
    named = isinstance(value, dict) and all(isinstance(fact, str | int) for fact in value.values())
    if not (named or isinstance(value, str)):
        message = "words and whole numbers by name expected"
        raise ValueError(message)
    return value


Facts = Annotated[Any, AfterValidator(_facts)]


class TrainedRun(Code, total=False):
    """What one seed of one loss was made from, as evaluation hands it on."""

    loss: str
    seed: int
    config_hash: str
    data_fingerprint: str
    logits_sha256: str
    device: str
    processor: Facts
    wall_seconds: float


class Built(_Form, total=False):
    """A network or a loss as its config built it."""

    name: str
    kind: str
    arguments: dict[str, Any]


class NamedRecipe(Recipe):
    """A recipe as its config stated it."""

    name: str


class Normalisation(_Form, total=False):
    """Of the images, a number a channel."""

    mean: list[float]
    sd: list[float]


class Run(Code, total=False):
    """One seed of one loss: ``data/logits/STUDY/EXPERIMENT/LOSS/seed-N/run.json``."""

    seed: int
    loss: Built
    network: Built
    recipe: NamedRecipe
    classes: Annotated[list[str], Field(min_length=2)]
    image_size: Annotated[list[Size], Field(min_length=2, max_length=3)]
    channels: Size
    normalisation: Normalisation
    cosine_head: bool
    logit_scale: float
    config_hash: str
    data_fingerprint: str
    logits_sha256: str
    logits_sha256_by_split: dict[str, str]
    device: str
    processor: Facts
    wall_seconds: float


class ShiftedRun(_Form, total=False):
    """Which trained network gave which logits."""

    loss: str
    seed: int
    trained_logits_sha256: str
    logits_sha256: str


class Shift(Code, total=False):
    """A partner of an experiment: ``data/shifted/STUDY/EXPERIMENT/PARTNER/shift.json``."""

    data_fingerprint: str
    kind: str
    runs: list[ShiftedRun]


class Provenance(_Form, total=False):
    """Where scores come from: ``provenance.json`` of an experiment, or of a published study."""

    runs: list[TrainedRun]
    evaluated_by: Code
    partners: dict[str, Shift]
    every_run: TrainedRun


class Bootstrap(_Form, total=False):
    """How intervals were drawn."""

    level: float
    num_resamples: Count
    seed: int
    unit: str


class Experiment(_Form, total=False):
    """What scores are about: ``data/scores/STUDY/EXPERIMENT/experiment.json``."""

    study: str
    experiment: str
    network: str
    recipe: str
    losses: Annotated[list[str], Field(min_length=1)]
    seeds: Annotated[list[int], Field(min_length=1)]
    calibrators: Annotated[list[str], Field(min_length=1)]
    baseline: str
    headline_loss: str
    headline_calibrator: str
    headline_target: float
    risk_targets: list[float]
    delta: float
    partners: dict[str, str]
    prevalence: dict[str, float]
    costs: dict[str, dict[str, float]]
    dataset: Data
    bootstrap: Bootstrap


class Fitted(_Form, total=False):
    """One calibrator of ``calibrators.json``; its parts differ by its type, which checks them."""

    type: str
    notes: list[str]


class Source(_Form, total=False):
    """The prepared set that another derives from: ``data/raw/NAME/source.json``."""

    name: str
    fingerprint: str


FORMS: dict[str, Any] = {
    "calibrators.json": dict[str, Fitted],
    "card.json": Card,
    "experiment.json": Experiment,
    "provenance.json": Provenance,
    "run.json": Run,
    "shift.json": Shift,
    "source.json": Source,
}
