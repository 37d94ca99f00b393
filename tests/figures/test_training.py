import pandas as pd

from pipeline.figures import training_figure


def test_a_curve_is_the_mean_over_seeds_with_a_band_from_the_lowest_to_the_highest():
    history = pd.DataFrame(
        {"loss": "gce", "seed": [0, 0, 1, 1], "epoch": [1, 2, 1, 2], "val_loss": [4.0, 2.0, 2.0, 1]}
    )
    figure = training_figure(history, losses=["gce"], quantities={"val_loss": "validation loss"})
    axes = figure.axes[0]
    assert axes.get_lines()[0].get_ydata().tolist() == [3.0, 1.5]
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (1.0, 4.0)
