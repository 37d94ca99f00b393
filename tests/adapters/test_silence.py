import logging
import warnings

import pytest

from pipeline.adapters.silence import silenced


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
