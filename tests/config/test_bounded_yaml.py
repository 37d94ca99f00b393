import time

import pytest

from pipeline.config.bounded_yaml import MAX_DEPTH, MAX_REPEATED, parse_yaml
from pipeline.errors import InputError

LAUGHS = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
)
"""Four thousand million words in less than a kilobyte."""

MERGED = "a0: &a0 {k: ha, l: ha}\n" + "".join(
    f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}], k{i}: 1}}\n" for i in range(1, 10)
)


@pytest.mark.parametrize("text", [LAUGHS, MERGED])
def test_a_kilobyte_that_repeats_itself_without_end_is_refused_at_once(text):
    assert len(text) < 1024
    started = time.perf_counter()
    with pytest.raises(InputError, match=r"line \d+: aliases expected to repeat") as refused:
        parse_yaml(text)
    assert time.perf_counter() - started < 1
    assert "ha" not in str(refused.value)
    assert len(str(refused.value)) < 100


def test_what_is_named_once_may_be_repeated_within_reason():
    assert parse_yaml("a: &a {b: 1}\nc: *a\nd: {<<: *a, e: 2}") == {
        "a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2},
    }  # fmt: skip


def test_a_long_text_counts_by_its_length():
    long = "x" * (MAX_REPEATED // 2)
    assert parse_yaml(f"a: &a {long}\nb: *a")["b"] == long
    with pytest.raises(InputError, match="line 2: aliases expected to repeat at most 100,000"):
        parse_yaml(f"a: &a {long}\nb: [*a, *a]")


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: [1, *a]}", "&a a: &b [*b]"])
def test_an_alias_within_what_it_stands_for_is_refused(text):
    with pytest.raises(InputError, match="line 1: an alias expected outside of what it stands for"):
        parse_yaml(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}")])
def test_nesting_ends_at_the_bound(opening, closing):
    assert parse_yaml(opening * MAX_DEPTH + "x" + closing * MAX_DEPTH)
    for times in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(InputError, match="line 1: at most 20 lists and mappings within one an"):
            parse_yaml(opening * times)


def test_an_alias_is_as_deep_as_what_it_stands_for():
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert parse_yaml(f"a: &a {deep}\nb: *a")
    with pytest.raises(InputError, match="line 2: at most 20 lists and mappings"):
        parse_yaml(f"a: &a {deep}\nb: [*a]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: key 'a' is stated already in line 1"),
        ("a: {x: 1, 'x': 2}", "line 1: key 'x' is stated already in line 1"),
        ("a:\n- x: 1\n  y: 2\n  x: 1", "line 4: key 'x' is stated already in line 2"),
        ("1: a\n0x1: b", "line 2: key '1' is stated already in line 1"),
        ("a: &a {b: 1}\nc: {<<: *a, <<: *a}", "line 2: key '<<' is stated already in line 2"),
    ],
)
def test_a_key_that_is_stated_twice_is_refused_with_both_lines(text, message):
    with pytest.raises(InputError, match=message):
        parse_yaml(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!int foo", "line 1: a plain value expected, got a tag"),
        ("a: !!python/object/apply:os.system [x]", "line 1: a plain value expected, got a tag"),
        ("a: " + "9" * 5000, "line 1: a number of at most 40 characters expected"),
        ("a: 0x" + "f" * 5000, "line 1: a number of at most 40 characters expected"),
        ("a: " + "1:" * 100_000 + "1", "line 1: a number of at most 40 characters expected"),
        ('b: 1\na: "\\e[31mred"', "line 2: text without control characters expected"),
        ('"a\\0": 1', "line 1: text without control characters expected"),
        ("b: 1\n0b_: 2", "line 2: a number expected, got what only looks like it"),
        ("? [a]\n: b", "line 1: a word or a number expected as a key"),
        ("a: b\0c", "not valid YAML: "),
        ("a: *b", "not valid YAML: line 1: found undefined alias"),
        ("a: [1", r"not valid YAML: line \d: .*did not find expected ',' or '\]'"),
        ("--- a\n--- b", "not valid YAML: line 2: .*but found another document"),
        ("=: 1", "not valid YAML: line 1: could not determine a constructor"),
    ],
)
def test_what_configs_need_not_hold_is_refused_by_its_line(text, message):
    with pytest.raises(InputError, match=message) as refused:
        parse_yaml(text)
    assert len(str(refused.value)) < 300


def test_a_date_is_the_text_that_it_is():
    assert parse_yaml("a: 2020-13-45\nb: 2020-01-02") == {"a": "2020-13-45", "b": "2020-01-02"}
