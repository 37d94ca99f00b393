"""What releases say of themselves, made by hand: no file, no network, no torch."""

from pipeline.releasing import Release

CLASSES = ["no finding", "benign", "malignant"]
SHA256 = "a" * 64


def make_release(**changes):
    """What a release says of itself; keys with a double underscore reach one level down."""
    stated = {
        "name": "Phantom",
        "study": "study",
        "experiment": "experiment",
        "loss": "gce",
        "network": {"kind": "densenet"},
        "network_name": "tiny",
        "recipe": "tiny",
        "members": [
            {
                "seed": 0,
                "weights": "models/model.safetensors",
                "mean": [0.0],
                "sd": [1.0],
                "logit_scale": 1.0,
                "cosine_head": False,
                "config_hash": "c",
                "logits_sha256": SHA256,
                "revision": "r",
                "dirty": False,
            }
        ],
        "classes": CLASSES,
        "critical_classes": ["malignant"],
        "codes": {
            name: {"scheme": "99CALIMG", "value": f"C{number}", "meaning": name}
            for number, name in enumerate(CLASSES)
        },
        "modality": None,
        "image_size": [8, 8],
        "channels": 1,
        "preprocessing": {
            "dataset": "phantom",
            "adapter": "phantom",
            "reader": "dicom",
            "arguments": {},
            "dtype": "uint8",
            "spacing_mm": None,
        },
        "calibrator": {"name": "temperature", "state": {}, "preserves_argmax": True},
        "rule": {
            "score": "confidence",
            "threshold": 0.5,
            "unproven_threshold": None,
            "target": 0.1,
            "delta": 0.05,
            "status": "found",
            "num_patients": 400,
            "num_test_patients": 100,
            "expected_answered": 0.8,
            "expected_risk": 0.05,
            "guarantee": "At most 10% of the answers are wrong, with 95% confidence.",
        },
        "scope": {
            "score": "likeness",
            "threshold": -1e9,
            "quantile": 0.01,
            "num_cases": 100,
            "splits": ["val"],
        },
        "limits": {
            "sites": None,
            "sexes": None,
            "age_bands": None,
            "at_least": 10,
            "excess_risk": [],
        },
        "reference": {
            "split": "threshold",
            "num_cases": 10,
            "num_patients": 5,
            "confidence_quantiles": [0.5, 1.0],
            "prevalence": dict.fromkeys(CLASSES, 1 / 3),
            "referred": 0.2,
            "out_of_scope": 0.01,
            "mean_error_answered": 0.05,
        },
        "provenance": {
            "dataset_title": "A study",
            "licence": "none",
            "citation": "none",
            "simulated": True,
            "data_fingerprint": SHA256,
            "revision": "r",
            "dirty": False,
            "versions": {},
        },
        "parent": None,
    }
    for key, value in changes.items():
        outer, _, inner = key.partition("__")
        if inner:
            stated[outer] = stated[outer] | {inner: value}
        else:
            stated[outer] = value
    return Release.model_validate(stated)


def without_threshold(**changes):
    """A release whose guarantee was not found."""
    rule = {
        "rule__threshold": None,
        "rule__status": "none",
        "rule__guarantee": "No threshold met the target.",
    }
    return make_release(**rule | changes)
