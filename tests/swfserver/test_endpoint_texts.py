"""Texts and names come back as they were, whatever they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyworkflow.engine.codec import Payloads
from pyworkflow_swfserver.faults import Fault
from pyworkflow_swfserver.names import Domain, domain_of
from pyworkflow_swfserver.texts import ExactTexts, JsonTexts, policy_of

TEXTS = ExactTexts()
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=":/|"), min_size=1, max_size=40)
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def kept(text: str | None, texts: ExactTexts = TEXTS) -> Any:
    """What is kept of a text, after it was stored."""
    payloads = Payloads()
    return payloads.load(payloads.dump(texts.load(text)))


@given(st.none() | st.text(st.characters(exclude_categories=["Cs"])) | JSON.map(json.dumps))
@example("{}")
@example("null")
@example("NaN")
@example("1.0")
@example("1e400")
@example("12345678901234567890123")
@example('{"a": 1}')
@example('{"swf:text":"x"}')
@example("[" * 100)
@example("[" * 70 + "]" * 70)
def test_every_text_comes_back_to_the_character(text: str | None) -> None:
    assert TEXTS.dump(kept(text)) == text


@pytest.mark.parametrize("text", ['{"a":1}', "[1,2]", "17", '"hello"', "true", '{"é":"ü"}'])
def test_compact_json_is_kept_as_its_value(text: str) -> None:
    assert kept(text) == json.loads(text)


@given(JSON.map(json.dumps) | JSON.map(lambda value: json.dumps(value, indent=1, ensure_ascii=False)))
@example('{"price": 1.10, "n": 1E2}')
def test_where_pyworkflow_is_at_home_json_is_its_value(text: str) -> None:
    value, said = kept(text, JsonTexts()), json.loads(text)
    if said is None or said == {} or (isinstance(value, dict) and "swf:text" in value):
        assert JsonTexts().dump(value) == text
    else:
        assert value == said
        assert json.loads(str(JsonTexts().dump(value))) == said


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "",
        "{}",
        " null",
        "NaN",
        "[1e400]",
        "12345678901234567890123",
        '{"a": 1, "a": 2}',
        "1.00000000000000000001",
    ],
)
def test_even_there_nothing_is_lost_of_what_has_no_value(text: str) -> None:
    assert JsonTexts().dump(kept(text, JsonTexts())) == text


@given(JSON)
def test_every_value_of_ours_can_be_told(value: Any) -> None:
    text = TEXTS.dump(value)
    assert text is None if value is None or value == {} else json.loads(str(text)) == value


@pytest.mark.parametrize("text", [None, "", "hello", '{"a":1}'])
def test_a_policy_travels_with_the_input(text: str | None) -> None:
    value = TEXTS.start(text, "REQUEST_CANCEL")
    assert (TEXTS.dump(value), policy_of(value)) == (text, "REQUEST_CANCEL")
    assert policy_of(TEXTS.start(text, None)) is None


@given(NAMES, NAMES, st.booleans())
@example("a~b", "~x", False)
@example("default", "~~x~", True)
@example("%7E", "~", True)
def test_a_name_of_a_domain_comes_back(domain: str, name: str, bare: bool) -> None:
    there = Domain(domain, bare)
    inside = there.inside(name)
    assert there.outside(inside) == name
    assert there.holds(inside)
    assert domain_of(inside) == (None if bare else domain)
    assert inside != there.register


@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
@example(("a", "b~c"), ("a~b", "c"))
def test_names_of_two_domains_are_never_the_same(one: tuple[str, str], two: tuple[str, str]) -> None:
    assert (Domain(one[0]).inside(one[1]) == Domain(two[0]).inside(two[1])) == (one == two)


def test_a_name_that_is_too_long_with_its_domain_is_refused() -> None:
    with pytest.raises(Fault, match="has at most 250 characters"):
        Domain("shop").inside("x" * 251)
    assert len(Domain("shop").inside("x" * 250)) == 256
