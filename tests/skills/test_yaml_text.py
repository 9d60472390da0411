"""The YAML of a skill's folder."""

import pytest

from agent_workers.skills.yaml_text import YamlFault, read_yaml


def test_what_json_can_say_is_read_as_json_would() -> None:
    checks = "checks:\n  - {check: sum, at: /a/*, max: 1.5}\n"
    text = f'model: m\nlimits: {{timeout_s: 20}}\n{checks}when: 2026-11-26\nx: "1"\ny: ~\n'
    assert read_yaml(text) == {
        "model": "m",
        "limits": {"timeout_s": 20},
        "checks": [{"check": "sum", "at": "/a/*", "max": 1.5}],
        "when": "2026-11-26",
        "x": "1",
        "y": None,
    }


def test_plain_words_mean_what_they_mean_in_json() -> None:
    text = "[1e-06, 1E+2, -0.5, 0, 010, 1_000, 1:30, no, Off, yes, true, True, null, ~, '', .inf, .5, 5., +1, 0x1f]"
    assert read_yaml(text) == [
        *(0.000001, 100.0, -0.5, 0, "010", "1_000", "1:30", "no", "Off", "yes", True, "True", None, None, ""),
        *(".inf", ".5", "5.", "+1", "0x1f"),
    ]
    assert [type(each) for each in read_yaml("[1, 1.0, 1e2]")] == [int, float, float]
    assert read_yaml("a:\nb: 2026-11-26\n<<: 1") == {"a": None, "b": "2026-11-26", "<<": 1}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3", 12, "'a' appears more than once"),
        ("a:\n  b: 1\n  b: 2", 12, "'b' appears more than once"),
        ("a: &x 1\nb: *x", 11, "aliases"),
        ("a: 1\n1: 2", 11, "'1' is not text"),
        ("a: !!python/object:os.system x", 10, "the tag"),
        ("a: !!binary aGk=", 10, "the tag"),
        ("a: {b: &y {c: 1}}\nd:\n  <<: *y", 12, "aliases"),
        ("a: [1, 2", 10, "is not valid YAML"),
        ("a: b: c", 10, "is not valid YAML"),
        ("--- a\n--- b", 11, "is not valid YAML"),
        ("a: " + "[" * 5000, None, "is not valid YAML"),
        ("a: \x07", None, "is not valid YAML"),
        ("a: " + "x" * 300_000, None, "is longer than"),
    ],
)
def test_what_could_surprise_is_refused_with_its_line(text: str, line: int | None, words: str) -> None:
    with pytest.raises(YamlFault, match=words) as refused:
        read_yaml(text, first_line=10)
    assert refused.value.line == line
