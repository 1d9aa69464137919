"""YAML from strangers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lemsite.lib.strict_yaml import MAX_BYTES, BadYaml, dumps, loads

BAD = {
    "empty": b"",
    "only a comment": b"# nothing",
    "broken": b"a: [1, 2",
    "tab as indent": b"a:\n\t- b",
    "alias": b"a: &x [1]\nb: *x",
    "anchor": b"a: &x 1",
    "merge key": b"<<: {a: 1}",
    "tag": b"a: !!binary aGk=",
    "tag that runs something": b"!!python/object/apply:os.system [ls]",
    "key twice": b"a: 1\na: 2",
    "key that is a list": b"? [a]\n: 1",
    "long key": b"k" * 201 + b": 1",
    "several documents": b"a: 1\n---\nb: 2",
    "depth": b"[" * 100_000,
    "depth of mappings": b"{a: " * 50_000,
    "depth of lists": b"- " * 100_000,
    "depth by indent": b"".join(b" " * level + b"a:\n" for level in range(500)),
    "too many values": b"[" + b"1," * 60_000 + b"1]",
    "too large": b"a: " + b"x" * MAX_BYTES,
    "bad UTF-8": b"a: \xff",
    "UTF-16": "a: 1".encode("utf-16"),
    "NUL": b'a: "\\0"',
    "half a surrogate pair": b'a: "\\ud800"',
    "control character": b'a: "\x07"',
    "beyond 64 bits": b"a: 9223372036854775808",
    "5000 digits": b"a: " + b"9" * 5000,
    "beyond a double": b"a: 1.0e+400",
    "quote and backslash again and again": b'"\\' * 100_000,
    "colons": b":" * 200_000,
    "question marks": b"? " * 100_000,
    "anchors again and again": b"&a " * 80_000,
    "directives again and again": b"%YAML 1.1\n" * 20_000,
}
LAUGHS = b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"


@pytest.mark.parametrize("name", BAD)
def test_bad_yaml_is_refused(name):
    with pytest.raises(BadYaml) as caught:
        loads(BAD[name])

    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("raw", "place"),
    [(b"a: 1\nb: *x", "at line 2, column 4"), (b"a: 1\nb: [\n", "line 3"), (LAUGHS, "at line 1")],
    ids=["alias", "open list", "a thousand laughs"],
)
def test_the_line_of_the_fault_is_named(raw, place):
    with pytest.raises(BadYaml, match=place):
        loads(raw)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-12", -12),
        ("1.5", 1.5),
        ("1.", 1.0),
        ("1e-05", 1e-05),
        ("1.0e+2", 100.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ("2026-03-14", "2026-03-14"),
        ("2026-03-14T09:30:00Z", "2026-03-14T09:30:00Z"),
        (".inf", ".inf"),
        ("-.inf", "-.inf"),
        (".nan", ".nan"),
        ("yes", "yes"),
        ("1e10", "1e10"),
        ("1:30", "1:30"),
        ("0x1F", "0x1F"),
        ("010", "010"),
        ("=", "="),
        ("|\n  two\n  lines", "two\nlines\n"),
    ],
)
def test_scalars_are_what_they_look_like(text, value):
    found = loads(f"a: {text}\n".encode())["a"]

    assert (found, type(found)) == (value, type(value))


def test_keys_are_always_text():
    assert loads(b"1: a\ntrue: b\n~: c\n") == {"1": "a", "true": "b", "~": "c"}


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    assert loads(b"\xef\xbb\xbfa: 1") == {"a": 1}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.text(alphabet="ab:-?[]{}&*!|>'\"%#,\n 01.~<", max_size=400).map(str.encode))
def test_any_bytes_give_a_value_or_a_refusal(raw):
    try:
        loads(raw)
    except BadYaml:
        return


GOOD = st.characters(codec="utf-8", exclude_characters="\x00")
WORDS = st.sampled_from([".inf", "1e-05", "1e10", "yes", "null", "2026-03-14", "# x", "", "- a", "*a", "0x1F"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(GOOD, max_size=20)
    | WORDS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(GOOD, max_size=20), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=3))
def test_what_is_written_is_read_back(value):
    assert loads(dumps(value)) == value
