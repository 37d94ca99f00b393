"""Cases of a place, drawn: logits whose true probabilities are known."""

import numpy as np
import pandas as pd

from pipeline.artifacts import Predictions


def draw_site(num_patients, seed=0, *, sharpened=1.0, spread=2.0, images=1):
    """Return cases whose labels follow the softmax of their logits before these are sharpened."""
    random = np.random.default_rng(seed)
    num = num_patients * images
    logits = random.normal(0, spread, (num, 3))
    labels = (logits + random.gumbel(size=(num, 3))).argmax(axis=1)
    patients = np.repeat([f"p{index:05}" for index in range(num_patients)], images)
    return Predictions(
        logits=sharpened * logits,
        labels=labels,
        cases=np.array([f"c{index:05}" for index in range(num)]),
        patients=patients,
        groups=pd.DataFrame({"site": np.full(num, "here")}),
    )
