"""What the agent asks the user by ``AskUserQuestion``, and how its answers reach the agent. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_workers.protocol.v1.events import QuestionItem, QuestionOption
from agent_workers.wire import mend_surrogates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOBODY = "Nobody answered. Go on without an answer: choose what is most reasonable, and say what you have assumed."
"""Tells the agent that its questions stay open."""

# What is asked must reach the user whole: the answers bear the questions, and labels are sent back.
_LONGEST = {"question": 4000, "header": 200, "label": 1000, "description": 2000}


class Unaskable(ValueError):
    """Raised when the user cannot be asked this. The message is for the agent."""


def items_of(tool_input: Mapping[str, Any]) -> list[QuestionItem]:
    """Returns the questions of a call's input.

    Raises:
        Unaskable: A text is missing, blank or too long, or two questions or labels are the same.
    """
    asked = tool_input.get("questions")
    if not isinstance(asked, list) or not asked or not all(isinstance(each, dict) for each in asked):
        raise Unaskable("questions must be a list of questions.")
    items = [_item(each) for each in asked]
    _refuse_twins("question", [item.question for item in items])
    return items


def _item(asked: Mapping[str, Any]) -> QuestionItem:
    offered = asked.get("options")
    if not isinstance(offered, list) or not offered or not all(isinstance(each, dict) for each in offered):
        raise Unaskable("Each question needs options.")
    options = [
        QuestionOption(label=_text(each, "label"), description=_text(each, "description", optional=True))
        for each in offered
    ]
    _refuse_twins("label", [option.label for option in options])
    return QuestionItem(
        question=_text(asked, "question"),
        header=_text(asked, "header", optional=True),
        options=options,
        multi=asked.get("multiSelect") is True,
    )


def _text(part: Mapping[str, Any], name: str, *, optional: bool = False) -> Any:
    text = part.get(name)
    if optional and (text is None or text == ""):
        return None
    if not isinstance(text, str) or not text.strip():
        raise Unaskable(f"Each {name} must be a text that is not blank.")
    if len(text) > _LONGEST[name]:
        raise Unaskable(f"A {name} may have at most {_LONGEST[name]} characters. Ask in fewer words.")
    return mend_surrogates(text)


def _refuse_twins(name: str, texts: Sequence[str]) -> None:
    if len(set(texts)) < len(texts):
        raise Unaskable(f"No two may have the same {name}.")


def misfit(answers: Mapping[str, str | Sequence[str]], items: Sequence[QuestionItem]) -> str | None:
    """Returns why the answers do not fit the questions; None where they do. A text that was not offered fits."""
    questions = {item.question: item for item in items}
    for question, answer in answers.items():
        if question not in questions:
            return f"no question has the text {question[:80]!r}"
        if not isinstance(answer, str) and not questions[question].multi:
            return f"only one answer may be given to {question[:80]!r}"
    missing = next((question for question in questions if question not in answers), None)
    return None if missing is None else f"{missing[:80]!r} has no answer"


def answered(
    tool_input: Mapping[str, Any], items: Sequence[QuestionItem], answers: Mapping[str, str | Sequence[str]]
) -> dict[str, Any]:
    """Returns the call's input with the answers, as the CLI takes them: a text for each question, as it was asked."""
    spelled = zip((asked["question"] for asked in tool_input["questions"]), items, strict=True)
    return {**tool_input, "answers": {original: _joined(answers[item.question]) for original, item in spelled}}


def _joined(answer: str | Sequence[str]) -> str:
    return answer if isinstance(answer, str) else ", ".join(answer)
