"""Tables of an experiment: each in a file of its own, which says all there is to know of it."""

from __future__ import annotations

from pipeline.tables.accepted import ACCEPTED
from pipeline.tables.accepted_groups import ACCEPTED_GROUPS
from pipeline.tables.calibrators import CALIBRATORS
from pipeline.tables.class_calibration import CLASS_CALIBRATION
from pipeline.tables.class_risk import CLASS_RISK
from pipeline.tables.comparisons import COMPARISONS
from pipeline.tables.confidence import CONFIDENCE
from pipeline.tables.cost_coverage import COST_COVERAGE
from pipeline.tables.cost_points import COST_POINTS
from pipeline.tables.cost_selection import COST_SELECTION
from pipeline.tables.costs import COSTS
from pipeline.tables.cox import COX
from pipeline.tables.differences import DIFFERENCES
from pipeline.tables.exact_band import EXACT_BAND
from pipeline.tables.gallery import GALLERY
from pipeline.tables.group_curves import GROUP_CURVES
from pipeline.tables.group_scores import GROUP_SCORES
from pipeline.tables.groups import GROUPS
from pipeline.tables.history import HISTORY
from pipeline.tables.levels import LEVELS
from pipeline.tables.long_tail import LONG_TAIL
from pipeline.tables.long_tail_curves import LONG_TAIL_CURVES
from pipeline.tables.net_benefit import NET_BENEFIT
from pipeline.tables.ood import OOD
from pipeline.tables.ood_answered import OOD_ANSWERED
from pipeline.tables.ood_confidence import OOD_CONFIDENCE
from pipeline.tables.operating_points import OPERATING_POINTS
from pipeline.tables.parts.spec import TableSpec
from pipeline.tables.per_class import PER_CLASS
from pipeline.tables.prediction_sets import PREDICTION_SETS
from pipeline.tables.referral_benefit import REFERRAL_BENEFIT
from pipeline.tables.reliability import RELIABILITY
from pipeline.tables.risk_coverage import RISK_COVERAGE
from pipeline.tables.runs import RUNS
from pipeline.tables.selection import SELECTION
from pipeline.tables.shift import SHIFT
from pipeline.tables.site_recalibration import SITE_RECALIBRATION
from pipeline.tables.smooth_curve import SMOOTH_CURVE
from pipeline.tables.summary import SUMMARY
from pipeline.tables.workload import WORKLOAD

TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for spec in (
        OPERATING_POINTS,
        PER_CLASS,
        EXACT_BAND,
        ACCEPTED,
        ACCEPTED_GROUPS,
        WORKLOAD,
        RELIABILITY,
        CONFIDENCE,
        SMOOTH_CURVE,
        LEVELS,
        CLASS_CALIBRATION,
        COX,
        CALIBRATORS,
        SUMMARY,
        RUNS,
        COMPARISONS,
        DIFFERENCES,
        RISK_COVERAGE,
        SELECTION,
        CLASS_RISK,
        PREDICTION_SETS,
        GROUPS,
        GROUP_SCORES,
        GROUP_CURVES,
        COSTS,
        NET_BENEFIT,
        REFERRAL_BENEFIT,
        COST_POINTS,
        COST_COVERAGE,
        COST_SELECTION,
        LONG_TAIL,
        LONG_TAIL_CURVES,
        SHIFT,
        SITE_RECALIBRATION,
        OOD,
        OOD_ANSWERED,
        OOD_CONFIDENCE,
        HISTORY,
        GALLERY,
    )
}
"""Every table by its name, which is that of its module and of its file, in reading order."""
