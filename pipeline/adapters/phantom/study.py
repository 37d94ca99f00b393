"""A simulated screening study whose label probabilities are known.

Every image has four standard-normal features, part of which its patient's images share. Given
them, the label follows a softmax law, so the true posterior of every image is known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float, Int
from pydantic import Field, model_validator

from pipeline.config.reading import Strict

FEATURES = ("size", "contrast", "irregularity", "texture")


class Site(Strict):
    """A hospital: its scanner, and who is sent there.

    `feature_shift` moves its patients' features, and so the prevalence; the law stays the same.
    `gain` multiplies the signal, `noise` is a standard deviation in the image's own units, and
    slope and intercept say how the scanner stores its values.
    """

    name: str
    share: float = Field(gt=0, le=1)
    gain: float = Field(gt=0)
    noise: float = Field(ge=0)
    feature_shift: float
    slope: float = Field(gt=0)
    intercept: float


class Law(Strict):
    """Class c has the logit ``intercepts[c] + coefficients[c] . features``."""

    intercepts: tuple[float, ...] = (0.0, -4.7, -11.1)
    coefficients: tuple[tuple[float, float, float, float], ...] = (
        (0.0, 0.0, 0.0, 0.0),
        (4.5, 3.75, -2.25, 0.0),
        (3.75, 2.25, 6.0, 3.75),
    )

    @model_validator(mode="after")
    def _one_row_a_class(self) -> Self:
        if len(self.intercepts) != len(self.coefficients):
            message = "'intercepts' and 'coefficients' need one row a class"
            raise ValueError(message)
        return self


class StudyArguments(Strict):
    """What is simulated. `patient_share` is the share of a feature's variance that is a patient's.

    `monochrome1_share` of the images are stored with low values bright, `rle_share` compressed.
    Patients are numbered from `first_patient`, so that two studies can be of different people.
    """

    seed: int = Field(default=0, ge=0)
    num_patients: int = Field(default=1200, ge=1)
    first_patient: int = Field(default=0, ge=0)
    image_shares: tuple[float, ...] = (0.3, 0.4, 0.3)
    patient_share: float = Field(default=0.3, ge=0, le=1)
    monochrome1_share: float = Field(default=0.15, ge=0, le=1)
    rle_share: float = Field(default=0.05, ge=0, le=1)
    law: Law = Law()
    sites: tuple[Site, ...] = (
        Site(
            name="north", share=0.6, gain=1.0, noise=15.0, feature_shift=-0.1,
            slope=0.5, intercept=-512.0,
        ),
        Site(
            name="south", share=0.4, gain=0.85, noise=25.0, feature_shift=0.15,
            slope=1.0, intercept=-1024.0,
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class PhantomStudy:
    """Who was examined, and what is true of every image."""

    sites: Int[np.ndarray, "patients"]
    sexes: np.ndarray
    ages: Int[np.ndarray, "patients"]
    """The site's number; "F" or "M"; whole years."""
    patients: Int[np.ndarray, "images"]
    numbers: Int[np.ndarray, "images"]
    """Whose image it is, and which of theirs, from 1."""
    features: Float[np.ndarray, "images features"]
    """In the order of `FEATURES`."""
    truth: Float[np.ndarray, "images classes"]
    """The probabilities that the labels were drawn from."""
    labels: Int[np.ndarray, "images"]
    """Classes."""
    is_monochrome1: np.ndarray
    is_rle: np.ndarray
    """How the image is stored; (images,)."""


def draw_study(arguments: StudyArguments) -> PhantomStudy:
    """Draw a study; the same arguments give the same study."""
    random = np.random.default_rng([arguments.seed, 0])
    num_patients = arguments.num_patients
    shares = np.array([site.share for site in arguments.sites])
    sites = random.choice(len(shares), size=num_patients, p=shares / shares.sum())
    image_shares = np.array(arguments.image_shares)
    num_images = 1 + random.choice(
        len(image_shares), size=num_patients, p=image_shares / image_shares.sum()
    )
    patients = np.repeat(np.arange(num_patients), num_images)
    numbers = (
        1 + np.arange(len(patients)) - np.repeat(np.cumsum(num_images) - num_images, num_images)
    )
    features = _draw_features(random, arguments, sites[patients], patients)
    truth = class_probabilities(features, arguments.law)
    # A draw falls below as many cumulated probabilities as there are classes above its own.
    draws = random.random((len(patients), 1))
    labels = np.minimum((draws >= np.cumsum(truth, axis=1)).sum(axis=1), truth.shape[1] - 1)
    return PhantomStudy(
        sites=sites,
        sexes=random.choice(np.array(["F", "M"]), size=num_patients),
        ages=np.clip(random.normal(58, 12, num_patients), 25, 89).astype(int),
        patients=patients,
        numbers=numbers,
        features=features,
        truth=truth,
        labels=labels,
        is_monochrome1=random.random(len(patients)) < arguments.monochrome1_share,
        is_rle=random.random(len(patients)) < arguments.rle_share,
    )


def _draw_features(
    random: np.random.Generator,
    arguments: StudyArguments,
    sites: Int[np.ndarray, "images"],
    patients: Int[np.ndarray, "images"],
) -> Float[np.ndarray, "images features"]:
    """Return each site's shift, plus the patient's part and the image's own, of variance one."""
    of_patient = random.normal(size=(arguments.num_patients, len(FEATURES)))
    of_image = random.normal(size=(len(patients), len(FEATURES)))
    share = arguments.patient_share
    shift = np.array([site.feature_shift for site in arguments.sites])[sites, None]
    return shift + np.sqrt(share) * of_patient[patients] + np.sqrt(1 - share) * of_image


def class_probabilities(
    features: Float[np.ndarray, "images features"], law: Law
) -> Float[np.ndarray, "images classes"]:
    """Return the true label probabilities of some features.

    >>> class_probabilities(np.zeros((1, 4)), Law(intercepts=(0, 0), coefficients=((0,) * 4,) * 2))
    array([[0.5, 0.5]])
    """
    logits = np.array(law.intercepts) + features @ np.array(law.coefficients).T
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
