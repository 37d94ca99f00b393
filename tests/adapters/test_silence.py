import logging
import os
import warnings
from contextlib import suppress

import pytest

from pipeline.adapters.silence import overheard, silenced


def test_neither_warnings_nor_the_librarys_log_are_heard(caplog):
    with silenced("chatty"):
        warnings.warn("DOE^JANE", stacklevel=1)
        logging.getLogger("chatty").error("DOE^JANE")
    assert caplog.text == ""


def test_silence_ends_with_the_block_even_after_an_error(caplog):
    with pytest.raises(KeyError), silenced("chatty"):
        raise KeyError
    logging.getLogger("chatty").error("heard")
    assert "heard" in caplog.text
    with pytest.warns(UserWarning, match="heard too"):
        warnings.warn("heard too", stacklevel=1)


def test_the_loggers_of_a_librarys_modules_are_not_heard_either(caplog):
    with silenced("chatty"):
        logging.getLogger("chatty.decoders.base").error("DOE^JANE")
    assert caplog.text == ""
    logging.getLogger("chatty.decoders.base").error("heard")
    assert "heard" in caplog.text


def test_what_a_process_writes_on_standard_error_is_overheard(capfd):
    result, complaints = overheard(lambda: os.write(2, b"Corrupt JPEG data"))
    assert (result, complaints) == (17, b"Corrupt JPEG data")
    assert capfd.readouterr() == ("", "")


def test_without_a_complaint_nothing_is_overheard():
    assert overheard(lambda: 3) == (3, b"")


def test_who_complains_without_end_is_not_waited_for():
    def complain():
        with suppress(BlockingIOError):
            while True:
                os.write(2, bytes(2**12))

    assert 0 < len(overheard(complain)[1]) <= 2**16


def test_standard_error_is_given_back_even_after_an_error(capfd):
    with pytest.raises(KeyError):
        overheard(lambda: {}["missing"])
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
