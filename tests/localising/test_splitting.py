import numpy as np
import pytest

from pipeline.artifacts import Predictions
from pipeline.errors import InputError
from pipeline.localising.splitting import LEAST_PATIENTS, SHARES, split_patients
from tests.localising.sites import draw_site


def test_every_patient_is_in_one_part_with_all_of_their_images():
    site = draw_site(203, images=3)
    parts = split_patients(site)
    of_part = {name: set(part.patients) for name, part in parts.items()}
    assert set.union(*of_part.values()) == set(site.patients)
    assert sum(map(len, of_part.values())) == 203
    assert sum(map(len, parts.values())) == len(site)
    for name, share in SHARES.items():
        assert len(of_part[name]) == pytest.approx(203 * share, abs=1)


def test_the_order_of_the_cases_changes_no_part():
    site = draw_site(50, images=2)
    order = np.random.default_rng(1).permutation(len(site))
    mixed = Predictions(
        site.logits[order],
        site.labels[order],
        site.cases[order],
        site.patients[order],
        site.groups.iloc[order].reset_index(drop=True),
    )
    for name, part in split_patients(site).items():
        assert set(split_patients(mixed)[name].cases) == set(part.cases)


def test_too_few_patients_are_told_how_many_are_missing():
    assert split_patients(draw_site(LEAST_PATIENTS))
    with pytest.raises(InputError, match="too few cases: at least 20 .* got 13: 7 more are needed"):
        split_patients(draw_site(13, images=4))
