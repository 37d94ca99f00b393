import numpy as np
import pandas as pd
import pytest

from pipeline.monitoring.decision_log import read_decisions
from pipeline.monitoring.watching import CHOSEN_LEVEL, watch
from tests.monitoring.watched_release import (
    CLASSES,
    SHA256,
    confidences,
    decision,
    draw_log,
    release,
    write_log,
)


@pytest.fixture
def watched(tmp_path):
    """Watch what lines and their labels say."""

    def watched(lines, labels=None, **changes):
        log = read_decisions([write_log(tmp_path / "log", lines)], release=SHA256, classes=CLASSES)
        if labels is not None:
            keys = pd.DataFrame(lines)[["patient", "study"]]
            labels = keys.assign(label=labels).dropna(ignore_index=True)
        return watch(release(**changes), log, labels)

    return watched


def test_a_patient_counts_once_with_the_first_study_that_was_decided(watched):
    lines = [
        decision(study="s1"),
        decision(patient="p1", study="s2", outcome="referred", reason="not confident"),
        decision(study="s3", predicted="malignant"),
        decision(patient="p1", study="s4"),
    ]
    seen = watched(lines, ["benign", "benign", "benign", "malignant"])
    assert (seen.num_studies, len(seen.patients), seen.num_answered) == (4, 2, 1)
    assert (len(seen.labelled), seen.num_wrong) == (1, 0)
    assert len(seen.changes["referral"].log_path) == 2


def test_labels_are_taken_in_the_order_in_which_they_came(watched):
    lines, _ = draw_log(40)
    lines = [line for line in lines if line["outcome"] == "answered"]
    right = [line["predicted"] for line in lines]
    wrong = [CLASSES[1 - CLASSES.index(each)] for each in right]
    early = watched(lines, [wrong[0], *right[1:]]).excess
    late = watched(lines, [*right[:-1], wrong[-1]]).excess
    assert early.log_path[0] > 0 > late.log_path[0]
    assert len(early.log_path) == len(lines)


def test_a_good_release_is_not_alarmed_and_a_bad_one_is(watched):
    assert not watched(*draw_log(600, risk=0.02)).excess.found
    assert watched(*draw_log(600, risk=0.15)).excess.found


def test_patients_like_the_releases_own_show_no_change_and_others_do(watched):
    alike = watched(draw_log(1_500)[0]).changes
    assert not alike["confidence"].found
    assert not alike["referral"].found
    others = watched(draw_log(1_500, shift=0.05)[0]).changes
    assert others["confidence"].found
    assert others["referral"].found


def test_files_that_could_not_be_read_are_no_change_of_the_patients(watched):
    lines, _ = draw_log(100)
    bare = {"outcome": "referred", "predicted": "", "confidence": None, "probabilities": {}}
    broken = [decision(patient=f"q{index}", reason="unreadable", **bare) for index in range(50)]
    seen = watched(broken + lines)
    assert len(seen.patients) == 150
    assert len(seen.changes["confidence"].log_path) == len(seen.changes["referral"].log_path) == 100


def test_a_site_that_is_worse_is_named_and_groups_share_delta(watched):
    lines, labels = draw_log(1_200, risk=0.01)
    labels = [
        CLASSES[1 - CLASSES.index(label)]
        if line["site"] == "north" and int(line["patient"][1:]) % 7 == 0
        else label
        for line, label in zip(lines, labels, strict=True)
    ]
    groups = {group.name: group for group in watched(lines, labels).groups}
    assert set(groups) == {"north", "south", *CLASSES}
    assert groups["north"].excess.found
    assert not groups["south"].excess.found
    assert {group.excess.delta for group in groups.values()} == {0.05 / 4}


def test_a_new_site_takes_a_part_of_delta(watched):
    lines, labels = draw_log(300, sites=("north", "west"))
    groups = watched(lines, labels).groups
    assert {group.excess.delta for group in groups} == {0.05 / 5}


def test_labels_of_those_that_were_doubted_are_told(watched):
    lines, labels = draw_log(1_000)
    doubted = [
        label if line["confidence"] < 0.9 else None
        for line, label in zip(lines, labels, strict=True)
    ]
    sampled = [label if index % 3 == 0 else None for index, label in enumerate(labels)]
    assert watched(lines, doubted).chosen < CHOSEN_LEVEL
    assert watched(lines, sampled).chosen > CHOSEN_LEVEL
    assert watched(lines, labels).chosen is None


def test_the_error_is_estimated_from_the_confidence_of_the_answered(watched):
    lines, _ = draw_log(400)
    sure = [line["confidence"] for line in lines if line["outcome"] == "answered"]
    assert watched(lines).error_answered == pytest.approx(1 - np.mean(sure))


def test_the_prevalence_of_another_clinic_is_estimated(watched):
    # Two normal features, 2 apart, at home as frequent: p(malignant | x) is a sigmoid of 2 x.
    random = np.random.default_rng(0)
    ill = random.random(4_000) < 0.2
    malignant = 1 / (1 + np.exp(-2 * (random.normal(size=4_000) + np.where(ill, 1, -1))))
    lines = [
        decision(
            patient=f"p{index}",
            predicted=CLASSES[int(share > 0.5)],
            confidence=max(share, 1 - share),
            threshold=0.5,
            probabilities={"benign": 1 - share, "malignant": share},
        )
        for index, share in enumerate(malignant.tolist())
    ]
    # Of the last 1,000: a standard error of 0.016.
    assert watched(lines).prevalence["malignant"] == pytest.approx(0.2, abs=0.05)


def test_without_an_answer_nothing_is_estimated_of_answers(watched):
    lines = [decision(outcome="referred", reason="no guarantee")]
    seen = watched(lines, ["benign"])
    assert seen.error_answered is None
    assert (seen.lower[-1], seen.upper[-1]) == (0, 1)
    assert seen.groups == []


def test_the_releases_own_patients_are_drawn_as_the_log_is():
    assert (confidences(4_000, 0) >= 0.8).mean() == pytest.approx(1 - 0.6**6, abs=0.02)


def test_how_many_are_referred_is_no_matter_where_no_threshold_was_found(watched):
    """Such a release answers as many as its user lets it; its own patients were all referred."""
    lines, _ = draw_log(300)
    ruled = watched(lines, reference__referred=1.0)
    assert ruled.changes["referral"].found
    unruled = watched(lines, reference__referred=1.0, rule__threshold=None, rule__status="none")
    assert list(unruled.changes) == ["confidence"]
