from pathlib import Path

import pytest
import yaml

from pipeline.config import Study
from pipeline.config.claims import Claims
from pipeline.config.reading import check_config, read_config
from pipeline.errors import InputError

CONFIGS = Path(__file__).parents[2] / "configs"
CLAIMS = CONFIGS / "claims.yaml"


def changed(change):
    content = yaml.safe_load(CLAIMS.read_text())
    change(content)
    return content


def names(kind):
    return {path.stem for path in (CONFIGS / kind).glob("*.yaml")}


def test_every_loss_and_calibrator_that_a_claim_names_has_a_config():
    claims = read_config(CLAIMS, Claims)
    parts = [part for claim in claims.claims for part in claim.parts]
    losses = {name for part in parts for name in (*part.losses, *part.against_losses)}
    calibrators = {
        name for part in parts for name in (*part.calibrators, *part.against_calibrators)
    }
    choice = claims.recommendation
    losses |= {choice.losses.simplest, *choice.losses.candidates}
    calibrators |= {choice.calibrators.simplest, *choice.calibrators.candidates}
    for study in claims.planned.values():
        losses |= {*study.losses, *(n for each in study.experiments for n in each.losses or [])}
    assert losses <= names("losses")
    assert calibrators <= names("calibrators")


def test_a_data_set_that_a_claim_names_is_planned():
    claims = read_config(CLAIMS, Claims)
    planned = {each.dataset for study in claims.planned.values() for each in study.experiments}
    for claim in claims.claims:
        for part in claim.parts:
            for rows in (part.rows, *([part.less] if part.less else [])):
                assert set(rows.datasets or []) <= planned, claim.key
    for each in claims.published:
        assert set(each.ours) <= planned


STUDIES = ["medical", "longtail", "shift", "benchmark", "middle", "few", "gpu"]


@pytest.mark.parametrize("study", STUDIES)
def test_what_is_planned_for_the_claims_is_what_the_study_runs(study):
    planned = read_config(CLAIMS, Claims).planned[study]
    config = read_config(CONFIGS / f"studies/{study}.yaml", Study)
    assert sorted(
        (each.dataset, sorted(each.losses or planned.losses), each.seeds or planned.seeds)
        for each in planned.experiments
    ) == sorted(
        (each.dataset, sorted(each.losses or config.losses), len(each.seeds or config.seeds))
        for each in config.experiments
    )


def change_what_is_apart(lines):
    """Take width apart, and give the optimiser levels like a number's."""
    lines.update(apart="width")
    for of_factor, values in ((lines["centre"], 2), (lines["levels"], [1, 2, 3])):
        del of_factor["width"]
        of_factor["optimiser"] = values


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda c: c["claims"][0].update(statment="x"), "unknown key 'claims.0.statment'"),
        (lambda c: c["claims"][0]["parts"][0].pop("margin"), "'margin' goes with kind"),
        (lambda c: c["claims"][1]["parts"][0].update(margin=0.1), "'margin' goes with kind"),
        (
            lambda c: c["claims"][1]["parts"][0].pop("against_losses"),
            "must say what to subtract",
        ),
        (lambda c: c["claims"][1].update(key="accuracy"), "two claims or designs share a key"),
        (
            lambda c: c["recommendation"]["situations"][0]["datasets"].append("busy"),
            r"situations must name planned data sets, got \['busy'\]",
        ),
        (
            lambda c: c["recommendation"]["situations"][1]["datasets"].append("busi"),
            "a data set is in two situations",
        ),
        (lambda c: c["designs"][0].update(study="gpu"), r"answers no claim, got \['gpu'\]"),
        (
            lambda c: c["designs"][0]["factors"][0].update(levels=[8, 8]),
            "the levels of width must differ, got 8 twice",
        ),
        (
            lambda c: c["designs"][0]["factors"][0].update(name="optimiser"),
            "a name stands twice in the design size: optimiser, optimiser",
        ),
        (
            lambda c: c["designs"][0]["lines"].update(study="gpu"),
            r"answers no claim, got \['gpu'\]",
        ),
        (
            lambda c: c["designs"][0]["lines"].update(study="size"),
            "the lines of the design size need a study of their own",
        ),
        (
            lambda c: c["designs"][0]["lines"].update(apart="width"),
            "must name each of width, optimiser, batch size, images a class once",
        ),
        (
            lambda c: c["designs"][0]["lines"]["centre"].pop("width"),
            r"a centre for each of \['width', 'batch size', 'images a class'\] expected",
        ),
        (
            lambda c: c["designs"][0]["lines"]["centre"].update(width=24),
            "rising levels of width expected, with the centre 24 among them",
        ),
        (
            lambda c: c["designs"][0]["lines"]["levels"].update(width=[16, 8, 32]),
            "three or more rising levels of width expected",
        ),
        (
            lambda c: c["designs"][0]["lines"]["levels"].update(width=[8, 16]),
            "three or more rising levels of width expected",
        ),
        (
            lambda c: c["designs"][0]["lines"]["levels"].update(width=[0, 16, 32]),
            "greater than 0",
        ),
        (
            lambda c: c["designs"][0]["lines"]["levels"].update(width=[8, 16, 20]),
            r"the lines of width must reach \[8, 24\], got \[8",
        ),
        (lambda c: change_what_is_apart(c["designs"][0]["lines"]), "the lines of optimiser must"),
        (lambda c: c["planned"]["gpu"].pop("size"), "planned.gpu.size"),
        (lambda c: c["planned"]["gpu"].update(size="huge"), "'thin', 'middle' or 'real'"),
    ],
)
def test_a_fault_is_one_line_with_its_key(change, fault):
    with pytest.raises(InputError, match=fault):
        check_config(changed(change), Claims, place=CLAIMS)
