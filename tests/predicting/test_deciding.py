import numpy as np
import pytest

from pipeline.predicting.deciding import SINGLE_SLICE, Evidence, Image, Rule
from tests.made_releases import SHA256, make_release, without_threshold

NOW = "2026-01-01T00:00:00+00:00"
LIMITS = {"limits__age_bands": ["40-59"], "limits__sexes": ["female"], "limits__sites": ["north"]}
BENIGN, MALIGNANT = [0.1, 0.8, 0.1], [0.0, 0.1, 0.9]


def image(probabilities=BENIGN, *, scope_score=0.0, site="north", sex="female", age=50.0):
    return Image("~f", site, sex, age, np.array(probabilities), scope_score)


def decide(*images, release=None, faults=(), other=(), lowest=None, **options):
    rule = Rule(release or make_release(), SHA256, **options)
    if lowest is None and images:
        lowest = min(each.confidence for each in images)
    return rule.decide(Evidence("p", "s", images, faults, other), lowest, NOW)


def test_a_study_is_answered_with_its_class_and_probabilities():
    decision = decide(image())
    assert (decision.outcome, decision.reason, decision.predicted) == ("answered", "", "benign")
    assert decision.probabilities == {"no finding": 0.1, "benign": 0.8, "malignant": 0.1}
    assert (decision.confidence, decision.threshold, decision.num_images) == (0.8, 0.5, 1)
    assert (decision.release, decision.decided_at) == (SHA256, NOW)


def test_a_study_is_answered_only_if_every_image_reaches_the_threshold():
    assert decide(image([0.5, 0.3, 0.2]), image()).outcome == "answered"
    decision = decide(image([0.49, 0.31, 0.2]), image())
    assert (decision.reason, decision.confidence) == ("not confident", 0.49)
    assert decision.detail == "The lowest confidence is 0.4900, at least 0.5000 is needed."


def test_another_study_of_the_patient_counts_as_it_does_in_evaluate():
    assert decide(image(), lowest=0.4).reason == "not confident"


def test_a_critical_class_in_one_image_is_the_study_s_whatever_the_others_show():
    decision = decide(image(MALIGNANT), image([0.6, 0.2, 0.2]))
    assert (decision.predicted, decision.probabilities["malignant"]) == ("malignant", 0.9)
    assert decision.confidence == 0.6
    assert decision.detail.endswith("1 malignant, 1 no finding.")


def test_without_one_the_rarest_class_of_the_images_is_the_study_s():
    shares = {"no finding": 0.8, "benign": 0.15, "malignant": 0.05}
    release = make_release(reference__prevalence=shares)
    images = image([0.1, 0.9, 0.0]), image([0.6, 0.4, 0.0]), image([0.2, 0.7, 0.1])
    decision = decide(*images, release=release)
    assert decision.predicted == "benign"
    # Of two that show it, the image that the model is less sure of.
    assert decision.probabilities["benign"] == 0.7


def test_one_image_out_of_scope_refers_the_study():
    release = make_release(scope__threshold=-2.0)
    decision = decide(image(), image(scope_score=-3.0), release=release)
    assert decision.reason == "out of scope"
    assert decision.detail == (
        "1 of 2 images is unlike those of the study: likeness -3, at least -2 expected."
    )
    assert decide(image(scope_score=-2.0), release=release).outcome == "answered"


@pytest.mark.parametrize(
    ("known", "detail"),
    [
        ({"age": 61}, "Age band 60-79: the study saw enough patients of 40-59."),
        ({"age": None}, "Age band not recorded: the study saw enough patients of 40-59."),
        ({"sex": "male"}, "Sex male: the study saw enough patients of female."),
        ({"site": "site-1"}, "Site site-1: the study saw enough patients of north."),
    ],
)
def test_patients_whom_the_study_did_not_see_enough_of_are_referred(known, detail):
    decision = decide(image(**known), image(), release=make_release(**LIMITS))
    assert (decision.reason, decision.detail) == ("outside limits", detail)


def test_what_the_study_did_not_record_limits_nobody():
    assert decide(image(age=None, sex="not recorded", site="site-1")).outcome == "answered"


@pytest.mark.parametrize("reader", ["nifti", "picture"])
def test_what_a_format_cannot_say_is_held_against_nobody(reader):
    release = make_release(preprocessing__reader=reader, **LIMITS)
    assert decide(image(age=None, sex="not recorded"), release=release).outcome == "answered"


def test_an_answer_on_a_group_with_more_errors_in_the_study_says_so():
    risk = {"column": "age_band", "group": "40-59", "risk": 0.2, "others": 0.05}
    decision = decide(image(), release=make_release(limits__excess_risk=[risk]))
    assert decision.outcome == "answered"
    assert "answers on age band 40-59 were wrong more often" in decision.detail


def test_one_unreadable_image_refers_the_study_whatever_the_others_show():
    decision = decide(image(), faults=["pixel data cannot be decoded"])
    assert (decision.reason, decision.num_images) == ("unreadable", 1)
    assert decision.detail == "One of its files cannot be used: pixel data cannot be decoded."
    assert decision.predicted == "benign"


def test_a_series_that_lacks_a_slice_is_told_as_a_missing_image():
    incomplete = "slices missing or unevenly spaced"
    assert decide(faults=[incomplete]).reason == "missing image"
    # What is wrong with the slice itself is the graver, and the cause.
    assert decide(faults=[incomplete, "truncated"]).reason == "unreadable"


def test_a_study_without_an_image_has_no_class_and_no_probabilities():
    decision = decide(faults=["truncated", "truncated"], lowest=0.9)
    assert decision.detail == "2 of its files cannot be used: truncated."
    assert (decision.predicted, decision.probabilities, decision.confidence) == ("", {}, None)


def test_images_of_another_kind_refer_a_study_that_has_no_others():
    what = "the modality is CT, the release reads MR"
    assert decide(other=[what]).reason == "outside limits"
    assert decide(other=[SINGLE_SLICE]).reason == "missing image"
    assert decide(image(), other=[what]).outcome == "answered"


def test_without_a_threshold_everybody_is_referred_unless_told():
    release = without_threshold(rule__unproven_threshold=0.7)
    assert decide(image(), release=release).reason == "no guarantee"
    decision = decide(image(), release=release, without_guarantee=True)
    assert (decision.outcome, decision.threshold) == ("answered", 0.7)
    assert "Answered without a guarantee." in decision.detail
    unsure = decide(image([0.69, 0.31, 0.0]), release=release, without_guarantee=True)
    assert unsure.reason == "not confident"


def test_to_answer_without_a_guarantee_changes_nothing_where_there_is_one():
    release = make_release(rule__unproven_threshold=0.1)
    decision = decide(image([0.4, 0.3, 0.3]), release=release, without_guarantee=True)
    assert (decision.reason, decision.threshold) == ("not confident", 0.5)


def test_scores_that_differ_by_a_last_bit_alone_are_one():
    least = np.nextafter(0.5, 0)
    assert decide(image([least, 0.3, 0.2])).outcome == "answered"


def test_the_gravest_reason_is_told_first():
    release = without_threshold(scope__threshold=1.0, **LIMITS)
    told = [
        decide(image(age=20), release=release, faults=["truncated"]),
        decide(image(age=20), release=release),
        decide(image(), release=release),
        decide(image(scope_score=2.0), release=release),
    ]
    reasons = [each.reason for each in told]
    assert reasons == ["unreadable", "outside limits", "out of scope", "no guarantee"]


def test_a_site_is_told_where_the_release_knows_sites():
    assert decide(image()).site == ""
    release = make_release(**LIMITS)
    assert decide(image(), release=release).site == "north"
    assert decide(image(), image(site="south"), release=release).site == ""
