"""From decisions to patients: the first study of each, which alone is counted.

Studies of one patient are not independent, and who comes back differs from who does not. The
guarantee was made for patients drawn once each, so the monitor looks at each patient once.
"""

from __future__ import annotations

import pandas as pd

from pipeline.monitoring.decision_log import MODEL_REASONS
from pipeline.monitoring.label_file import KEYS


def first_studies(log: pd.DataFrame) -> pd.DataFrame:
    """Return each patient's first decision, in the order of time."""
    return log.drop_duplicates("patient", ignore_index=True)


def decided_by_model(patients: pd.DataFrame) -> pd.DataFrame:
    """Return outcome and confidence of those whose images were read and who are in the limits.

    The release's own patients are of that kind; the frame keeps the rows' numbers.
    """
    seen = patients["reason"].isin(MODEL_REASONS) & patients["confidence"].notna()
    return patients.loc[seen, ["outcome", "confidence"]]


def labelled_answers(patients: pd.DataFrame, labels: pd.DataFrame | None) -> pd.DataFrame:
    """Return the answered patients that have a label, in the order of the labels' arrival.

    The frame of the patients with the columns ``label`` and ``wrong``.
    """
    if labels is None:
        return patients.iloc[:0].assign(label="", wrong=False)
    known = labels.merge(patients, on=KEYS, how="inner")
    known = known[known["outcome"] == "answered"].reset_index(drop=True)
    return known.assign(wrong=known["label"] != known["predicted"])
