"""The rule: what the images of one study amount to, an answer or a referral with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.adapters import NOT_RECORDED
from pipeline.predicting.decisions import ANSWERED, REFERRED, Decision
from pipeline.releasing import Release
from pipeline.releasing.manifest import TIE, Limits
from pipeline.training.predictions import age_band

INCOMPLETE = ("slices of the series left out", "slices missing or unevenly spaced")
"""What readers say of series that lack a slice."""

SINGLE_SLICE = "a single slice, the release reads volumes"


@dataclass(frozen=True)
class Image:
    """One image as the release sees it.

    `probabilities` are calibrated, (classes,) in float64; `scope_score` is the higher, the more it
    is like the study's images.
    """

    source: str
    site: str
    sex: str
    age: float | None
    probabilities: np.ndarray
    scope_score: float

    @property
    def confidence(self) -> float:
        """The probability of the predicted class."""
        return float(self.probabilities.max())

    @property
    def predicted(self) -> int:
        """The most probable class, the lowest where several tie."""
        return int(self.probabilities.argmax())


@dataclass(frozen=True)
class Evidence:
    """All that is known of one patient's study.

    Attributes
    ----------
    patient, study : str
    images : sequence of Image
        Those that could be read.
    faults : sequence of str
        In a reader's words, what is wrong with each that could not.
    of_another_kind : sequence of str
        What is said of each that the release does not read.
    """

    patient: str
    study: str
    images: Sequence[Image]
    faults: Sequence[str]
    of_another_kind: Sequence[str]


@dataclass(frozen=True)
class Rule:
    """A release's rule as it is applied here.

    `release_sha256` names the release. With `without_guarantee` the release's threshold that
    proves nothing takes the place of one that was not found.
    """

    release: Release
    release_sha256: str
    without_guarantee: bool = False

    @property
    def threshold(self) -> float | None:
        """Answer patients whose every image is as confident; None: nobody."""
        rule = self.release.rule
        return rule.unproven_threshold if self.is_unproven else rule.threshold

    @property
    def is_unproven(self) -> bool:
        """Whether answers are given although no threshold was found."""
        return self.without_guarantee and not self.release.rule.found

    def decide(self, evidence: Evidence, lowest: float | None, decided_at: str) -> Decision:
        """Return the decision on one study.

        Parameters
        ----------
        evidence : Evidence
        lowest : float or None
            The lowest confidence among all images of the patient, of other studies too; None
            without any image.
        decided_at : str
            UTC in ISO 8601.
        """
        reason, detail = next(self._reasons(evidence, lowest), ("", ""))
        shown = self._shown(evidence.images)
        classes = self.release.classes
        return Decision(
            patient=evidence.patient,
            study=evidence.study,
            outcome=REFERRED if reason else ANSWERED,
            reason=reason,
            detail=detail or self._answer(evidence),
            predicted="" if shown is None else classes[shown.predicted],
            probabilities={}
            if shown is None
            else dict(zip(classes, map(float, shown.probabilities), strict=True)),
            confidence=lowest if evidence.images else None,
            threshold=self.threshold,
            site=self._site(evidence.images),
            num_images=len(evidence.images),
            decided_at=decided_at,
            release=self.release_sha256,
        )

    def _reasons(self, evidence: Evidence, lowest: float | None) -> Iterator[tuple[str, str]]:
        """Yield every reason to refer, the gravest first, and a sentence on it."""
        yield from _faults(evidence)
        yield from _outside(evidence.images, self.release)
        foreign = [each for each in evidence.images if not self._is_in_scope(each)]
        if foreign:
            least = min(each.scope_score for each in foreign)
            yield (
                "out of scope",
                f"{_of(len(foreign), len(evidence.images))} unlike those of the study: "
                f"{self.release.scope.score} {least:.4g}, "
                f"at least {self.release.scope.threshold:.4g} expected.",
            )
        if self.threshold is None:
            yield "no guarantee", self.release.rule.guarantee
        elif lowest is not None and lowest < self.threshold - TIE:
            yield (
                "not confident",
                f"The lowest confidence is {lowest:.4f}, at least {self.threshold:.4f} is needed.",
            )

    def _is_in_scope(self, image: Image) -> bool:
        return image.scope_score >= self.release.scope.threshold

    def _shown(self, images: Sequence[Image]) -> Image | None:
        """Return the image that a study's class and probabilities are of.

        A critical class that any image shows comes first, then the rarest in the study, as
        `pipeline.metrics.patient_units.rarest_labels` has it; of several such images the one that
        the model is least sure of.
        """
        release = self.release

        def order(image: Image) -> tuple[bool, float, float]:
            name = release.classes[image.predicted]
            prevalence = release.reference.prevalence[name]
            return name not in release.critical_classes, prevalence, image.confidence

        return min(images, key=order, default=None)

    def _answer(self, evidence: Evidence) -> str:
        counts = Counter(self.release.classes[each.predicted] for each in evidence.images)
        said = ", ".join(f"{count} {name}" for name, count in counts.most_common())
        groups = [*_risky_groups(evidence.images, self.release.limits)]
        return " ".join(
            (
                f"Every image is as confident as needed: {said}.",
                *(["Answered without a guarantee."] if self.is_unproven else []),
                *(f"In the study, answers on {each} were wrong more often." for each in groups),
            )
        )

    def _site(self, images: Sequence[Image]) -> str:
        sites = {each.site for each in images} - {NOT_RECORDED}
        return min(sites) if len(sites) == 1 and self.release.limits.sites is not None else ""


def _faults(evidence: Evidence) -> Iterator[tuple[str, str]]:
    counts = Counter(evidence.faults)
    for fault in sorted(counts, key=lambda each: each in INCOMPLETE):
        many = f"{counts[fault]} of its files" if counts[fault] > 1 else "One of its files"
        if fault in INCOMPLETE:
            yield "missing image", f"A series is incomplete: {fault}."
        else:
            yield "unreadable", f"{many} cannot be used: {fault}."
    if not evidence.images and evidence.of_another_kind:
        what = evidence.of_another_kind[0]
        yield ("missing image" if what == SINGLE_SLICE else "outside limits"), f"{what}."


def _outside(images: Sequence[Image], release: Release) -> Iterator[tuple[str, str]]:
    """Yield what of the patient the study did not see enough of.

    Of formats that say nothing of a patient nothing can be held against it.
    """
    if release.preprocessing.reader != "dicom":
        return
    for column, seen in _seen(release.limits).items():
        for group in dict.fromkeys(_groups(image)[column] for image in images):
            if group not in seen:
                yield (
                    "outside limits",
                    f"{column.capitalize()} {group}: the study saw enough patients of "
                    f"{', '.join(seen) or 'none'}.",
                )


def _seen(limits: Limits) -> dict[str, list[str]]:
    stated = {"age band": limits.age_bands, "sex": limits.sexes, "site": limits.sites}
    return {column: seen for column, seen in stated.items() if seen is not None}


def _groups(image: Image) -> dict[str, str]:
    return {"age band": age_band(image.age), "sex": image.sex, "site": image.site}


def _risky_groups(images: Sequence[Image], limits: Limits) -> Iterator[str]:
    """Yield the patient's groups whose answers were wrong more often than others' in the study."""
    own = {
        (column.replace(" ", "_"), group)
        for image in images
        for column, group in _groups(image).items()
    }
    for each in limits.excess_risk:
        if (each.column, each.group) in own:
            yield f"{each.column.replace('_', ' ')} {each.group}"


def _of(num: int, total: int) -> str:
    if total == 1:
        return "The image is"
    return f"{num} of {total} images {'is' if num == 1 else 'are'}"
