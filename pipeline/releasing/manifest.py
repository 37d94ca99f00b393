"""What a release says of itself in `release.json`: all that a reader needs besides the weights."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveInt, model_validator

from pipeline.config.dataset import MAX_VALUES
from pipeline.config.method import NetworkConfig
from pipeline.config.names import Key, Name
from pipeline.config.reading import Strict
from pipeline.releasing.codes import Code, Text

FORMAT: Literal[1] = 1
"""Of `release.json`; a reader refuses a higher one, and names both."""

PROGRAM = "models/program.pt2"
ONNX = "models/program.onnx"
LIKENESS = "models/likeness.safetensors"
METADATA = "configs/metadata.json"
SCHEMA = "configs/metadata.schema.json"
INFERENCE = "configs/inference.yaml"
CARD = "docs/README.md"
LICENCE = "LICENSE"

INPUT = "image"
"""The program's input: float32 (batch, channels, *image_size), the values of prepared images."""

OUTPUTS = ("probabilities", "confidence", "decision", "scope_score")
"""The program's outputs, a row a case: float64 (batch, classes), float64, int64 and float64.

``decision`` is 1 for answered: as confident as the rule asks, and in scope. Of a patient with
several images all must be (`pipeline.metrics.patient_units`).
"""

TIE = 1e-9
"""Scores that differ by less are one: many tie on a calibrator's steps, and no last bit counts."""

BEYOND_THE_RULE = (
    "It counts everybody whom the threshold alone would answer: scope and limits refer some of "
    "them, and among the rest the share wrong can be higher."
)

SHA256 = r"^[0-9a-f]{64}$"
Sha256 = Annotated[str, Field(pattern=SHA256)]
Share = Annotated[float, Field(ge=0, le=1)]

WEIGHTS = r"^models/[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.safetensors$"
"""Below the release's own folder, whose hashes are checked, and nowhere else."""

MODALITY = r"^[A-Z0-9_ ]{1,16}$"
"""A code string of DICOM (PS3.5, CS), such as CT."""


class Member(Strict):
    """One trained network of the release, and what turns stored images into its logits.

    `mean` and `sd` of each channel, in the units of the prepared images, and `logit_scale` are
    inside the program: whoever calls that normalises nothing.
    """

    seed: NonNegativeInt
    weights: Annotated[str, Field(pattern=WEIGHTS)]
    mean: list[FiniteFloat]
    sd: list[FiniteFloat]
    logit_scale: FiniteFloat
    cosine_head: bool
    config_hash: str
    logits_sha256: Sha256
    revision: str
    dirty: bool


class Preprocessing(Strict):
    """How a file becomes an image: exactly what prepared the study's.

    `reader` is the adapter that reads files of this kind, `arguments` what it is told of window,
    spacing, slice, type and sites; of the folder and the labels of the study nothing is kept. The
    image is then brought to `image_size` (`pipeline.adapters.resizing`) in `dtype`.
    """

    dataset: Name
    adapter: str
    reader: Literal["dicom", "nifti", "picture"]
    arguments: dict[str, Any]
    dtype: Literal["uint8", "int16", "float32"]
    spacing_mm: dict[str, Any] | None


class FittedCalibrator(Strict):
    """The calibrator: its name in the study, and its state for `pipeline.calibrators.from_json`."""

    name: Name
    state: dict[str, Any]
    preserves_argmax: bool


class Rule(Strict):
    """Who is answered: patients whose every image's score reaches the threshold.

    Attributes
    ----------
    threshold : float or None
        None where no threshold was found: everybody is referred then.
    unproven_threshold : float or None
        Where none was found, that of the lowest upper limit of the risk, which proves nothing; it
        is used by who is told to answer without a guarantee.
    status : "found", "none" or "too_few"
        See `pipeline.metrics.threshold_choice.ThresholdChoice`.
    num_patients : int
        Of the threshold split.
    expected_answered, expected_risk : float or None
        Of the study's test patients: the share answered, and of these the share wrong.
    guarantee : str
        The promise, or that there is none, as a sentence.
    """

    score: Literal["confidence"]
    threshold: Share | None
    unproven_threshold: Share | None
    target: Share
    delta: Share
    status: Literal["found", "none", "too_few"]
    num_patients: NonNegativeInt
    num_test_patients: NonNegativeInt
    expected_answered: Share
    expected_risk: Share | None
    guarantee: str

    @property
    def found(self) -> bool:
        """Whether there is a guarantee."""
        return self.threshold is not None

    @property
    def promise(self) -> str:
        """The guarantee, and that whom scope and limits refer besides is no part of it."""
        return f"{self.guarantee} {BEYOND_THE_RULE}" if self.found else self.guarantee

    @model_validator(mode="after")
    def _threshold_is_what_was_found(self) -> Self:
        if (self.status == "found") != self.found:
            message = "'threshold' goes with status: found, and it needs one"
            raise ValueError(message)
        return self


class Scope(Strict):
    """Whether an image is of the kind that the study had: its scope score reaches the threshold.

    `quantile` is the share of `num_cases` cases of the study, of the splits named, that fall short.
    """

    score: str
    threshold: FiniteFloat
    quantile: Share
    num_cases: PositiveInt
    splits: list[str]


class GroupRisk(Strict):
    """A group whose answered patients are wrong more often than all others', beyond chance."""

    column: str
    group: str
    risk: Share
    others: Share


class Limits(Strict):
    """The patients that the study saw enough of: at least `at_least` patients of each group.

    None where the study does not know the column. Smaller groups are not named.
    """

    sites: list[str] | None
    sexes: list[str] | None
    age_bands: list[str] | None
    at_least: PositiveInt
    excess_risk: list[GroupRisk]


class Reference(Strict):
    """What the study's own patients look like to the released model, for who watches it later.

    Attributes
    ----------
    split : str
        Whose cases these are: seen by nothing that was fitted but, at most, the threshold.
    confidence_quantiles : list of float
        Of patients, each the lowest confidence among theirs: at shares 0, 1 / 100 ... 1.
    prevalence : dict of str to float
        Mean calibrated probability of each class over the cases, which counts of rare classes do
        not follow from.
    referred : float
        Share of patients referred by the rule or the scope.
    out_of_scope : float
        Share of patients with an image out of scope.
    mean_error_answered : float or None
        Mean of one minus confidence among answered patients; None where nobody is answered.
    """

    split: str
    num_cases: PositiveInt
    num_patients: PositiveInt
    confidence_quantiles: list[Share]
    prevalence: dict[str, Share]
    referred: Share
    out_of_scope: Share
    mean_error_answered: Share | None


class Provenance(Strict):
    """Where a release comes from; `versions` are those of the packages that packed it."""

    dataset_title: str
    licence: str
    citation: str
    simulated: bool
    data_fingerprint: Sha256
    revision: str
    dirty: bool
    versions: dict[str, str]


class Release(Strict):
    """All of `release.json`.

    `parent` is the SHA-256 of another release's SHA256SUMS, where this one was made from that by
    fitting calibrator or threshold to a site's own cases.
    """

    name: Text
    version: Literal[1] = FORMAT
    study: Key
    experiment: Key
    loss: Name
    network: NetworkConfig
    network_name: Name
    recipe: Name
    members: list[Member] = Field(min_length=1)
    classes: list[str] = Field(min_length=2)
    critical_classes: list[str]
    codes: dict[str, Code]
    modality: Annotated[str, Field(pattern=MODALITY)] | None
    image_size: list[PositiveInt] = Field(min_length=2, max_length=3)
    channels: Literal[1, 3]
    preprocessing: Preprocessing
    calibrator: FittedCalibrator
    rule: Rule
    scope: Scope
    limits: Limits
    reference: Reference
    provenance: Provenance
    parent: Sha256 | None

    @property
    def seeds(self) -> list[int]:
        """The members' seeds."""
        return [member.seed for member in self.members]

    @property
    def spatial_dims(self) -> int:
        """2 for images, 3 for volumes."""
        return len(self.image_size)

    @model_validator(mode="after")
    def _classes_are_known(self) -> Self:
        classes = set(self.classes)
        if len(classes) < len(self.classes) or not classes.issuperset(self.critical_classes):
            message = "'classes' differ from one another, and 'critical_classes' are among them"
            raise ValueError(message)
        for name, known in (("codes", self.codes), ("prevalence", self.reference.prevalence)):
            if set(known) != classes:
                message = f"'{name}' needs one for each of the 'classes', and no other"
                raise ValueError(message)
        if len({(code.scheme, code.value) for code in self.codes.values()}) < len(classes):
            message = "'codes' needs another for each of the 'classes', got one twice"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _images_fit_into_memory(self) -> Self:
        if math.prod(self.image_size) * self.channels > MAX_VALUES:
            message = f"'image_size' and 'channels' make more than {MAX_VALUES} values"
            raise ValueError(message)
        return self
