"""The training bench keeps the figures of those contenders that run."""

from benchmarks.training import (
    AUGMENTED,
    CAPTURED,
    CASES,
    EAGER,
    MONAI,
    OURS,
    TOGETHER,
    print_rates,
    print_verdicts,
    ready,
)


def test_a_contender_that_cannot_be_made_or_run_is_left_out_and_said_so(capsys):
    def lacks():
        message = "No module named 'monai'"
        raise ImportError(message)

    def breaks():
        message = "operation not permitted"
        raise RuntimeError(message)

    made = ready({OURS: lambda: int, MONAI: lacks, CAPTURED: lambda: breaks})
    assert made == {OURS: int}
    assert capsys.readouterr().out == (
        f"{MONAI}: left out: ImportError: No module named 'monai'\n"
        f"{CAPTURED}: left out: RuntimeError: operation not permitted\n"
    )


def test_each_case_is_judged_by_what_was_measured(capsys):
    thin, _, resnet, _ = CASES["cuda"]
    rates = {
        thin: {OURS: 95.0, CAPTURED: 100.0, EAGER: 10.0, MONAI: 19.0, TOGETHER: 380.0},
        resnet: {OURS: 80.0, CAPTURED: 100.0, AUGMENTED: 70.0},
    }
    print_verdicts(rates)
    *_, first, second = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert " ".join(first[4:]) == (
        "0.95 9.50 PASS (at least 0.9) PASS (at least 8) FAIL (at least 7) PASS (at least 3.3)"
    )
    assert " ".join(second[4:]) == "0.80 - FAIL (at least 0.9) - - -"
    print_rates(resnet, rates[resnet])
    assert "nan" in capsys.readouterr().out
