import pytest

from pipeline.report.model_card import model_card
from pipeline.tables.accepted import shown_confusion
from pipeline.tables.parts.scores import pick

QUESTIONS = [
    "Use and users",
    "When not",
    "Model, software",
    "Training",
    "Threshold",
    "Recalibration",
    "Metrics and intervals",
    "Results",
    "Referred cases and bad input",
    "Subgroups and fairness",
    "Known failures",
    "Robustness, external test",
    "Limits",
    "Code, data, funding",
]


def card_of(scores, **changes):
    return {item.question: item.answer for item in model_card(scores.having(**changes))}


def test_every_question_that_guidelines_ask_of_a_model_is_answered(screening, digits):
    for scores in (screening, digits):
        card = card_of(scores)
        assert list(card) == QUESTIONS
        assert all(answer.strip() for answer in card.values())


def test_results_are_those_of_the_summary_and_of_the_operating_point(screening):
    pair = {"loss": "gce", "calibrator": "ats"}
    ece = pick(screening.frame("summary"), **pair, metric="ece").iloc[0]
    point = pick(screening.frame("operating_points"), **screening.headline, target=0.05).iloc[0]
    answer = card_of(screening)["Results"]
    limits = f"{100 * ece['lower']:.2f}–{100 * ece['upper']:.2f}%"
    assert f"ECE {100 * ece['mean']:.2f}% (95% CI {limits})" in answer
    assert f"the model answered {point['answered']} of {point['num_test']} test" in answer


def test_known_failures_begin_with_the_commonest_error_among_the_answered(screening):
    errors = next(
        table.frame for table in shown_confusion(screening) if table.name == "commonest_errors"
    )
    first = errors.iloc[0]
    assert card_of(screening)["Known failures"].startswith(
        "Images answered wrongly, commonest first: "
        f"{first['label']} read as {first['prediction']}: {first['answered']}"
    )


def test_answered_images_out_of_scope_are_a_known_failure(screening):
    rows = pick(screening.frame("ood_answered"), **screening.headline, target=0.05)
    answer = card_of(screening)["Known failures"]
    for _, row in rows.iterrows():
        assert f"{row['partner']} {row['answered']:.0f} of {row['foreign']:.0f}" in answer


@pytest.mark.parametrize(
    ("absent", "question", "said"),
    [
        ("accepted", "Known failures", "Which errors are commonest: not recorded."),
        ("ood_answered", "Known failures", "Images out of scope: not tried."),
        ("shift", "Robustness, external test", "images: not tried. Another site: not tried."),
        ("groups", "Subgroups and fairness", "No column tells two groups apart, so none was"),
    ],
)
def test_what_was_not_measured_is_said_to_be_missing(screening, absent, question, said):
    assert said in card_of(screening, **{absent: None})[question]


def test_a_partner_is_told_with_what_the_threshold_from_home_does_there(screening):
    answer = card_of(screening)["Robustness, external test"]
    for partner in screening.frame("shift")["partner"].unique():
        assert f"{partner}: At the threshold from home it is most wrong at" in answer


def test_a_test_at_another_site_is_not_said_to_be_missing(screening):
    assert "not tried" not in card_of(screening)["Robustness, external test"]
    damaged = pick(screening.frame("shift"), kind="corruption")
    answer = card_of(screening, shift=damaged)["Robustness, external test"]
    assert "Another site: not tried." in answer
    assert "Damaged images" not in answer


def test_the_revision_that_trained_is_on_the_card(screening):
    revision = screening.provenance["runs"][0]["revision"]
    assert f"Code at revision {revision[:12]};" in card_of(screening)["Code, data, funding"]
