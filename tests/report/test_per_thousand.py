from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import MASKED
from pipeline.tables.workload import shown_workload
from tests.report.simulated_scores import handed_out


def row_of(table, prevalence, policy, name):
    (cells,) = [
        cells
        for cells in table.rows
        if [cell.text for cell in cells[:3]] == [prevalence, policy, name]
    ]
    return [cell.text for cell in cells[3:]]


def with_patients(scores, name, patients):
    workload = scores.frame("workload").copy()
    workload.loc[workload["class"] == name, "patients"] = patients
    return handed_out(scores.having(workload=workload))


def test_numbers_are_those_of_the_workload_per_thousand(screening):
    table = shown_workload(screening)
    chosen = {"prevalence": "stated", "policy": "model", "class": ""}
    (row,) = pick(screening.frame("workload"), **chosen).to_dict("records")
    shown = row_of(table, "as stated", "the model", "all")
    assert shown[1:] == [
        "1,000", f"{row['answered']:.0f}", f"{row['wrong']:.1f}", f"{row['referred']:.0f}"
    ]  # fmt: skip


def test_every_policy_prevalence_and_class_has_a_row(screening):
    classes = screening.dataset["classes"]
    assert len(shown_workload(screening).rows) == 3 * 2 * (1 + len(classes))


def test_intervals_stand_with_the_model_alone(screening):
    for cells in shown_workload(screening).rows:
        shown = cells[3].text.isdigit() and cells[4].text != "–"
        assert bool(cells[6].detail) == (cells[1].text == "the model" and shown)


def test_the_caption_says_which_prevalence_was_stated(screening):
    last = screening.dataset["classes"][-1]
    assert f"{last} 2%" in shown_workload(screening).caption
    own = screening.having(workload=screening.frame("workload").query("prevalence == 'test'"))
    assert "no other prevalence was stated" in shown_workload(own).caption


def test_a_class_of_few_patients_shows_its_number_and_no_rate(screening):
    name = screening.dataset["classes"][0]
    table = shown_workload(with_patients(screening, name, 20))
    assert row_of(table, "as tested", "the model", name) == ["20", "–", "–", "–", "–"]
    public = table.frame[table.frame["class"] == name]
    assert public[["arriving", "wrong", "wrong_upper"]].isna().all(axis=None)


def test_a_class_of_very_few_patients_is_masked_with_a_second_one(screening):
    first, *_, last = screening.dataset["classes"]
    table = shown_workload(with_patients(screening, last, 4))
    hidden = {cells[2].text for cells in table.rows if cells[3].text == MASKED}
    assert last in hidden
    assert len(hidden) >= 2
    public = table.frame[table.frame["class"].isin(hidden)]
    assert public[["patients", "arriving", "right", "wrong"]].isna().all(axis=None)
    assert first not in hidden or len(screening.dataset["classes"]) == 2
