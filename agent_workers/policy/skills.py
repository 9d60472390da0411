"""Which skills may run, and what is told where a skill asks for more than the policy allows."""

from pathlib import Path

from agent_workers.policy.directories import is_within, real_directory
from agent_workers.policy.ruling import Objection, Ruling, matches, one_of, quoted
from agent_workers.policy.tables import SkillsTable
from agent_workers.protocol.v1.problem import pointer
from agent_workers.protocol.v1.skill_request import SkillRequest
from agent_workers.protocol.v1.skill_use import SkillUse

_PLACE = ("skill",)


def rule_on_skill(table: SkillsTable, use: SkillUse, ruling: Ruling) -> None:
    """Objects to a skill that is not listed, and names the skill where it asks for what is not allowed."""
    ruling.objections[:] = [_told_of_skill(each) for each in ruling.objections]
    if table.names is not None and not matches(use.name, table.names):
        ruling.object_to(
            *_PLACE, words=one_of(table.names, "skills.names"), reason=f"{use.name} is not in skills.names"
        )
    if table.folders is not None and not _is_listed(use.folder, table.folders):
        words = "is not in a directory that the host's policy lists in skills.folders"
        reason = f"{str(use.folder)!a} is not in {quoted(table.folders)}"
        ruling.object_to(*_PLACE, words=words, reason=reason)


def _is_listed(folder: Path, folders: list[str]) -> bool:
    real = real_directory(str(folder))
    return real is not None and is_within(real, folders)


def _told_of_skill(objection: Objection) -> Objection:
    """The caller of a skill does not see what the skill asks for: its name is the place."""
    name = objection.place.split("/")[1] if objection.place else ""
    if not name or name in SkillRequest.model_fields:
        return objection
    return objection._replace(place=pointer(_PLACE), words=f"asks for {objection.place}, which {objection.words}")
