"""From the predictions of an experiment's runs to the tables of its report; torch not needed."""

from pipeline.evaluation.curves import exact_band_table, risk_coverage_table
from pipeline.evaluation.fitted import calibrators_table
from pipeline.evaluation.operating_points import operating_points_table, per_class_table
from pipeline.evaluation.reading import read_histories, read_provenance, read_runs
from pipeline.evaluation.reliability import reliability_table
from pipeline.evaluation.run import Run
from pipeline.evaluation.scores import runs_table, summary_table

__all__ = [
    "Run",
    "calibrators_table",
    "exact_band_table",
    "operating_points_table",
    "per_class_table",
    "read_histories",
    "read_provenance",
    "read_runs",
    "reliability_table",
    "risk_coverage_table",
    "runs_table",
    "summary_table",
]
