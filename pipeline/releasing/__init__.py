"""A trained, calibrated, thresholded model in one folder: a MONAI bundle with its decision rule."""

from pipeline.releasing.manifest import INPUT, OUTPUTS, Release
from pipeline.releasing.reading import Released, read_release

__all__ = ["INPUT", "OUTPUTS", "Release", "Released", "read_release"]
