from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML

from pipeline.config import expand_plan, read_plan, write_plan
from pipeline.config.plan import require_row
from pipeline.errors import InputError
from tests.sources import make_dataset

CONFIGS = Path(__file__).parents[2] / "configs"
INJECTED = ["a; touch X", "a$(touch X)b", "../../../victim", "/abs", "a b", "-x", ""]


@pytest.fixture
def configs(tmp_path):
    """A copy of the embedded study's configuration that a test may spoil."""
    study = yaml.safe_load((CONFIGS / "studies/quick.yaml").read_text())
    for kind in ("datasets", "networks", "recipes", "losses", "calibrators", "studies"):
        (tmp_path / kind).mkdir()
        for path in (CONFIGS / kind).glob("*.yaml"):
            (tmp_path / kind / path.name).write_text(path.read_text())
    # Digits first, whatever order the page of the study wants.
    study["experiments"].sort(key=lambda experiment: experiment["dataset"])
    write_study(tmp_path, study)
    return tmp_path, study


def write_study(configs, study, **changes):
    (configs / "studies/quick.yaml").write_text(yaml.safe_dump(study | changes))


def test_one_row_for_each_experiment_with_a_run_for_each_loss(configs):
    root, study = configs
    plan = expand_plan(["quick"], root)
    assert len(plan.experiments) == len(study["experiments"])
    row = plan.experiments["quick-digits-thin_densenet"]
    runs = {run.loss: run for run in row.runs()}
    assert list(runs) == study["losses"]
    assert runs["gce"].seeds == study["seeds"]
    assert (runs["gce"].dataset, runs["gce"].recipe) == ("digits", "quick_digits")
    assert plan.num_seeds == len(plan.experiments) * len(study["losses"]) * len(study["seeds"])


def test_a_data_set_shared_by_studies_is_prepared_once(configs):
    root, study = configs
    (root / "studies/again.yaml").write_text(yaml.safe_dump(study))
    plan = expand_plan(["quick", "again"], root)
    assert list(plan.datasets) == ["digits", "phantom"]
    assert list(plan.studies) == ["quick", "again"]


def test_a_written_plan_reads_back_equal(configs, tmp_path):
    plan = expand_plan(["quick"], configs[0])
    write_plan(plan, tmp_path / "plan.yaml")
    assert read_plan(tmp_path / "plan.yaml") == plan


def test_a_written_plan_is_a_row_a_line_and_a_list_one_text(configs, tmp_path):
    plan = expand_plan(["quick"], configs[0])
    write_plan(plan, tmp_path / "plan.yaml")
    lines = (tmp_path / "plan.yaml").read_text().splitlines()
    tables = plan.model_dump()
    # The header, a line a table, a line a row.
    assert len(lines) == 1 + len(tables) + sum(len(rows) for rows in tables.values())
    assert any("losses: cross_entropy gce flsd53" in line for line in lines)


def test_counts_the_stages_that_dvc_will_see(configs):
    # quick: 2 data sets, 2 experiments trained and evaluated, 1 report; and the front page.
    assert expand_plan(["quick"], configs[0]).num_stages == 2 + 2 * 2 + 1 + 1


def with_partners(study, *partners):
    first = study["experiments"][0] | {
        "partners": [{"dataset": dataset, "kind": kind} for dataset, kind in partners]
    }
    return [first, *study["experiments"][1:]]


def runs_of(plan):
    return {key: list(row.runs()) for key, row in plan.experiments.items()}


def test_partners_are_one_stage_more_and_change_no_run(configs):
    root, study = configs
    before = expand_plan(["quick"], root)
    partners = [("digits_corrupted", "corruption"), ("dtd10", "far_ood")]
    write_study(root, study, experiments=with_partners(study, *partners))
    plan = expand_plan(["quick"], root)
    assert runs_of(plan) == runs_of(before)
    assert list(plan.datasets) == ["digits", "digits_corrupted", "dtd10", "phantom"]
    (row,) = plan.shifts.values()
    assert plan.shifts == {"quick-digits-thin_densenet": row}
    assert (row.partners, row.trained_on) == (dict(partners), "digits")
    assert (row.losses, row.seeds) == (study["losses"], study["seeds"])
    # dvc.yaml names as many folders as there is room for: the last partner's again.
    prepared = [f"data/prepared/{name}" for name, _ in partners]
    assert list(row.data.values()) == [prepared[0]] + [prepared[1]] * 5
    # Two data sets more, and one stage that predicts both.
    assert plan.num_stages == before.num_stages + 2 + 1


def test_a_folder_of_ones_own_is_watched_and_dvc_is_not_shown_it(configs):
    root, study = configs
    arguments = {"folder": "../hospital", "labels": {"table": "../labels.csv"}}
    own = make_dataset(adapter="dicom", arguments=arguments)
    path = root / "datasets/own.yaml"
    path.write_text(yaml.safe_dump(own.model_dump(exclude_none=True)))
    before = expand_plan(["quick"], root)
    first = study["experiments"][0] | {"dataset": "own"}
    write_study(root, study, experiments=[first, *study["experiments"][1:]])
    plan = expand_plan(["quick"], root)
    assert before.watched == {}
    assert list(plan.watched) == ["own"]
    row = plan.datasets["own"]
    assert (row.made_from, row.labelled_by) == ("data/watched/own.json", "../labels.csv")
    assert plan.num_stages == before.num_stages + 1
    stages = yaml.safe_load((CONFIGS.parent / "dvc.yaml").read_text())["stages"]
    (out,) = stages["watch"]["do"]["outs"]
    assert list(out) == ["data/watched/${item.dataset}.json"]


def test_dvc_yaml_names_every_partner_that_there_is_room_for(configs):
    root, study = configs
    write_study(root, study, experiments=with_partners(study, ("dtd10", "far_ood")))
    (row,) = expand_plan(["quick"], root).shifts.values()
    stages = yaml.safe_load((CONFIGS.parent / "dvc.yaml").read_text())["stages"]
    named = {f"${{item.data.{slot}}}" for slot in row.data}
    assert named <= set(stages["shift"]["do"]["deps"])


def test_more_partners_than_there_is_room_for_are_refused(configs):
    root, study = configs
    names = sorted(path.stem for path in (root / "datasets").glob("organ*.yaml"))[:7]
    partners = with_partners(study, *((name, "far_ood") for name in names))
    write_study(root, study, experiments=partners)
    with pytest.raises(InputError, match=r"quick\.yaml: experiment digits-thin_densenet has 7 p"):
        expand_plan(["quick"], root)


def test_evaluation_waits_for_the_partners_where_there_are_any(configs):
    root, study = configs
    write_study(root, study, experiments=with_partners(study, ("dtd10", "far_ood")))
    rows = expand_plan(["quick"], root).experiments
    with_one, without = rows["quick-digits-thin_densenet"], rows["quick-phantom-thin_densenet"]
    assert with_one.partners == {"dtd10": "far_ood"}
    assert with_one.shifted == "data/shifted/quick/digits-thin_densenet"
    assert without.partners == {}
    assert without.shifted == "data/logits/quick/phantom-thin_densenet"


@pytest.mark.parametrize(
    ("partners", "message"),
    [
        ([("phantom", "site")], r"quick\.yaml: phantom is a partner of kind site, so its classes "),
        ([("dtd10", "corruption")], r"must be those of digits: \['0', .*, got \['banded', "),
        ([("dtd10", "far_ood")] * 2, r"experiment digits-thin_densenet names a partner twice"),
        ([("dtd10", "far")], r"key 'experiments\.0\.partners\.0\.kind': .*, got 'far'"),
        ([("tarot", "far_ood")], r"datasets/tarot\.yaml: no such file; "),
    ],
)
def test_a_partner_that_does_not_fit_is_refused(configs, partners, message):
    root, study = configs
    write_study(root, study, experiments=with_partners(study, *partners))
    with pytest.raises(InputError, match=message):
        expand_plan(["quick"], root)


def with_first(study, **stated):
    first, *others = study["experiments"]
    return [first | stated, *others]


def test_stated_prevalence_and_costs_reach_evaluation_and_change_no_run(configs):
    root, study = configs
    before = expand_plan(["quick"], root)
    stated = {"prevalence": {"0": 0.75, "1": 0.25}, "costs": {"1": {"7": 20.0}}}
    write_study(root, study, experiments=with_first(study, **stated))
    plan = expand_plan(["quick"], root)
    assert runs_of(plan) == runs_of(before)
    rows = plan.experiments
    first, second = rows["quick-digits-thin_densenet"], rows["quick-phantom-thin_densenet"]
    assert (first.prevalence, first.costs) == (stated["prevalence"], stated["costs"])
    assert (second.prevalence, second.costs) == ({}, {})


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"prevalence": {"ten": 1.0}}, r"quick\.yaml: 'prevalence' names no class of digits: "),
        ({"costs": {"0": {"ten": 2}}}, r"quick\.yaml: 'costs' names no class of digits: \['ten'\]"),
        ({"prevalence": {"0": 0.5}}, r"the shares of 'prevalence' must sum to 1, not 0\.5"),
        ({"prevalence": {"0": 1.5, "1": -0.5}}, r"key 'experiments\.0\.prevalence\.1': .*-0\.5"),
        ({"costs": {"0": {"1": -2}}}, r"key 'experiments\.0\.costs\.0\.1': .*-2"),
    ],
)
def test_shares_and_costs_that_are_none_are_refused(configs, stated, message):
    root, study = configs
    write_study(root, study, experiments=with_first(study, **stated))
    with pytest.raises(InputError, match=message):
        expand_plan(["quick"], root)


def test_an_experiment_may_have_a_target_of_its_own(configs):
    root, study = configs
    write_study(
        root, study, headline_target=0.1, experiments=with_first(study, headline_target=0.02)
    )
    first, second = expand_plan(["quick"], root).experiments.values()
    assert (first.headline_target, second.headline_target) == (0.02, 0.1)
    write_study(root, study, experiments=with_first(study, headline_target=0.3))
    with pytest.raises(InputError, match="'headline_target' must be one of 'risk_targets'"):
        expand_plan(["quick"], root)


def test_a_data_set_row_names_the_config_that_its_own_differs_from(configs):
    root, study = configs
    write_study(
        root, study, experiments=[study["experiments"][1] | {"dataset": "phantom_first_site"}]
    )
    (row,) = expand_plan(["quick"], root).datasets.values()
    assert (row.dataset, row.base) == ("phantom_first_site", "phantom")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"losses": ["gce", "cross_entropy", "hinge"]}, r"losses/hinge\.yaml: no such file; "),
        ({"calibrators": ["ats", "platt"]}, r"calibrators/platt\.yaml: no such file; "),
        ({"baseline": "hinge"}, r"experiment digits-thin_densenet lacks the loss \['hinge'\]"),
        ({"headline_target": 0.5}, r"'headline_target' must be one of 'risk_targets'"),
        ({"seed": [1]}, r"quick\.yaml: unknown key 'seed'; known keys: "),
    ],
)
def test_a_study_that_names_what_is_not_there_is_refused(configs, changes, message):
    root, study = configs
    write_study(root, study, **changes)
    with pytest.raises(InputError, match=message):
        expand_plan(["quick"], root)


def test_two_experiments_of_one_name_are_refused(configs):
    root, study = configs
    write_study(root, study, experiments=[study["experiments"][0]] * 2)
    with pytest.raises(InputError, match="two experiments share a name"):
        expand_plan(["quick"], root)


def test_an_unknown_row_is_refused_with_the_rows_there_are(configs):
    plan = expand_plan(["quick"], configs[0])
    with pytest.raises(InputError, match=r"no row 'slow'; it has: quick"):
        require_row(plan.studies, "slow")


def planted(study, key, name):
    """A study in which one name, told by its key, is another."""
    study = yaml.safe_load(yaml.safe_dump(study))
    *parts, last = (int(part) if part.isdigit() else part for part in key.split("."))
    place = study
    for part in parts:
        place = place[part]
    place[last] = name
    return study


@pytest.mark.parametrize("name", INJECTED)
@pytest.mark.parametrize(
    "key",
    [
        "experiments.0.name", "experiments.0.dataset", "experiments.1.network",
        "experiments.1.recipe", "experiments.0.losses.0", "experiments.0.partners.0.dataset",
        "losses.1", "calibrators.2",
    ],
)  # fmt: skip
def test_a_name_that_would_be_a_command_or_another_path_is_refused_by_its_key(configs, key, name):
    root, study = configs
    partners = [{"dataset": "dtd10", "kind": "far_ood"}]
    own = {"name": "own", "losses": list(study["losses"]), "partners": partners}
    study = study | {"experiments": with_first(study, **own)}
    write_study(root, planted(study, key, name))
    with pytest.raises(
        InputError, match=rf"quick\.yaml: key '{key}': a name expected, "
    ) as refused:
        expand_plan(["quick"], root)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("name", [*INJECTED, "../studies/quick", "v1.2"])
def test_a_study_is_named_and_never_by_a_path(configs, name):
    with pytest.raises(InputError, match="a study's name expected"):
        expand_plan([name], configs[0])


def test_an_experiment_whose_own_names_hold_a_dot_needs_another(configs):
    root, study = configs
    (root / "networks/thin-1.5.yaml").write_text((root / "networks/thin_vit.yaml").read_text())
    changed = with_first(study, network="thin-1.5")
    write_study(root, study, experiments=changed)
    message = (
        r"key 'experiments\.0': an experiment's name expected without '\.', .*digits-thin-1\.5"
    )
    with pytest.raises(InputError, match=message):
        expand_plan(["quick"], root)
    write_study(root, study, experiments=[changed[0] | {"name": "digits"}, *changed[1:]])
    assert expand_plan(["quick"], root).experiments["quick-digits"].network == "thin-1.5"


@pytest.mark.parametrize("table", ["datasets", "experiments", "studies"])
def test_a_plan_whose_key_is_not_what_its_row_is_called_is_refused(configs, tmp_path, table):
    path = tmp_path / "plan.yaml"
    write_plan(expand_plan(["quick"], configs[0]), path)
    plan = yaml.safe_load(path.read_text())
    first = next(iter(plan[table]))
    plan[table]["a; touch X"] = plan[table].pop(first)
    path.write_text(yaml.safe_dump(plan))
    with pytest.raises(InputError, match=r"plan\.yaml: '\w+' calls the row of .* 'a; touch X'"):
        read_plan(path)


def test_a_plan_whose_study_names_an_experiment_without_a_row_is_refused(configs, tmp_path):
    path = tmp_path / "plan.yaml"
    write_plan(expand_plan(["quick"], configs[0]), path)
    plan = yaml.safe_load(path.read_text())
    plan["studies"]["quick"]["experiments"] += " other"
    path.write_text(yaml.safe_dump(plan))
    with pytest.raises(InputError, match=r"study quick names the experiment other, which has no r"):
        read_plan(path)


@pytest.mark.parametrize("name", ["1e5", "1.0e3", "0o17", "0x1f", "123", "1_000", "true", "null"])
def test_a_name_that_looks_like_a_number_is_a_text_to_dvc_as_well(configs, tmp_path, name):
    root, study = configs
    (root / f"datasets/{name}.yaml").write_text((root / "datasets/digits.yaml").read_text())
    changed = with_first(study, dataset=name, name="own")
    write_study(root, study, experiments=changed)
    write_plan(expand_plan(["quick"], root), tmp_path / "plan.yaml")
    # DVC reads YAML 1.2, in which some words are numbers that are none to PyYAML.
    read = YAML(typ="safe").load(tmp_path / "plan.yaml")
    assert read["datasets"][name]["dataset"] == name
    assert read["experiments"]["quick-own"]["dataset"] == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prepared": "data/prepared/own"}, r"'arguments\.prepared': own derives from itself"),
        ({"prepared": 7}, r"key 'arguments\.prepared': a path expected, got int"),
        ({"prepared": "data/prepared/.."}, r"a data set's name expected, .*, got '\.\.'"),
        ({"folder": ["in"]}, r"key 'arguments\.folder': a path expected, got list"),
        ({"labels": {"table": 7}}, r"key 'arguments\.labels\.table': a path expected, got int"),
    ],
)
def test_a_place_that_is_none_is_refused_by_its_key(configs, arguments, message):
    root, study = configs
    digits = yaml.safe_load((root / "datasets/digits.yaml").read_text())
    (root / "datasets/own.yaml").write_text(yaml.safe_dump(digits | {"arguments": arguments}))
    write_study(root, study, experiments=with_first(study, dataset="own"))
    with pytest.raises(InputError, match=rf"own\.yaml: .*{message}"):
        expand_plan(["quick"], root)
