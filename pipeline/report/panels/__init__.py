"""Figures of one experiment, each with its sentence and its table."""

from pipeline.report.panels.decisions import costs_panel, net_benefit_panels
from pipeline.report.panels.error_costs import cost_coverage_panel
from pipeline.report.panels.group_curves import group_curves_panel
from pipeline.report.panels.groups import groups_panel
from pipeline.report.panels.long_tail import long_tail_curves_panel, long_tail_panel
from pipeline.report.panels.ood import ood_panel
from pipeline.report.panels.panel import Panel
from pipeline.report.panels.referral import referral_benefit_panels
from pipeline.report.panels.reliability import reliability_panel
from pipeline.report.panels.selective import (
    exact_band_panel,
    risk_coverage_panel,
    silent_errors_panel,
    workload_panel,
)
from pipeline.report.panels.shift import shift_panels
from pipeline.report.panels.training import training_panel
from pipeline.tables.parts.scores import Scores, headline_and_baseline

__all__ = ["Panel", "experiment_panels"]


def experiment_panels(scores: Scores) -> tuple[Panel, ...]:
    """Return the panels of one experiment, in reading order; those without numbers are left out."""
    panels = [
        exact_band_panel(scores),
        silent_errors_panel(scores),
        workload_panel(scores),
        risk_coverage_panel(scores),
        *(reliability_panel(scores, loss) for loss in headline_and_baseline(scores)),
        long_tail_panel(scores),
        long_tail_curves_panel(scores),
        groups_panel(scores),
        group_curves_panel(scores),
        costs_panel(scores),
        cost_coverage_panel(scores),
        *net_benefit_panels(scores),
        *referral_benefit_panels(scores),
        *shift_panels(scores),
        ood_panel(scores),
        training_panel(scores),
    ]
    return tuple(panel for panel in panels if panel is not None)
