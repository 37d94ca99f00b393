"""From the predictions of an experiment's runs to the tables of its report; torch not needed."""

from pipeline.evaluation.computing import Tell, compute_tables, silent
from pipeline.evaluation.reading import (
    evaluated_by,
    read_experiment,
    read_partner_records,
    read_provenance,
)
from pipeline.evaluation.writing import write_scores
from pipeline.tables.parts.experiment import BOOTSTRAP, Experiment
from pipeline.tables.parts.partners import PartnerRun
from pipeline.tables.parts.run import Applied, Run

__all__ = [
    "BOOTSTRAP",
    "Applied",
    "Experiment",
    "PartnerRun",
    "Run",
    "Tell",
    "compute_tables",
    "evaluated_by",
    "read_experiment",
    "read_partner_records",
    "read_provenance",
    "silent",
    "write_scores",
]
