"""A decision as a DICOM Structured Report, which goes back to where the images came from.

It is a Comprehensive 3D SR by TID 1500, as the IHE profile AI Results asks of those who write and
of PACS that store. A machine wrote it and nobody has looked at it: it is preliminary, complete and
unverified. A referral is a report too; it names no class, so that none is taken for an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.uid import generate_uid

from pipeline.adapters.silence import silenced
from pipeline.errors import InputError
from pipeline.outgoing_text import printable
from pipeline.predicting import concepts
from pipeline.predicting.decisions import Decision
from pipeline.predicting.report_headers import copy_people, evidence_of
from pipeline.provenance import package_versions
from pipeline.releasing import Release, Released

PRODUCT = "calibrated-imaging"
SERIES_NUMBER = 9700
"""High, so that a viewer lists it after the images."""

DIGITS = 6


def structured_report(
    decision: Decision,
    released: Released,
    sources: Sequence[Dataset],
    *,
    predecessors: Sequence[Dataset] = (),
) -> Dataset:
    """Return the report of a decision, ready to be written or sent.

    The same decision of the same images by the same release has the same SOPInstanceUID: a PACS
    that is sent it twice has it once.

    Parameters
    ----------
    decision : Decision
    released : Released
        Who decided.
    sources : sequence of Dataset
        The headers of all images of the decision, of one study. Patient and study are written as
        the first has them that names a patient.
    predecessors : sequence of Dataset
        Earlier reports of the study that this one takes the place of, see `reference_to`.

    Raises
    ------
    InputError
        If there is no image to refer to, or one has no UIDs.
    """
    evidence = [evidence_of(source) for source in sources]
    if not evidence:
        message = "a report refers to images: at least one expected, got none"
        raise InputError(message)
    moment = datetime.fromisoformat(decision.decided_at).astimezone()
    series, instance = report_uids(decision, released, sources, predecessors)
    # Both libraries warn of what a header holds, and quote it.
    with silenced("highdicom"), silenced("pydicom"):
        report = Comprehensive3DSR(
            evidence=evidence,
            content=_content(decision, released, evidence),
            series_instance_uid=series,
            series_number=SERIES_NUMBER,
            series_description="Decision of a model, unverified",
            sop_instance_uid=instance,
            instance_number=len(predecessors) + 1,
            manufacturer=PRODUCT,
            manufacturer_model_name=released.release.name[:64],
            software_versions=package_versions()[PRODUCT],
            device_serial_number=released.sha256,
            is_complete=True,
            is_final=False,
            is_verified=False,
            previous_versions=predecessors or None,
            coding_schemes=[concepts.SCHEME],
            content_date=moment.date(),
            content_time=moment.time(),
        )
        copy_people(sources, report)
        _date(report, moment)
    return report


def report_uids(
    decision: Decision,
    released: Released,
    sources: Sequence[Dataset],
    predecessors: Sequence[Dataset] = (),
) -> tuple[str, str]:
    """Return the SeriesInstanceUID and the SOPInstanceUID of a decision's report.

    A release has one series of a patient in a study. The instance follows from the images, from
    what was decided and from the reports it replaces, not from when.
    """
    study = str(sources[0].StudyInstanceUID)
    images = sorted(str(source.SOPInstanceUID) for source in sources)
    confidence = "" if decision.confidence is None else f"{decision.confidence:.{DIGITS}f}"
    decided = (decision.outcome, decision.reason, decision.predicted, confidence)
    replaced = [str(each.SOPInstanceUID) for each in predecessors]
    return (
        _uid("series", study, decision.patient, released.sha256),
        _uid("report", study, decision.patient, released.sha256, *decided, *images, *replaced),
    )


def _uid(*of: str) -> str:
    return generate_uid(entropy_srcs=["/".join((PRODUCT, *of))])


def _date(report: Dataset, moment: datetime) -> None:
    """State when it was decided, in place of when this was written: the bytes depend on nothing."""
    report.InstanceCreationDate, report.InstanceCreationTime = (
        report.ContentDate,
        report.ContentTime,
    )
    for equipment in report.ContributingEquipmentSequence:
        equipment.ContributionDateTime = moment.strftime("%Y%m%d%H%M%S")


def _content(decision: Decision, released: Released, evidence: Sequence[Dataset]) -> Dataset:
    observer = DeviceObserverIdentifyingAttributes(
        uid=_uid("device", released.sha256),
        name=released.release.name,
        manufacturer_name=PRODUCT,
        model_name=released.release.name,
        serial_number=released.sha256,
    )
    context = ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=concepts.DEVICE, observer_identifying_attributes=observer
        )
    )
    return MeasurementReport(
        observation_context=context,
        procedure_reported=concepts.PROCEDURE,
        title=concepts.REPORT,
        imaging_measurements=[_group(decision, released, evidence)],
    )[0]


def _group(
    decision: Decision, released: Released, evidence: Sequence[Dataset]
) -> MeasurementsAndQualitativeEvaluations:
    release = released.release
    group = MeasurementsAndQualitativeEvaluations(
        # What is tracked is the question put to this study, whichever report answers it.
        tracking_identifier=TrackingIdentifier(
            uid=_uid(
                "tracking",
                str(evidence[0].StudyInstanceUID),
                decision.patient,
                released.sha256,
            ),
            identifier=release.name,
        ),
        algorithm_id=_algorithm(released),
        measurements=_measurements(decision),
        qualitative_evaluations=_evaluations(decision, release),
        source_images=[
            SourceImageForMeasurementGroup(each.SOPClassUID, each.SOPInstanceUID)
            for each in evidence
        ],
    )
    texts = {concepts.DETAIL: decision.detail, concepts.GUARANTEE: release.rule.promise}
    group[0].ContentSequence.extend(
        TextContentItem(name, shown, relationship_type=RelationshipTypeValues.CONTAINS)
        for name, text in texts.items()
        if (shown := printable(text))
    )
    return group


def _algorithm(released: Released) -> AlgorithmIdentification:
    release = released.release
    return AlgorithmIdentification(
        name=release.name,
        version=released.sha256[:16],
        family=concepts.ALGORITHM_FAMILY,
        manufacturer=PRODUCT,
        parameters=[
            f"release sha256: {released.sha256}",
            f"network: {release.network_name}, loss: {release.loss}",
            f"calibrator: {release.calibrator.name}",
            f"target risk: {release.rule.target:g}, delta: {release.rule.delta:g}",
        ],
    )


def _measurements(decision: Decision) -> list[Measurement]:
    # Of a referral no class is named, so its confidence is not called the probability of one.
    name = concepts.PROBABILITY if decision.outcome == "answered" else concepts.CONFIDENCE
    values = {name: decision.confidence, concepts.THRESHOLD: decision.threshold}
    return [
        Measurement(name=name, value=round(value, DIGITS), unit=concepts.NO_UNIT)
        for name, value in values.items()
        if value is not None
    ]


def _evaluations(decision: Decision, release: Release) -> list[QualitativeEvaluation]:
    found = {concepts.DECISION: concepts.OUTCOMES[decision.outcome]}
    if decision.outcome == "answered":
        code = release.codes[decision.predicted]
        found[concepts.PREDICTED] = CodedConcept(code.value, code.scheme, code.meaning)
    else:
        found[concepts.REASON] = concepts.REASONS[decision.reason]
    return [QualitativeEvaluation(name, value) for name, value in found.items()]
