"""What to run, read from `configs/` and checked: an unknown key is an error naming file and key."""

from pipeline.config.dataset import Dataset, SourceFile, Splits, dataset_files, read_dataset
from pipeline.config.expansion import expand_plan
from pipeline.config.method import CalibratorConfig, LossConfig, NetworkConfig, Recipe
from pipeline.config.plan import Plan, read_plan, write_plan
from pipeline.config.reading import read_config
from pipeline.config.study import Experiment, Partner, Study

__all__ = [
    "CalibratorConfig",
    "Dataset",
    "Experiment",
    "LossConfig",
    "NetworkConfig",
    "Partner",
    "Plan",
    "Recipe",
    "SourceFile",
    "Splits",
    "Study",
    "dataset_files",
    "expand_plan",
    "read_config",
    "read_dataset",
    "read_plan",
    "write_plan",
]
