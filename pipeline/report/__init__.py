"""Score files to pages that a clinic, a statistician and a quality manager can read."""

from pipeline.report.headline import headline_metrics
from pipeline.report.overview import study_line
from pipeline.report.pages import overview_page, study_files
from pipeline.report.printing import printed_table
from pipeline.report.reading import read_scores
from pipeline.tables.parts.scores import Scores

__all__ = [
    "Scores",
    "headline_metrics",
    "overview_page",
    "printed_table",
    "read_scores",
    "study_files",
    "study_line",
]
