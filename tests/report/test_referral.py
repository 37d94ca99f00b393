import pandas as pd

from pipeline.report.panels.decisions import net_benefit_panels
from pipeline.report.panels.referral import best_sentence, referral_benefit_panels
from tests.report.test_answers import small_class


def policies(**values):
    return pd.concat(
        pd.DataFrame(
            {"policy": policy, "threshold_probability": [0.1, 0.2, 0.3], "net_benefit": benefit}
        )
        for policy, benefit in values.items()
    )


def test_the_policy_of_most_benefit_is_named_by_preference():
    rows = policies(act_on_all=[0.3, 0.1, 0.0], model_with_referral=[0.2, 0.2, 0.2])
    assert best_sentence(rows).endswith("at 10%, act on all; at 20% to 30%, answer or refer.")


def test_of_equal_policies_the_simplest_is_named():
    rows = policies(model_with_referral=[0.2 + 1e-15] * 3, refer_all=[0.2] * 3)
    assert best_sentence(rows).endswith("at 10% to 30%, refer all.")


def test_a_critical_class_has_a_panel_that_says_what_was_assumed(screening):
    (panel,) = referral_benefit_panels(screening)
    assert panel.title == "Net benefit with referral: malignant"
    assert "154 of 600 test cases have; 183 are referred" in panel.sentence
    assert "readers were not studied" in panel.sentence
    assert {row[0].text for row in panel.table.rows} == {
        "answer or refer", "answer all", "refer as many at random", "refer all", "act on all",
        "act on none",
    }  # fmt: skip


def test_a_masked_class_has_no_curve_that_would_tell_its_share(screening):
    few = small_class(screening, 9)
    assert referral_benefit_panels(few) == []
    assert net_benefit_panels(few) == []


def test_where_nobody_is_answered_referring_all_is_all_there_is(screening):
    points = screening.frame("operating_points").assign(answered=0)
    none = screening.having(operating_points=points)
    assert referral_benefit_panels(none) == []


def test_what_was_not_computed_has_no_panel(digits):
    assert referral_benefit_panels(digits) == []
