import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline.metrics.guarantee import choose_threshold, sequence_starts
from pipeline.metrics.risk_tests import RISK_TESTS
from pipeline.metrics.threshold_choice import Question
from pipeline.tables.parts.sentences import (
    OperatingPoint,
    critical_sentences,
    guarantee_sentence,
    in_a_hundred,
    main_sentence,
    verdict,
)
from pipeline.tables.parts.sentences import test_sentence as sentence_on_the_test

NAN = float("nan")
FOUND = OperatingPoint(
    status="found",
    target=0.05,
    delta=0.05,
    threshold=0.846,
    num_threshold_patients=600,
    minimum_answered=87,
    lowest_upper_limit=0.016,
    lowest_limit_wrong=1,
    lowest_limit_answered=288,
    num_candidates=34,
    num_test=500,
    answered=412,
    referred=88,
    wrong=7,
    risk=7 / 412,
    risk_lower=0.0069,
    risk_upper=0.0347,
    one_sided_upper=0.0316,
    unit="patients",
)
UNANSWERED = {"threshold": NAN, "answered": 0, "referred": 500, "wrong": 0, "risk": NAN}


def point(**changes):
    return dataclasses.replace(FOUND, **changes)


def test_a_found_threshold_is_told_in_counts_with_its_interval():
    assert main_sentence(FOUND) == (
        "At confidence 84.6% or more, the model answered 412 of 500 test patients (82.4%) and "
        "referred 88. It was wrong in 7 of 412 (1.7%; 95% CI 0.7–3.5%)."
    )


NONE = {"status": "none", "num_candidates": 4, "lowest_upper_limit": 0.062, **UNANSWERED}


def test_no_threshold_names_what_was_tried_and_refers_every_case():
    assert main_sentence(point(**NONE)) == (
        "None of the 4 thresholds tried, each answering at least 87 patients, could be shown to "
        "meet 5%. The lowest upper limit was 6.2% (1 wrong of 288). Refer every case."
    )


def test_a_single_threshold_tried_is_told_in_the_singular():
    alone = NONE | {"num_candidates": 1, "minimum_answered": 59}
    assert main_sentence(point(**alone)).startswith(
        "The one threshold tried, answering at least 59 patients, could not be shown to meet 5%. "
    )


def test_what_is_said_of_the_tried_is_true_of_the_rule():
    wrong = np.arange(600) % 4 == 0
    choice = choose_threshold(np.linspace(1, 0, 600), wrong, target=0.05, delta=0.05)
    question = Question(0.05, 0.05, RISK_TESTS["exact_binomial"])
    starts = sequence_starts(600, question)
    # Each sequence ended where it began: what was tried are the starts and nothing else.
    assert (choice.status, choice.num_candidates) == ("none", len(starts))
    assert choice.minimum_answered == min(starts)
    limits = RISK_TESTS["exact_binomial"].upper_limit(
        np.array([wrong[:start].sum() for start in starts]), np.array(starts), 0.05 / len(starts)
    )
    assert choice.best.upper_limit == min(limits) > 0.05


def test_too_few_cases_tells_how_many_were_needed():
    few = point(
        **{"status": "too_few", "num_threshold_patients": 41, "minimum_answered": 59},
        **{"num_candidates": 0, **UNANSWERED},
    )
    assert main_sentence(few) == (
        "Too few cases to tell: even with no errors 59 answered patients are needed; there were 41."
    )


def test_a_test_limit_above_the_target_is_said():
    assert sentence_on_the_test(point(one_sided_upper=0.0548)) == (
        "The test set alone does not confirm 5%: its one-sided 95% upper limit is 5.5%."
    )


def test_a_test_estimate_above_the_target_means_not_met():
    assert sentence_on_the_test(point(risk=0.061, one_sided_upper=0.08)) == (
        "Test error was 6.1%, above 5%: treat the target as not met."
    )


def test_nothing_is_added_where_the_test_bears_the_target_out():
    assert sentence_on_the_test(FOUND) == ""


def test_the_guarantee_names_what_it_does_not_promise():
    said = guarantee_sentence(FOUND)
    assert said == (
        "The threshold came from 600 separate patients by a rule that, over repeated samples from "
        "the same population, passes a threshold with true error above 5% at most 5% of the time; "
        "it promises nothing for other sites, scanners, subgroups or one patient."
    )


def test_nothing_is_guaranteed_without_a_threshold():
    assert guarantee_sentence(point(status="none", **UNANSWERED)) == ""


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ((100, 83, 2), "Reads 83 of 100 patients alone, 2 of them wrong; refers 17."),
        ((600, 417, 1), "Reads 70 of 100 patients alone, fewer than 1 of them wrong; refers 30."),
        ((600, 600, 0), "Reads all of 100 patients alone, none of them wrong; refers none."),
        (
            (600, 599, 0),
            "Reads more than 99 of 100 patients alone, none of them wrong; refers fewer than 1.",
        ),
        (
            (600, 1, 1),
            "Reads fewer than 1 of 100 patients alone, fewer than 1 of them wrong; refers "
            "more than 99.",
        ),
        ((600, 0, 0), "Reads none of 100 patients alone; refers all."),
    ],
)
def test_the_operating_point_fits_in_a_sentence(counts, sentence):
    num_test, answered, wrong = counts
    changes = {"num_test": num_test, "answered": answered, "referred": num_test - answered}
    assert in_a_hundred(point(**changes, wrong=wrong)) == sentence


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "found"),
        ({"one_sided_upper": 0.0501}, "unconfirmed"),
        ({"risk": 0.0501, "one_sided_upper": 0.09}, "missed"),
        ({"risk": NAN, "one_sided_upper": NAN, "answered": 0}, "unconfirmed"),
        ({"status": "none", **UNANSWERED}, "none"),
        ({"status": "too_few", **UNANSWERED}, "too_few"),
    ],
)
def test_every_outcome_has_its_own_verdict(changes, kind):
    assert verdict(point(**changes))[0] == kind


def test_a_critical_class_is_told_by_its_errors_and_referrals():
    rows = pd.DataFrame({"class": ["malignant"], "cases": [48], "wrong": [3], "referred": [20]})
    assert critical_sentences(rows, ["malignant"], "patients") == (
        "Of 48 patients with malignant, 3 were answered wrongly and 20 referred.",
    )


def test_a_critical_class_of_nine_is_not_shown():
    rows = pd.DataFrame({"class": ["malignant"], "cases": [NAN], "wrong": [NAN], "referred": [NAN]})
    assert critical_sentences(rows, ["malignant"], "patients") == (
        "malignant: fewer than 10 patients, or shown it would give such a class away: not shown.",
    )


def test_a_critical_class_without_a_test_patient_is_said_to_be_unknown():
    rows = pd.DataFrame({"class": ["malignant"], "cases": [0], "wrong": [0], "referred": [0]})
    assert critical_sentences(rows, ["malignant"], "patients") == (
        "malignant: none of the test patients, so nothing is known of it.",
    )


def test_one_patient_is_told_in_the_singular():
    found = point(num_test=1, answered=1, referred=0, num_threshold_patients=1, wrong=0, risk=NAN)
    assert "answered 1 of 1 test patient (100%)" in main_sentence(found)
    assert guarantee_sentence(found).startswith("The threshold came from 1 separate patient by")


def test_without_separate_cases_none_are_said_to_be_too_few():
    none = point(status="too_few", num_threshold_patients=0, **UNANSWERED)
    assert verdict(none) == ("too_few", "No threshold was searched: no separate cases were given")
    assert main_sentence(none).startswith("No separate cases were given, so no threshold was")
