from tests.networks.building import count_parameters


def test_has_the_parameters_of_the_published_table():
    # 54 blocks of two 3x3 convolutions (9 in out) with batch norms (2 out each).
    def stage(channels_in, channels_out):
        first = 9 * channels_in * channels_out + 9 * channels_out**2 + 4 * channels_out
        return first + 17 * (18 * channels_out**2 + 4 * channels_out)

    body = stage(16, 16) + stage(16, 32) + stage(32, 64)
    stem, classifier = 9 * 3 * 16 + 2 * 16, 64 * 10 + 10
    counted = count_parameters("cifar_resnet110")
    assert counted == stem + body + classifier
    # He et al. 2016, table 6, state it in millions to one decimal.
    assert round(counted / 1e6, 1) == 1.7
