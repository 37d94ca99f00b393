import pandas as pd
import pytest

from pipeline.tables.derived.comparison import comparison_table
from pipeline.tables.parts.wording import RESAMPLED_ECE
from pipeline.tables.reliability import (
    calibration_sentence,
    shown_reliability,
    summarise_calibration,
    trust_sentence,
)


def with_bins(scores, rows):
    columns = ["count", "confidence", "accuracy", "consistency_lower", "consistency_upper"]
    bins = pd.DataFrame(rows, columns=columns)
    bins = bins.assign(loss="gce", calibrator="ats", bin=range(len(rows)), lower_edge=0.0,
                       upper_edge=1.0)  # fmt: skip
    return scores.having(reliability=bins)


BINS = [
    (100.0, 0.9, 0.80, 0.85, 0.95),  # below its bar
    (100.0, 0.7, 0.72, 0.62, 0.78),  # within
    (20.0, 0.5, 0.10, 0.30, 0.70),  # too few to count
    (0.0, float("nan"), float("nan"), float("nan"), float("nan")),
]


def test_the_gap_is_mean_confidence_minus_accuracy_over_all_cases(screening):
    summary = summarise_calibration(with_bins(screening, BINS), "gce", "ats")
    expected = (100 * (0.9 - 0.80) + 100 * (0.7 - 0.72) + 20 * (0.5 - 0.10)) / 220
    assert summary.gap == pytest.approx(expected, rel=1e-12)


def test_only_bins_of_thirty_and_more_are_judged(screening):
    summary = summarise_calibration(with_bins(screening, BINS), "gce", "ats")
    assert (summary.num_within, summary.num_bins) == (1, 2)


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [(0.80, "10.0 points over-confident"), (1.0, "10.0 points under-confident"),
     (0.9, "neither over- nor under-confident")],
)  # fmt: skip
def test_the_sentence_says_on_which_side_confidence_is_off(screening, accuracy, words):
    bins = with_bins(screening, [(100.0, 0.9, accuracy, 0.85, 0.95)])
    assert words in calibration_sentence(bins, "gce", "ats")


def test_bins_all_within_their_bars_are_within_sampling_error(screening):
    bins = with_bins(screening, [(100.0, 0.9, 0.91, 0.85, 0.95)])
    assert trust_sentence(bins).startswith("Confidence is within sampling error in every bin")


def test_bins_too_small_to_judge_are_not_called_calibrated(screening):
    bins = with_bins(screening, [(20.0, 0.9, 0.91, 0.85, 0.95)])
    assert trust_sentence(bins) == "Too few cases in every confidence bin to tell."


def test_a_bin_of_fewer_than_thirty_gives_no_rate(screening):
    table = shown_reliability(with_bins(screening, BINS), "gce")
    assert [cells[2].text for cells in table.rows] == ["100", "100", "20"]
    assert [cells[4].text for cells in table.rows] == ["80.0%", "72.0%", "–"]


def test_the_page_says_how_often_chance_alone_puts_a_bin_off(screening):
    sentence = trust_sentence(with_bins(screening, BINS))
    assert sentence.startswith(
        "Confidence is off in 1 of 2 bins, where 95% of calibrated models are off in none; mean gap"
    )
    assert calibration_sentence(with_bins(screening, BINS), "gce", "ats").endswith(
        "1 of 2 bins with 30 cases or more lie in ranges that hold every bin of 95% of calibrated "
        "models."
    )


def test_the_comparison_says_which_intervals_there_are(screening):
    assert RESAMPLED_ECE in comparison_table(screening).caption


def test_without_a_bin_of_thirty_no_bin_is_counted(screening):
    bins = with_bins(screening, [(20.0, 0.9, 0.91, 0.85, 0.95)])
    assert calibration_sentence(bins, "gce", "ats") == (
        "Adaptive temperature scaling (ats): on average 1.0 points under-confident; no bin has "
        "30 cases, so none is judged."
    )


def test_one_bin_is_one(screening):
    bins = with_bins(screening, [(100.0, 0.9, 0.91, 0.85, 0.95)])
    assert "1 of 1 bin with 30 cases or more lies in a range" in calibration_sentence(
        bins, "gce", "ats"
    )
