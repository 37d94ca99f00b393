import pytest

from pipeline.metrics.intervals import proportion_interval
from pipeline.report.panels.ood import ood_panel
from pipeline.report.panels.shift import (
    CALIBRATION,
    FROZEN,
    of_one_seed,
    over_seeds,
    shift_panels,
)
from pipeline.tables.ood import shown_ood
from pipeline.tables.ood_answered import answered_sentence, shown_ood_answered
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import interval, percent
from pipeline.tables.site_recalibration import shown_site_recalibration

NAN = float("nan")


def shown(scores, partner):
    return pick(scores.frame("shift"), **scores.headline, partner=partner)


def without_threshold(scores):
    """The same scores, had no threshold been found at home."""
    changes = {"threshold": NAN, "answered": 0, "wrong": 0, "coverage": 0.0, "rate": 0.0}
    nothing = dict.fromkeys(("risk", "risk_lower", "risk_upper"), NAN)
    answered = scores.frame("ood_answered")
    return scores.having(
        shift=scores.frame("shift").assign(
            **{k: v for k, v in changes.items() if k != "rate"}, **nothing
        ),
        ood_answered=answered.assign(threshold=NAN, answered=0, rate=0.0, lower=0.0),
        operating_points=scores.frame("operating_points").assign(
            threshold=NAN, status="none", answered=0
        ),
    )


def test_how_many_images_out_of_scope_are_answered_is_said_with_its_interval(screening):
    row = pick(
        screening.frame("ood_answered"), **screening.headline, target=0.05, partner="textures"
    ).iloc[0]
    k, n = int(row["answered"]), int(row["foreign"])
    limits = proportion_interval(k, n)
    assert (
        f"{k} of {n} ({percent(k / n)}; 95% CI {interval(limits.lower, limits.upper)}) "
        "out-of-scope images (textures) were answered."
    ) in answered_sentence(screening)


def test_without_a_threshold_nothing_out_of_scope_is_answered(screening):
    said = answered_sentence(without_threshold(screening))
    assert "0 of 250" in said
    assert said.endswith("No threshold was found, so nothing at all is.")


def test_every_partner_in_scope_has_its_calibration_and_its_frozen_threshold(screening):
    names = [panel.name for panel in shift_panels(screening)]
    assert names == [
        "shift_screening_corrupted", "frozen_screening_corrupted",
        "shift_elsewhere", "frozen_elsewhere",
    ]  # fmt: skip


def test_the_frozen_threshold_says_what_it_does_at_the_worst_and_promises_nothing(screening):
    panel = next(p for p in shift_panels(screening) if p.name == "frozen_screening_corrupted")
    views = shown(screening, "screening_corrupted")
    row = views.loc[views["risk"].idxmax()]
    assert row["view"] in {"gaussian noise 5", "jpeg 5"}
    limits = proportion_interval(int(row["wrong"]), int(row["answered"]))
    assert panel.sentence == (
        "The guarantee does not cover these data. At the threshold from home it is most wrong at "
        f"{row['view']}: {row['wrong']:.0f} of {row['answered']:.0f} ({percent(row['risk'])}; "
        f"95% CI {interval(limits.lower, limits.upper)}), with {row['answered']:.0f} of "
        f"{row['patients']:.0f} cases answered."
    )


def test_a_handful_answered_elsewhere_is_too_few_to_tell(screening):
    few = screening.having(shift=screening.frame("shift").assign(answered=9, wrong=1))
    panel = next(p for p in shift_panels(few) if "frozen" in p.name)
    assert "Nowhere here are 30 cases or more answered" in panel.sentence


def test_without_a_threshold_at_home_nobody_is_answered_elsewhere(screening):
    panel = next(p for p in shift_panels(without_threshold(screening)) if "frozen" in p.name)
    assert panel.sentence.endswith("No threshold was found at home, so nobody is answered here.")


def test_a_site_of_seven_is_masked_in_the_table_and_in_its_file(screening):
    panel = next(p for p in shift_panels(screening) if p.name == "frozen_elsewhere")
    cells = {row[0].text: [cell.text for cell in row[1:]] for row in panel.table.rows}
    assert cells["east"] == ["–*"] * 5
    # One masked site alone could be worked out from the total, so the next smallest is masked too.
    assert cells["south"] == ["–*"] * 5
    hidden = panel.table.frame.set_index("view").loc[["east", "south"]]
    counts = ["cases", "patients", "accuracy", "answered", "wrong", "risk"]
    assert hidden[counts].isna().to_numpy().all()


def test_masked_sites_have_no_point_and_no_interval_in_a_figure(screening):
    rows = pick(screening.frame("shift"), partner="elsewhere", calibrator="ats")
    for drawn, quantities in ((over_seeds(rows), CALIBRATION), (of_one_seed(rows), FROZEN)):
        hidden = drawn[drawn["view"].isin(["south", "east"])]
        columns = [f"{name}{end}" for name in quantities for end in ("", "_lower", "_upper")]
        assert len(hidden)
        assert hidden[columns].isna().to_numpy().all()


def test_the_table_of_a_shift_holds_what_the_scores_hold(screening):
    panel = next(p for p in shift_panels(screening) if p.name == "frozen_screening_corrupted")
    row = shown(screening, "screening_corrupted").query("view == 'jpeg 2'").iloc[0]
    cells = next(cells for cells in panel.table.rows if cells[0].text == "jpeg 2")
    assert cells[2].text == f"{100 * row['accuracy']:.1f}"
    assert cells[3].text == f"{100 * row['ece']:.2f}"


def test_scores_against_foreign_images_are_means_over_seeds(screening):
    table = shown_ood(screening)
    rows = pick(
        screening.frame("ood"), partner="textures", loss="gce", calibrator="ats", score="entropy"
    )
    key = ["textures", "gce", "ats", "entropy"]
    cells = next(row for row in table.rows if [cell.text for cell in row[:4]] == key)
    mean, sd = 100 * rows["auroc"].mean(), 100 * rows["auroc"].std()
    assert cells[4].text == f"{mean:.1f} ±\u2009{sd:.1f}"


def test_logit_scores_stand_only_where_a_calibrator_has_logits(screening):
    scored = {(row[2].text, row[3].text) for row in shown_ood(screening).rows}
    assert ("identity", "energy") in scored
    assert ("ats", "energy") not in scored


def test_every_loss_has_what_it_answers_out_of_scope(screening):
    rows = {(row[0].text, row[1].text): row for row in shown_ood_answered(screening).rows}
    assert set(rows) == {
        (partner, loss)
        for partner in ("textures", "other_scans")
        for loss in ("cross_entropy", "gce", "flsd53")
    }


def test_corrections_at_a_site_are_named_in_words(screening):
    words = [row[2].text for row in shown_site_recalibration(screening).rows]
    assert list(dict.fromkeys(words)) == [
        "none", "class shares by BBSE", "20 labelled cases", "50 labelled cases",
    ]  # fmt: skip


def test_an_experiment_without_partners_has_none_of_this(digits):
    assert shift_panels(digits) == []
    assert ood_panel(digits) is None


@pytest.mark.parametrize("name", ["ood_answered", "ood_confidence"])
def test_half_of_what_the_panel_needs_gives_no_panel(screening, name):
    assert ood_panel(screening.having(**{name: None})) is None
