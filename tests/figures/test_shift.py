from tests.figures.examples import shift


def labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_severities_are_joined_from_the_clean_images_on():
    (axes,) = shift("corruption").axes
    assert labels(axes.xaxis) == ["clean", "1", "2"]
    assert axes.get_xlabel() == "severity, n = 60"
    assert axes.get_lines()[0].get_linestyle() == "-"


def test_sites_stand_apart_and_a_masked_one_has_no_number_and_no_interval():
    (axes,) = shift("site").axes
    assert labels(axes.xaxis) == ["home\nn = 50", "away\nn = 50", "east\nmasked"]
    assert axes.get_lines()[0].get_linestyle() == "None"
    assert [len(each.get_segments()) for each in axes.collections] == [2, 2]
