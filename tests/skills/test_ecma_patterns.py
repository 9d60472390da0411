"""Regular expressions that JavaScript cannot read. Each was tried with the agent's CLI."""

import re

import pytest

from agent_workers.skills.ecma_patterns import unreadable_part


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "^a$", r"[a\-b]", r"\/", r"(?i:a)", r"\d+\s*\w", r"[\w-]+", r"(?<=a)b", r"(?<!a)b", r"\x41\u0041"),
        *(r"[^\]]", r"^(?:/(?:[^~/]|~[01])*)*$", "a|b|", "a{2}b{2,}c{2,3}?", "a*?b+?c??", r"\(\)\{\}\.\^\$\|"),
        *(r"(a)\1", "Größe €", r"\bx\B", "(?=a)(?!b)a", r"[.*+?(){}|^$]"),
    ],
)
def test_what_both_read_is_no_fault(pattern: str) -> None:
    re.compile(pattern)
    assert unreadable_part(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        (r"a\_b", r"\_b"),
        (r"a\-b", r"\-b"),
        ("a{b", "{b"),
        ("a}b", "}b"),
        ("a]b", "]b"),
        (r"\@", r"\@"),
        ("(?P<x>a)", "(?P<x>a)"),
        ("(?i)a", "(?i)a"),
        (r"\Aa\Z", r"\Aa\Z"),
        ("x(?>a)", "(?>a)"),
        ("a++", "+"),
        ("(?#x)a", "(?#x)a"),
        ("a{,3}", "{,3}"),
        (r"\a", r"\a"),
        (r"\.\,", r"\,"),
        ("^*", "*"),
        ("[]a]", "]"),
        (r"[\a]", r"[\a]"),
        ("a" * 9 + "{" + "b" * 50, "{" + "b" * 11),
    ],
)
def test_what_python_alone_reads_is_told_with_its_place(pattern: str, part: str) -> None:
    assert unreadable_part(pattern) == part
