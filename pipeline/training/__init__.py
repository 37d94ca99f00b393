"""Train a network on images held in memory on the device; knows no paths."""

from pipeline.training.device import start_fabric
from pipeline.training.images import LabelledImages, Normalisation
from pipeline.training.loop import Fitted, train
from pipeline.training.prediction import Classifier
from pipeline.training.restoring import restore_classifier
from pipeline.training.session import Method, State
from pipeline.training.task import Task
from pipeline.training.together import Job, train_together
from pipeline.training.trainer import TrainingData

__all__ = [
    "Classifier",
    "Fitted",
    "Job",
    "LabelledImages",
    "Method",
    "Normalisation",
    "State",
    "Task",
    "TrainingData",
    "restore_classifier",
    "start_fabric",
    "train",
    "train_together",
]
