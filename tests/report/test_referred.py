import pandas as pd
import pytest

from pipeline.tables.groups import referred_groups_sentence
from pipeline.tables.per_class import referred_classes_sentence
from tests.report.simulated_scores import handed_out


def with_counts(scores, counts):
    """Cases and referred of each class at the headline's operating point."""
    table = scores.frame("per_class").copy()
    for name, (cases, referred) in counts.items():
        where = table["class"] == name
        table.loc[where, ["cases", "answered", "wrong", "referred"]] = [
            cases, cases - referred, 0, referred,
        ]  # fmt: skip
    return handed_out(scores.having(per_class=table))


def test_a_class_is_held_against_all_others_together(screening):
    counts = {"malignant": (40, 20), "normal": (120, 15), "benign": (80, 35)}
    said = referred_classes_sentence(with_counts(screening, counts))
    # 20 of 40 against 50 of 200: 50 % against 25 %.
    assert said.startswith(
        "malignant is referred 2.0 times as often (20 of 40, 50.0%, against 25.0% of all others; "
        "+25.0 points, 95% CI "
    )
    assert "chance" not in said


def test_the_class_that_is_referred_most_is_named_beside_the_critical(screening):
    counts = {"malignant": (40, 4), "normal": (120, 12), "benign": (80, 40)}
    said = referred_classes_sentence(with_counts(screening, counts))
    assert said.startswith("malignant is referred 0.4 times as often")
    assert "benign is referred 5.0 times as often (40 of 80, 50.0%, against 10.0%" in said


def test_what_chance_may_do_is_said(screening):
    counts = {"malignant": (40, 11), "normal": (120, 30), "benign": (80, 20)}
    said = referred_classes_sentence(with_counts(screening, counts))
    assert "malignant is referred 1.1 times as often" in said
    assert "which chance alone may do" in said


@pytest.mark.parametrize("cases", [9, 29])
def test_a_class_with_too_few_patients_is_not_named(screening, cases):
    counts = {"malignant": (cases, 5), "normal": (120, 30), "benign": (80, 10)}
    assert "malignant" not in referred_classes_sentence(with_counts(screening, counts))


@pytest.mark.parametrize("share", [0, 1])
def test_where_nobody_or_everybody_is_referred_nothing_is_said(screening, share):
    counts = dict.fromkeys(("malignant", "normal", "benign"), (50, 50 * share))
    assert referred_classes_sentence(with_counts(screening, counts)) == ""


def test_a_class_that_alone_is_referred_has_no_ratio(screening):
    counts = {"malignant": (40, 7), "normal": (120, 0), "benign": (80, 0)}
    said = referred_classes_sentence(with_counts(screening, counts))
    assert said.startswith("malignant is referred (7 of 40, 17.5%), and none of the others.")


def group(name, lower, upper, quantity="referred"):
    return {"quantity": quantity, "column": "age_band", "group": name, "num_marked": 30.0,
            "num_patients": 60.0, "share": 0.5, "difference": (lower + upper) / 2,
            "difference_lower": lower, "difference_upper": upper}  # fmt: skip


def test_groups_are_named_by_the_side_on_which_they_lie():
    rows = pd.DataFrame(
        [group("old", 0.1, 0.3), group("young", -0.3, -0.1), group("mid", -0.1, 0.1)]
    )
    assert referred_groups_sentence(rows) == (
        "Referred more than the others: age band old (30 of 60, 50.0%; +20.0 points, +10.0 to "
        "+30.0). Referred less than the others: age band young (30 of 60, 50.0%; −20.0 points, "
        "−30.0 to −10.0)."
    )


def test_errors_and_masked_groups_say_nothing_of_referral():
    nan = float("nan")
    rows = pd.DataFrame([group("old", 0.1, 0.3, "wrong"), group("hidden", nan, nan)])
    assert referred_groups_sentence(rows) == (
        "No group is large enough to compare how often it is referred."
    )


def test_no_group_apart_is_said_of_those_that_were_compared():
    nan = float("nan")
    rows = [group("old", -0.1, 0.3), group("young", -0.3, 0.1), group("hidden", nan, nan)]
    assert referred_groups_sentence(pd.DataFrame(rows)) == (
        "Of 2 groups compared none is referred more or less than the others by more than chance "
        "may do."
    )


def test_only_the_differences_are_said_to_hold_at_once(screening):
    counts = {"malignant": (40, 20), "normal": (120, 15), "benign": (80, 35)}
    said = referred_classes_sentence(with_counts(screening, counts))
    assert said.endswith("Intervals of these differences hold at once for the 3 classes compared.")


def test_masked_classes_are_not_among_the_others(screening):
    counts = {"malignant": (9, 9), "normal": (120, 15), "benign": (80, 35)}
    assert referred_classes_sentence(with_counts(screening, counts)) == ""
