"""A report says what was decided, by whom and of what, and is valid whatever the headers hold."""

from dataclasses import replace
from io import BytesIO

import pytest
from highdicom.sr import srread
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import Comprehensive3DSRStorage, MRImageStorage
from pynetdicom import AllStoragePresentationContexts

from pipeline.adapters.silence import silenced
from pipeline.errors import InputError
from pipeline.node.receiving import is_image
from pipeline.predicting.decisions import REASONS
from pipeline.predicting.report_headers import evidence_of, reference_to
from pipeline.predicting.structured_report import structured_report
from pipeline.releasing.manifest import BEYOND_THE_RULE
from tests.dicom_files import uid
from tests.predicting.examples import (
    ANSWERED,
    CODES,
    GUARANTEE,
    REFERRED,
    SHA,
    headers,
    make_released,
)

RELEASED = make_released()


def written(report):
    """The report as somebody else reads it."""
    buffer = BytesIO()
    report.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    return dcmread(buffer)


def items(content, path=()):
    """Every content item below one, by the meanings of the names that lead to it."""
    for item in content.get("ContentSequence", []):
        name = (
            item.ConceptNameCodeSequence[0].CodeMeaning if "ConceptNameCodeSequence" in item else ""
        )
        yield name, item
        yield from items(item)


def value(item):
    kind = item.ValueType
    if kind == "CODE":
        code = item.ConceptCodeSequence[0]
        return code.CodingSchemeDesignator, code.CodeValue, code.CodeMeaning
    if kind == "NUM":
        return float(item.MeasuredValueSequence[0].NumericValue)
    if kind == "IMAGE":
        reference = item.ReferencedSOPSequence[0]
        return reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID
    return {"TEXT": "TextValue", "UIDREF": "UID"}.get(kind) and item.get(
        {"TEXT": "TextValue", "UIDREF": "UID"}[kind]
    )


def content(report):
    found = {}
    for name, item in items(written(report)):
        found.setdefault(name, []).append(value(item))
    return found


def test_an_answer_states_class_probability_threshold_and_guarantee():
    found = content(structured_report(ANSWERED, RELEASED, headers()))
    code = CODES["malignant"]
    assert found["Predicted class"] == [(code["scheme"], code["value"], code["meaning"])]
    assert found["Probability"] == [0.9375]
    assert found["Least confidence answered"] == [0.875]
    assert found["Decision of the model"] == [("99CALIMG", "ANSWERED", "Answered by the model")]
    assert found["Guarantee"] == [f"{GUARANTEE} {BEYOND_THE_RULE}"]
    assert "Reason for referral" not in found


def test_a_referral_states_its_reason_and_no_class():
    found = content(structured_report(REFERRED, RELEASED, headers()))
    assert found["Decision of the model"] == [("99CALIMG", "REFERRED", "Referred to a reader")]
    assert found["Reason for referral"] == [("99CALIMG", "NOT_CONFIDENT", "Not confident enough")]
    assert found["Explanation"] == [REFERRED.detail]
    assert found["Highest calibrated probability"] == [0.625]
    assert not {"Predicted class", "Probability"} & set(found)
    assert CODES["malignant"]["value"] not in str(
        written(structured_report(REFERRED, RELEASED, headers()))
    )


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_its_code(reason):
    blind = replace(
        REFERRED, reason=reason, predicted="", probabilities={}, confidence=None, threshold=None
    )
    found = content(structured_report(blind, RELEASED, headers()))
    assert len(found["Reason for referral"]) == 1
    assert not {"Highest calibrated probability", "Least confidence answered"} & set(found)


def test_no_text_of_a_release_brings_a_control_character_into_a_report():
    text = "wards\x00 a\x1b[31m and\nb\\c \u202eü"
    decision = replace(REFERRED, detail=text)
    found = content(structured_report(decision, make_released(rule__guarantee=text), headers()))
    assert found["Explanation"] == ["wards a[31m and b\\c ü"]
    assert found["Guarantee"] == [f"wards a[31m and b\\c ü {BEYOND_THE_RULE}"]


def test_a_report_says_which_algorithm_and_release_wrote_it():
    report = structured_report(ANSWERED, RELEASED, headers())
    found = content(report)
    assert found["Algorithm Name"] == ["squares gce"]
    assert found["Algorithm Version"] == [SHA[:16]]
    assert found["Algorithm Family"] == [("DCM", "123110", "Artificial Intelligence")]
    assert f"release sha256: {SHA}" in found["Algorithm Parameters"]
    assert found["Observer Type"] == [("DCM", "121007", "Device")]
    assert found["Device Observer Serial Number"] == [SHA]


def test_a_machine_s_result_is_complete_preliminary_and_unverified():
    report = written(structured_report(ANSWERED, RELEASED, headers()))
    assert report.SOPClassUID == Comprehensive3DSRStorage
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    flags = (report.CompletionFlag, report.PreliminaryFlag, report.VerificationFlag)
    assert flags == ("COMPLETE", "PRELIMINARY", "UNVERIFIED")
    assert "VerifyingObserverSequence" not in report


def test_every_source_image_is_referred_to_once_in_content_and_evidence():
    sources = headers(3)
    report = structured_report(ANSWERED, RELEASED, sources)
    expected = sorted((each.SOPClassUID, each.SOPInstanceUID) for each in sources)
    assert sorted(content(report)["Source of Measurement"]) == expected
    (study,) = written(report).CurrentRequestedProcedureEvidenceSequence
    found = [
        (each.ReferencedSOPClassUID, each.ReferencedSOPInstanceUID)
        for series in study.ReferencedSeriesSequence
        for each in series.ReferencedSOPSequence
    ]
    assert sorted(found) == expected


def test_patient_and_study_are_written_as_they_came():
    source = headers(1, PatientName="Müller^Jürgen", SpecificCharacterSet="ISO_IR 100")
    report = written(structured_report(ANSWERED, RELEASED, source))
    for keyword in ("PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "AccessionNumber",
                    "StudyInstanceUID", "StudyDate", "StudyDescription"):  # fmt: skip
        assert report[keyword].value == source[0][keyword].value, keyword
    assert str(report.PatientName) == "Müller^Jürgen"
    assert (report.StudyID, report.StudyTime) == ("", "")


def test_a_report_names_the_patient_whom_any_of_its_images_names():
    nameless, named = headers(1, PatientID=""), headers(2, SpecificCharacterSet="ISO_IR 100")
    report = structured_report(ANSWERED, RELEASED, [*nameless, named[1]])
    assert (report.PatientID, report.PatientName) == ("P-0042", "Doe^Jane")
    assert report.SpecificCharacterSet == "ISO_IR 100"


def test_two_patients_of_one_study_have_a_series_each():
    other = replace(ANSWERED, patient="0b" * 10)
    reports = [structured_report(each, RELEASED, headers()) for each in (ANSWERED, other)]
    assert len({each.SeriesInstanceUID for each in reports}) == 2
    assert len({each.SOPInstanceUID for each in reports}) == 2


def test_words_of_ours_that_the_images_character_set_lacks_are_written_in_unicode():
    source = [written_header(PatientName="Müller^Jürgen", SpecificCharacterSet="ISO_IR 100")]
    plain = written(structured_report(ANSWERED, RELEASED, source))
    assert plain.SpecificCharacterSet == "ISO_IR 100"
    greek = make_released(rule__guarantee="At most α of the answers are wrong.")
    report = structured_report(ANSWERED, greek, source)
    assert written(report).SpecificCharacterSet == "ISO_IR 192"
    assert str(written(report).PatientName) == "Müller^Jürgen"
    assert content(report)["Guarantee"] == [
        f"At most α of the answers are wrong. {BEYOND_THE_RULE}"
    ]


def test_a_japanese_name_survives_the_change_of_its_character_set():
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    source = written_header(PatientName=name, SpecificCharacterSet=["", "ISO 2022 IR 87"])
    report = written(structured_report(ANSWERED, RELEASED, [source]))
    assert str(report.PatientName) == name


def written_header(**elements):
    (dataset,) = headers(1, **elements)
    return written(dataset)


def test_the_same_decision_of_the_same_images_is_the_same_object():
    first, again = (
        structured_report(decision, RELEASED, sources)
        for decision, sources in (
            (ANSWERED, headers(2)),
            (replace(ANSWERED, decided_at="2026-12-01T00:00:00+00:00"), headers(2)[::-1]),
        )
    )
    assert first.SOPInstanceUID == again.SOPInstanceUID
    assert first.SeriesInstanceUID == again.SeriesInstanceUID


def test_the_same_decision_at_the_same_time_is_the_same_bytes():
    buffers = [BytesIO(), BytesIO()]
    for buffer in buffers:
        structured_report(ANSWERED, RELEASED, headers()).save_as(buffer, enforce_file_format=True)
    assert buffers[0].getvalue() == buffers[1].getvalue()


def test_another_decision_image_release_or_study_is_another_object():
    before = [reference_to(uid("study"), uid("series"), uid("report"))]
    instances = [
        structured_report(ANSWERED, RELEASED, headers(2)),
        structured_report(REFERRED, RELEASED, headers(2)),
        structured_report(replace(ANSWERED, predicted="benign"), RELEASED, headers(2)),
        structured_report(replace(ANSWERED, confidence=0.95), RELEASED, headers(2)),
        structured_report(ANSWERED, RELEASED, headers(3)),
        structured_report(replace(ANSWERED, patient="0b" * 10), RELEASED, headers(2)),
        structured_report(ANSWERED, replace(RELEASED, sha256="0" * 64), headers(2)),
        structured_report(ANSWERED, RELEASED, headers(2, StudyInstanceUID=uid("other"))),
        structured_report(ANSWERED, RELEASED, headers(2), predecessors=before),
    ]
    assert len({each.SOPInstanceUID for each in instances}) == len(instances)


def test_a_later_report_names_the_one_that_it_replaces():
    before = reference_to(uid("study"), uid("series"), uid("report"))
    report = written(structured_report(ANSWERED, RELEASED, headers(), predecessors=[before]))
    reference = report.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == uid("report")
    assert report.InstanceNumber == 2


def test_another_library_reads_the_report_as_one_of_its_own():
    buffer = BytesIO()
    structured_report(ANSWERED, RELEASED, headers()).save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    (group,) = srread(buffer).content.get_image_measurement_groups()
    assert group.tracking_identifier == "squares gce"
    assert [each.value for each in group.get_measurements()] == [0.9375, 0.875]


def test_refuses_a_decision_without_images():
    with pytest.raises(InputError, match="at least one expected, got none"):
        structured_report(REFERRED, RELEASED, [])


def test_refuses_an_image_without_its_uids():
    with pytest.raises(InputError, match="one has no SeriesInstanceUID"):
        structured_report(ANSWERED, RELEASED, headers(1, SeriesInstanceUID=None))


@pytest.mark.parametrize(
    "sop_class",
    [
        "1.2.3.4",
        "1.2.840.113619.4.26",
        "1.2.840.10008.5.1.4.1.1.6",  # Ultrasound Image Storage, retired
        "1.2.840.10008.5.1.4.1.1.501.1",  # DICOS CT Image Storage, of luggage
        "1.2.840.10008.1.20.1",  # Storage Commitment Push Model
        "1.2.840.10008.1.2.1",  # a transfer syntax
    ],
)
def test_refuses_an_image_of_a_class_that_is_not_stored_today(sop_class):
    with pytest.raises(InputError, match="one is of another class"):
        structured_report(ANSWERED, RELEASED, headers(1, SOPClassUID=sop_class))


def test_every_class_of_image_that_a_node_takes_has_a_report():
    taken = [each.abstract_syntax for each in AllStoragePresentationContexts]
    for sop_class in filter(is_image, taken):
        assert evidence_of(headers(1, SOPClassUID=sop_class)[0]).SOPClassUID == sop_class


@pytest.mark.parametrize(
    "elements",
    [
        {"PatientSex": "X"}, {"PatientSex": "female"}, {"PatientBirthDate": "unknown"},
        {"PatientBirthDate": "19700631"}, {"StudyDate": "1.2.26"}, {"StudyTime": "noon"},
        {"PatientName": "^^^^^^^^=a=b=c=d"}, {"PatientID": "x" * 200}, {"StudyID": "\\\\"},
        {"SpecificCharacterSet": "EBCDIC"}, {"PatientSize": b"tall"}, {"PatientWeight": b"1,5"},
        {"SOPClassUID": MRImageStorage},
    ],
)  # fmt: skip
def test_a_header_at_fault_is_no_reason_for_no_report(elements):
    with silenced("pydicom"):
        source = headers(1)[0]
        for keyword, stated in elements.items():
            if isinstance(stated, bytes):
                source.add_new(keyword, "LO", stated.decode())
                source[keyword].VR = "LO"
            else:
                setattr(source, keyword, stated)
        report = written(structured_report(ANSWERED, RELEASED, [written(source)]))
        assert report.StudyInstanceUID == source.StudyInstanceUID


@settings(max_examples=25)
@example(keyword="SpecificCharacterSet", value=b"\x00\x08")
@given(
    keyword=st.sampled_from(
        [
            "PatientName",
            "PatientID",
            "PatientBirthDate",
            "PatientSex",
            "StudyTime",
            "PatientSize",
            "SpecificCharacterSet",
            "IssuerOfPatientID",
            "OtherPatientIDsSequence",
        ]
    ),  # fmt: skip
    value=st.binary(max_size=40),
)
def test_any_bytes_in_a_header_leave_a_report_that_can_be_read(keyword, value):
    source = Dataset()
    source.update(headers(1)[0])
    tag = Tag(tag_for_keyword(keyword))
    raw = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
    with silenced("pydicom"):
        source._dict[tag] = raw
        report = written(structured_report(ANSWERED, RELEASED, [source]))
        assert report.CompletionFlag == "COMPLETE"
