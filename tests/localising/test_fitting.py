from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from pipeline.calibrators.identity import Identity
from pipeline.calibrators.temperature import TemperatureScaling
from pipeline.localising import _decided
from pipeline.localising.fitting import (
    MOST_STARTS,
    alone,
    localised_run,
    patients_needed,
    validate,
)
from pipeline.localising.splitting import SHARES, split_patients
from pipeline.metrics.risk_tests import binomial_upper_limit
from tests.localising.sites import draw_site
from tests.made_releases import make_release

DELTA = 0.05


def run_of(site, calibrator=None):
    parts = split_patients(site)
    return localised_run(calibrator or Identity(), "ats", parts, loss="model", seed=0), parts


def test_a_release_is_validated_by_its_own_rule_worked_out_by_hand():
    site = draw_site(5, images=2)
    # Two images a patient; a logit of 5 is a confidence of 0.987, of 1 one of 0.576.
    sure, unsure = [5.0, 0.0, 0.0], [1.0, 0.0, 0.0]
    logits = np.array([sure, sure, sure, unsure, sure, sure, sure, sure, sure, sure])
    labels = np.array([0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    in_scope = np.ones(10, bool)
    in_scope[9] = False
    rule = make_release(rule__threshold=0.9, rule__target=0.3).rule
    seen = validate(replace(site, logits=logits, labels=labels), Identity(), rule, in_scope)
    # Of five: one is not confident, one out of scope; of the three answered one is wrong.
    assert (seen.num_patients, seen.answered, seen.wrong, seen.out_of_scope) == (5, 3, 1, 1)
    # P(at most 1 of 3 wrong) at the limit is delta.
    assert binom.cdf(1, 3, seen.upper_limit) == pytest.approx(DELTA)
    assert not seen.broken


def test_a_release_is_broken_where_so_many_errors_are_rarer_than_delta_at_the_target():
    site = draw_site(60)
    logits = np.tile([5.0, 0.0, 0.0], (60, 1))
    rule = make_release(rule__threshold=0.9, rule__target=0.1).rule
    for wrong in (10, 11):
        labels = (np.arange(60) < wrong).astype(int)
        cases = replace(site, logits=logits, labels=labels)
        seen = validate(cases, Identity(), rule, np.ones(60, bool))
        assert seen.broken == (binom.sf(wrong - 1, 60, 0.1) <= DELTA)
    assert seen.broken


def test_who_answers_nobody_is_neither_broken_nor_good():
    rule = make_release(rule__threshold=None, rule__status="none").rule
    seen = validate(draw_site(30), Identity(), rule, np.ones(30, bool))
    assert (seen.answered, seen.upper_limit, seen.broken) == (0, 1.0, False)


def test_the_calibrator_sees_its_own_part_alone():
    site = draw_site(400)
    run, parts = run_of(site)
    others = np.isin(site.cases, parts["calibration"].cases, invert=True)
    changed = replace(site, labels=np.where(others, (site.labels + 1) % 3, site.labels))
    assert run_of(changed)[0].calibrators["site"] == run.calibrators["site"]
    changed = replace(site, labels=np.where(others, site.labels, (site.labels + 1) % 3))
    assert run_of(changed)[0].calibrators["site"] != run.calibrators["site"]


def test_the_threshold_depends_on_no_label_of_the_test_part():
    site = draw_site(600)
    run, parts = run_of(site)
    tested = np.isin(site.cases, parts["test"].cases)
    changed = replace(site, labels=np.where(tested, (site.labels + 1) % 3, site.labels))
    one, _ = _decided(alone(run), 0.2, DELTA)
    other, point = _decided(alone(run_of(changed)[0]), 0.2, DELTA)
    assert one.threshold == other.threshold is not None
    assert point.wrong > 0.5 * point.answered


def test_an_overconfident_release_is_softened():
    run, _ = run_of(draw_site(2_000, sharpened=3.0))
    logits = draw_site(4_000, seed=1, sharpened=3.0)
    truth = np.exp(Identity()(logits.logits / 3.0)).max(axis=1).mean()
    found = np.exp(run.calibrators["site"](logits.logits)).max(axis=1).mean()
    # Fitted to 500 cases: a standard error of 0.02.
    assert found == pytest.approx(truth, abs=0.05)
    assert np.exp(run.calibrators["ats"](logits.logits)).max(axis=1).mean() > truth + 0.1


def test_a_release_that_was_localised_before_keeps_its_calibrators_apart():
    parts = split_patients(draw_site(100))
    run = localised_run(TemperatureScaling(2.0), "site", parts, loss="model", seed=0)
    assert list(run.calibrators) == ["identity", "site", "site-2"]
    assert list(alone(run).calibrators) == ["site-2"]


def point_of(num_patients, target, *, spread=2.0):
    run, _ = run_of(draw_site(num_patients, spread=spread))
    return _decided(alone(run), target, DELTA)[1]


def test_too_few_patients_need_those_that_could_pass_without_an_error():
    point = point_of(60, 0.05)
    assert point.status == "too_few"
    missing = point.minimum_answered - point.num_threshold_patients
    assert patients_needed(point) == -(-missing // SHARES["threshold"])


def test_so_many_more_patients_bring_the_upper_limit_to_the_target():
    point = point_of(800, 0.02, spread=4.0)
    assert point.status == "none"
    more = patients_needed(point)
    have = point.num_threshold_patients
    level = DELTA / MOST_STARTS

    def limit(patients):
        times = (have + SHARES["threshold"] * patients) / have
        counts = np.array([point.lowest_limit_wrong]), np.array([point.lowest_limit_answered])
        return binomial_upper_limit(counts[0] * times, counts[1] * times, level)[0]

    # Found on a grid of steps of 0.2 %.
    assert limit(more) <= 0.02 * 1.001
    assert limit(0.99 * more) > 0.02


def test_where_errors_are_as_frequent_as_the_target_more_patients_do_not_help():
    point = point_of(800, 0.1, spread=0.3)
    assert point.status == "none"
    assert patients_needed(point) is None


@pytest.mark.slow
def test_at_300_places_the_true_risk_exceeds_the_target_in_at_most_delta():
    target, exceeded, found = 0.2, 0, 0
    truth = draw_site(40_000, seed=10_000)
    for seed in range(300):
        run, _ = run_of(draw_site(500, seed=seed, sharpened=2.0), TemperatureScaling(1.0))
        rule, _ = _decided(alone(run), target, DELTA)
        if rule.threshold is None:
            continue
        found += 1
        log_probabilities = run.calibrators["site"](2.0 * truth.logits)
        answered = np.exp(log_probabilities).max(axis=1) >= rule.threshold
        # The chance of an error is known; labels would only add noise.
        right = np.exp(Identity()(truth.logits))[
            np.arange(len(truth)), log_probabilities.argmax(axis=1)
        ]
        exceeded += 1 - right[answered].mean() > target
    assert found > 200
    assert exceeded <= binom.ppf(0.999, 300, DELTA)
