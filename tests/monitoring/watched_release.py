"""A release, and logs of what it decided, as the monitor is given them."""

import datetime
import json

import numpy as np
import pandas as pd

from pipeline.hashes import write_hashes
from pipeline.json_files import write_json
from pipeline.provenance import package_versions
from tests.made_releases import make_release

CLASSES = ("benign", "malignant")
SHA256 = "ab" * 32
THRESHOLD = 0.8
NUM_PATIENTS = 400
"""Of the release's own."""
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def confidences(num, seed):
    """Draw calibrated confidences of patients: a quarter or so below the threshold."""
    return np.random.default_rng(seed).beta(6, 1, num) / 2 + 0.5


def release(**changes):
    """Return a release whose own patients are drawn by `confidences`."""
    own = confidences(NUM_PATIENTS, 99)
    stated = {
        "name": "Screening",
        "classes": list(CLASSES),
        "codes": {name: {"scheme": "99CALIMG", "value": name, "meaning": name} for name in CLASSES},
        "rule__threshold": THRESHOLD,
        "rule__target": 0.05,
        "limits__sites": ["north", "south"],
        "reference__num_cases": NUM_PATIENTS,
        "reference__num_patients": NUM_PATIENTS,
        "reference__confidence_quantiles": np.quantile(own, np.linspace(0, 1, 101)).tolist(),
        "reference__prevalence": dict.fromkeys(CLASSES, 0.5),
        "reference__referred": float((own < THRESHOLD).mean()),
        "reference__out_of_scope": 0.0,
        "reference__mean_error_answered": float(1 - own[own >= THRESHOLD].mean()),
        "provenance__versions": package_versions(),
    }
    return make_release(**stated | changes)


def write_release(folder, **changes):
    """Write a release that nothing can be predicted with, and return its folder."""
    folder.mkdir()
    write_json(release(**changes).model_dump(mode="json"), folder / "release.json")
    write_hashes(folder)
    return folder


def draw_log(num, seed=0, *, risk=0.02, sites=("north", "south"), shift=0.0):
    """Return decisions, one a patient, as lists of lines; and their true labels."""
    random = np.random.default_rng((1, seed))
    sureness = np.clip(confidences(num, (2, seed)) - shift, 0.5, 1.0)
    lines, labels = [], []
    for index, confidence in enumerate(sureness):
        answered = confidence >= THRESHOLD
        predicted = random.integers(2)
        wrong = random.random() < risk
        line = decision(
            patient=f"p{index:06}",
            study=f"s{index:06}",
            outcome="answered" if answered else "referred",
            reason="" if answered else "not confident",
            predicted=CLASSES[predicted],
            confidence=float(confidence),
            site=str(random.choice(sites)),
            decided_at=(START + datetime.timedelta(minutes=index)).isoformat(),
        )
        lines.append(line)
        labels.append(CLASSES[predicted ^ wrong])
    return lines, labels


def decision(**changes):
    """Return one decision as its line has it."""
    line = {
        "patient": "p0",
        "study": "s0",
        "outcome": "answered",
        "reason": "",
        "detail": "",
        "predicted": "benign",
        "confidence": 0.9,
        "threshold": THRESHOLD,
        "site": "north",
        "num_images": 1,
        "decided_at": "2026-01-01T00:00:00+00:00",
        "release": SHA256,
    } | changes
    if "probabilities" not in changes:
        sure = line["confidence"]
        first = sure if line["predicted"] == "benign" else 1 - sure
        line["probabilities"] = {"benign": first, "malignant": 1 - first}
    return line


def write_log(path, lines):
    """Write a log, and return its path."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def write_labels(path, lines, labels):
    """Write the labels of decisions, and return their path."""
    keys = pd.DataFrame(lines)[["patient", "study"]]
    keys.assign(label=labels).to_csv(path, index=False)
    return path
