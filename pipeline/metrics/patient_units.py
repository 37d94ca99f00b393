"""From cases to patients: several images of one patient are no independent evidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from pipeline.metrics.weighting import Patients
from pipeline.shapes import Labels, require_same_length


@dataclass(frozen=True)
class PatientUnits:
    """One score and one loss a patient."""

    confidence: Float[np.ndarray, "patients"]
    """Lowest score among the patient's cases."""
    losses: Shaped[np.ndarray, "patients"]
    """Largest loss among them."""
    patients: Shaped[np.ndarray, "patients"]


def whole_patients(
    confidence: Float[np.ndarray, "cases"], losses: Shaped[np.ndarray, "cases"], patients: Patients
) -> PatientUnits:
    """Reduce each patient's cases to one: answered if all are, wrong if any is.

    With the lowest score, a threshold answers a patient only if it answers every case of theirs;
    with the largest loss, the patient is wrong if any case is. So a guarantee made on these units
    is about patients read alone, which is what a clinic refers and what a report counts. No case is
    thrown away and nothing is drawn by lot.

    Raises `InputError` if lengths differ.

    >>> units = whole_patients(
    ...     np.array([0.9, 0.6, 0.8]), np.array([1, 0, 0]), np.array(["a", "a", "b"])
    ... )
    >>> units.confidence, units.losses
    (array([0.6, 0.8]), array([1, 0]))
    """
    require_same_length(confidence=confidence, losses=losses, patients=patients)
    order = np.argsort(patients, kind="stable")
    names, starts = np.unique(patients[order], return_index=True)
    return PatientUnits(
        confidence=np.minimum.reduceat(confidence[order], starts),
        losses=np.maximum.reduceat(losses[order], starts),
        patients=names,
    )


def rarest_labels(labels: Labels, patients: Patients) -> Int[np.ndarray, "patients"]:
    """Return one class a patient, in the order of `whole_patients`: the rarest among their cases.

    Our choice: what is rare, such as a finding in one image of many, is what the patient came for.
    Rarity is by the number of cases here; of equally rare classes the lower number is taken.

    >>> rarest_labels(np.array([0, 1, 0, 0]), np.array(["a", "a", "b", "b"]))
    array([1, 0])
    """
    require_same_length(labels=labels, patients=patients)
    commonness = np.argsort(np.bincount(labels), kind="stable")
    place = np.empty_like(commonness)
    place[commonness] = np.arange(len(commonness))
    return commonness[whole_patients(place[labels], place[labels], patients).confidence]
