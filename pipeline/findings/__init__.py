"""Claims answered from the studies' scores: paired differences, verdicts by rule, a page."""

from pipeline.findings.evidence import Evidence, read_evidence
from pipeline.findings.page import findings_page

__all__ = ["Evidence", "findings_page", "read_evidence"]
