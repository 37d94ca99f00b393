"""Published scores, and claims answered from them: differences, verdicts by rule, a page."""

from pipeline.findings.evidence import Evidence, read_evidence, read_studies
from pipeline.findings.page import findings_page
from pipeline.findings.publishing import publish, write_findings
from pipeline.findings.results import write_results

__all__ = [
    "Evidence",
    "findings_page",
    "publish",
    "read_evidence",
    "read_studies",
    "write_findings",
    "write_results",
]
