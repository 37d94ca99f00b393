"""From the predictions of an experiment's runs to the tables of its report; torch not needed."""

from pipeline.evaluation.partners import PartnerRun
from pipeline.evaluation.reading import (
    evaluated_by,
    read_gallery,
    read_histories,
    read_partner_records,
    read_partners,
    read_provenance,
    read_runs,
)
from pipeline.evaluation.run import Applied, Run
from pipeline.evaluation.tables import BOOTSTRAP, Tell, experiment_tables, silent
from pipeline.evaluation.writing import write_scores

__all__ = [
    "BOOTSTRAP",
    "Applied",
    "PartnerRun",
    "Run",
    "Tell",
    "evaluated_by",
    "experiment_tables",
    "read_gallery",
    "read_histories",
    "read_partner_records",
    "read_partners",
    "read_provenance",
    "read_runs",
    "silent",
    "write_scores",
]
