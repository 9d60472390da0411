"""Data in marked blocks."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from agent_workers.skills.data_block import Placeholder, as_json, block, filled, mark_for, placeholders

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_a_block_holds_one_value_and_ends_once(value: object) -> None:
    mark = mark_for([as_json(value)])
    head, _, rest = block("input", value, mark).partition("\n")
    data, _, end = rest.rpartition("\n")
    assert head == f'<data id="{mark}" name="input">'
    assert end == f'</data id="{mark}">'
    assert mark not in data
    assert json.loads(data) == value


def test_the_mark_is_another_for_other_data_and_occurs_in_no_text_of_the_run() -> None:
    first = mark_for(["a", "b"])
    assert first != mark_for(["a", "c"])
    assert mark_for(["a", "b", first]) not in ["a", "b", first]
    assert re.fullmatch(r"[0-9a-f]{16}", first)


def test_placeholders_are_found_with_their_lines_also_those_that_cannot_be_read() -> None:
    text = "A {{input.deal.name}} and {{ input }}.\n{{ deal }} {{ input.a b }}\n{{ input.x\n}} {{input.items.0.id }}"
    assert placeholders(text) == [
        Placeholder("{{input.deal.name}}", ("deal", "name"), 1),
        Placeholder("{{ input }}", (), 1),
        Placeholder("{{ deal }}", None, 2),
        Placeholder("{{ input.a b }}", None, 2),
        Placeholder("{{ input.x", None, 3),
        Placeholder("{{input.items.0.id }}", ("items", "0", "id"), 4),
    ]


def test_a_placeholder_in_the_data_stays_what_it_is() -> None:
    data = {"deal": {"name": "{{ input.secret }}"}, "secret": "s3cret", "items": [{"id": 7}]}
    told = filled("Deal: {{ input.deal.name }}; {{ input.items.0.id }}; {{ input.none.at.all }}", data, "m")
    assert "s3cret" not in told
    assert '<data id="m" name="input.deal.name">\n"{{ input.secret }}"\n</data id="m">' in told
    assert '<data id="m" name="input.items.0.id">\n7\n</data id="m">' in told
    assert '<data id="m" name="input.none.at.all">\nnull\n</data id="m">' in told
