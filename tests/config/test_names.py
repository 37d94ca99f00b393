import pytest

from pipeline.config.names import MAX_LENGTH, require_key, require_name
from pipeline.errors import InputError

LEADING_ELSEWHERE = [
    "", ".", "..", "../victim", "/abs", "a/b", "a\\b", ".hidden", "-option", "_a", "a b", " a",
    "a\n", "a\nb", "a\0", "a;touch X", "a$(touch X)b", "a`b`", "a|b", "a&b", "a>b", "a*", "~a",
    "a:b", "a'b", 'a"b', "${a}", "ä", "a\u202eb", "\N{ARABIC-INDIC DIGIT ONE}", "a" * 101,
]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["a", "0", "quick", "busi-2.1", "cifar10_lt100", "A..b-", "a" * 100]
)
def test_one_word_that_leads_nowhere_else_is_a_name(name):
    assert require_name(name, of="a loss") == name


@pytest.mark.parametrize("name", [*LEADING_ELSEWHERE, None, 7, ["a"], {"a": 1}])
def test_what_a_shell_or_a_file_system_reads_otherwise_is_refused_in_one_line(name):
    with pytest.raises(InputError, match="^a loss's name expected, which matches ") as refused:
        require_name(name, of="a loss")
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 200 + MAX_LENGTH


def test_a_key_has_no_dot_because_dvc_ends_a_key_there():
    assert require_key("quick-busi_2", of="a study") == "quick-busi_2"
    with pytest.raises(InputError, match=r"a study's name expected without '\.', .*, got 'v1\.2'"):
        require_key("v1.2", of="a study")
