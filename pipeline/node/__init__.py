"""A DICOM node: receives studies, lets a release decide them, sends the reports to the PACS."""

from pipeline.node.addresses import parse_address, tls_of
from pipeline.node.deciding import Decider
from pipeline.node.service import Settings, run_node

__all__ = ["Decider", "Settings", "parse_address", "run_node", "tls_of"]
