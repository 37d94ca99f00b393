import numpy as np
import pytest

from pipeline.artifacts import ForeignPredictions
from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.ood_answered import ood_answered_table
from pipeline.tables.ood_confidence import ood_confidence_table
from pipeline.tables.operating_points import operating_points_table
from pipeline.tables.parts.partners import PartnerRun

TARGETS = [1e-6, 0.2]


def partner(run, confidences, *, kind="far_ood"):
    """Foreign cases of which the uncalibrated model is so sure."""
    p = np.array(confidences)
    rest = (1 - p) / 2
    names = np.array([f"foreign-{number}" for number in range(len(p))])
    logits = np.log(np.column_stack([p, rest, rest]))
    return PartnerRun(run, "spoons", kind, ForeignPredictions(logits, names, names))


@pytest.fixture(scope="module")
def points(runs):
    return operating_points_table(runs, targets=TARGETS, delta=0.05)


def test_the_threshold_of_the_operating_points_counts_what_it_answers(runs, points):
    run = runs[2]
    own = points[(points["loss"] == run.loss) & (points["seed"] == run.seed)]
    own = own[(own["calibrator"] == "identity") & (own["target"] == 0.2)]
    threshold = own["threshold"].item()
    each = partner(run, [threshold + 1e-6, threshold - 1e-6, 0.999999, 0.34])
    table = ood_answered_table([each], points, TARGETS)
    row = table[(table["calibrator"] == "identity") & (table["target"] == 0.2)].iloc[0]
    assert (row["threshold"], row["answered"], row["foreign"]) == (threshold, 2, 4)
    assert row["rate"] == 0.5
    interval = proportion_interval(2, 4)
    assert (row["lower"], row["upper"]) == (interval.lower, interval.upper)


def test_without_a_threshold_nobody_is_answered(runs, points):
    table = ood_answered_table([partner(runs[0], [0.999999] * 30)], points, TARGETS)
    none = table[table["target"] == 1e-6]
    assert none["threshold"].isna().all()
    assert (none["answered"] == 0).all()
    assert (none["lower"] == 0).all()
    # Nobody of 30, exactly: 1 - 0.025^(1/30).
    np.testing.assert_allclose(none["upper"], 1 - 0.025 ** (1 / 30), rtol=1e-12)


def test_confidence_is_counted_bin_by_bin_beside_the_known_cases(runs):
    each = partner(runs[0], [0.999, 0.97, 0.96, 0.5])
    table = ood_confidence_table(runs[0], [each], ["identity"])
    assert list(table["partner"].unique()) == ["known", "spoons"]
    assert list(table["kind"].unique()) == ["known", "far_ood"]
    spoons = table[table["partner"] == "spoons"].set_index("right")
    assert len(spoons) == 20
    assert spoons.loc[1.0, ["cases", "share"]].tolist() == [3, 0.75]
    assert spoons.loc[0.5, "cases"] == 1  # on the edge, which closes its bin
    known = table[table["partner"] == "known"]
    assert known["cases"].sum() == len(runs[0].test.predictions)
    np.testing.assert_allclose(table.groupby("partner")["share"].sum(), 1)


def test_only_the_shown_model_and_partners_out_of_scope_are_drawn(runs):
    labelled = PartnerRun(runs[0], "noisy", "corruption", runs[0].test.predictions)
    other = partner(runs[1], [0.5])
    table = ood_confidence_table(runs[0], [labelled, other], ["identity", "temperature"])
    assert set(table["partner"]) == {"known"}
    assert list(table["calibrator"].unique()) == ["identity", "temperature"]
