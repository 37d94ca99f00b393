import pytest

from pipeline.findings.records import RunRecord
from pipeline.verifying.bits import same_bits
from tests.findings.simulated_study import PROCESSOR, VERSIONS, run_record


def run(seed=0, **changes):
    known = {key: value for key, value in run_record("gce", seed).items()
             if key in RunRecord.model_fields}  # fmt: skip
    return RunRecord(experiment="busi", **known | changes)


def other(**changes):
    """The same run with other logits and what else is different."""
    return run(logits_sha256="other", **changes)


def test_equal_hashes_are_the_same_bits_whatever_else_is_different():
    here = run(revision="b" * 40, processor={"kernels": "AVX512"})
    assert same_bits([here], [run()]).text() == "yes"


@pytest.mark.parametrize(
    ("changes", "short", "detail"),
    [
        ({"config_hash": "x" * 64}, "other configs", "xxxxxxxxxxxx, published gggggggggggg"),
        ({"data_fingerprint": "x" * 64}, "other data", "xxxxxxxxxxxx, published dddddddddddd"),
        ({"versions": VERSIONS | {"torch": "3.0"}}, "other versions",
         "torch 3.0, published 2.13.0"),
        ({"versions": {"torch": "2.13.0"}}, "other versions", "python none, published 3.11.7"),
        ({"processor": PROCESSOR | {"kernels": "AVX512"}}, "another processor",
         "kernels AVX512, published AVX2"),
        ({"processor": PROCESSOR | {"threads": 2}}, "other threads", "threads 2, published 1"),
        ({"processor": {"name": "H100", "capability": "9.0"}}, "another processor",
         "name H100, published none; capability 9.0, published none; architecture none, published "
         "x86_64; kernels none, published AVX2; onednn none, published AVX2; threads none, "
         "published 1"),
        ({"device": "cpu, threads: 2"}, "another device",
         "cpu, threads: 2, published cpu, threads: 1, processes: 1"),
        ({"revision": "b" * 40}, "other code", "bbbbbbbbbbbb, published aaaaaaaaaaaa"),
        ({"dirty": True}, "other code", "aaaaaaaaaaaa, published aaaaaaaaaaaa"),
        ({}, "for no reason that is recorded",
         "configs, data, versions, processor and code are equal"),
    ],
)  # fmt: skip
def test_the_reason_is_what_is_recorded_of_both_and_different(changes, short, detail):
    found = same_bits([other(**changes)], [run()])
    assert found.reasons == ((short, detail),)
    assert found.text() == f"no, {short}"
    assert found.text(detailed=True) == f"no, {short} ({detail})"


def test_the_code_is_named_only_where_nothing_else_explains_the_bits():
    here = other(revision="b" * 40, processor=PROCESSOR | {"kernels": "AVX512"})
    assert same_bits([here], [run()]).text() == "no, another processor"
    assert same_bits([other(revision="b" * 40, config_hash="x")], [run()]).text() == (
        "no, other configs"
    )


def test_configs_and_data_come_first_and_all_that_is_different_is_said():
    here = other(config_hash="x", data_fingerprint="y", processor=PROCESSOR | {"kernels": "AVX512"})
    assert same_bits([here], [run()]).text() == (
        "no, other configs and other data and another processor"
    )


def test_the_project_s_own_version_is_no_other_version():
    versions = VERSIONS | {"calibrated-imaging": "0.2.0"}
    here = other(versions=versions, revision="b" * 40)
    assert same_bits([here], [run()]).text() == "no, other code"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"revision": "b" * 40}, "other code or another processor"),
        ({}, "perhaps another processor"),
        ({"config_hash": "x"}, "other configs"),
    ],
)
def test_a_processor_that_was_not_recorded_is_not_passed_over(changes, words):
    published = run(processor="not recorded")
    assert same_bits([other(**changes)], [published]).text() == f"no, {words}"
    assert same_bits([other(**changes, processor="not recorded")], [run()]).text() == f"no, {words}"


def test_some_runs_may_have_the_same_bits():
    here = [run(0), other(seed=1, revision="b" * 40), run(7)]
    found = same_bits(here, [run(0), run(1), run(2)])
    assert (found.num_same, found.num_shared) == (1, 2)
    assert found.text() == "in 1 of 2 runs, in the others not: other code"


def test_without_a_run_in_common_there_is_nothing_to_compare():
    assert same_bits([run(0)], [run(1)]).text() == "no run in common"
