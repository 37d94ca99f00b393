import pytest

from pipeline.config.claims import Published
from pipeline.findings.beside import figures_beside
from tests.findings.simulated_evidence import evidence

HELD = Published(dataset="cifar10", ours=["cifar10_small"], differs="Everything.")


def test_a_published_figure_stands_beside_the_mean_over_our_seeds():
    ours = evidence("cifar10_small", losses=["cross_entropy", "gce"])
    figures = figures_beside(HELD, [evidence("busi"), ours])
    by_method = {(each.loss, each.calibrator, each.metric): each for each in figures}
    # What either side lacks is left out: our GCE has an accuracy, the published one has none.
    assert set(by_method) == {
        ("cross_entropy", "identity", "accuracy"),
        ("cross_entropy", "identity", "ece"),
        ("cross_entropy", "temperature", "ece"),
        ("gce", "ats", "ece"),
    }
    found = by_method["gce", "ats", "ece"]
    rows = ours.tables["runs"].query("loss == 'gce' and calibrator == 'ats'")
    assert (found.published, found.ours.num_seeds) == (0.0066, 5)
    assert found.ours.mean == pytest.approx(rows["ece"].mean(), rel=1e-12)
    assert found.source.startswith("arXiv:2604.06689")


def test_each_experiment_has_figures_of_its_own_and_the_same_networks_one():
    thin, again, middle = (
        evidence("cifar10_small"),
        evidence("cifar10_small", study="shift"),
        evidence("cifar10_small", study="middle", network="middle"),
    )
    figures = figures_beside(HELD, [thin, again, middle])
    assert [each.evidence.row.study for each in figures] == ["medical"] * 4 + ["middle"] * 4
