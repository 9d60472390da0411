"""What a job says besides its request: where it waits, how often it is tried, and who hears of its failure."""

import re
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, Tag
from pydantic_core import PydanticCustomError

from agent_workers.protocol.v1.codes import ERROR_CODES
from agent_workers.protocol.v1.content import by_shape
from agent_workers.protocol.v1.fields import (
    CREDENTIAL_NAME,
    MOMENT,
    QUEUE_NAME,
    SHOWN_TEXT,
    Few,
    Opt,
    Strict,
    whole,
)
from agent_workers.protocol.value import Json

DEFAULT_ATTEMPTS = 3
MAX_ATTEMPTS = 10

_KEY_BEGINS = ("sk-", "sk_", "pk-", "pk_", "rk_", "ghp_", "gho_", "github_pat_", "xox", "akia", "eyj", "bearer ")
_RUN_OF_A_KEY = re.compile(r"[A-Za-z0-9]{40}")
_A_KEY = (
    "looks like a key, and a job only names one: keep the key on the machines that run jobs, and send its name there"
)
_NO_TIME = "must be an RFC 3339 time with its offset, such as 2026-11-27T09:30:00Z or 2026-11-27T10:30:00+01:00"


def _moment(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    try:
        if re.fullmatch(MOMENT.strip("^$"), value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("contract", "{found}", {"found": _NO_TIME})


def _error_code(code: str) -> str:
    if code not in ERROR_CODES:
        words = "must be a code of an error event, such as rate_limited or timeout"
        raise PydanticCustomError("contract", "{found}", {"found": words, "known": ERROR_CODES})
    return code


def _no_key(value: Json) -> Json:
    if isinstance(value, str) and (value.lower().startswith(_KEY_BEGINS) or _RUN_OF_A_KEY.search(value)):
        raise PydanticCustomError("contract", "{found}", {"found": _A_KEY})
    return value


QueueName = Annotated[str, Field(pattern=QUEUE_NAME)]
Moment = Annotated[
    datetime, BeforeValidator(_moment), Field(json_schema_extra={"pattern": MOMENT, "format": "date-time"})
]
Tenant = Annotated[str, Field(pattern=SHOWN_TEXT, max_length=128)]
Person = Annotated[str, Field(pattern=SHOWN_TEXT, max_length=256)]
Priority = Annotated[int, Field(ge=-9, le=9), BeforeValidator(whole)]
Attempts = Annotated[int, Field(ge=1, le=MAX_ATTEMPTS), BeforeValidator(whole)]
RetriedCode = Annotated[str, Field(json_schema_extra={"examples": ERROR_CODES}), AfterValidator(_error_code)]
CredentialName = Annotated[str, Field(pattern=CREDENTIAL_NAME), BeforeValidator(_no_key)]


class FailureQueue(Strict):
    """A queue that gets the job when no attempt is left."""

    foreign_fields: ClassVar = {"person": "cannot be combined with queue; send one of the two"}
    synonyms: ClassVar = {"name": "queue"}

    queue: QueueName = Field(description="Name of the queue.")


class FailurePerson(Strict):
    """A person who is told when no attempt is left."""

    foreign_fields: ClassVar = {"queue": "cannot be combined with person; send one of the two"}
    synonyms: ClassVar = dict.fromkeys(("user", "name", "email"), "person")

    person: Person = Field(description="Who it is, in the application's own words, such as the id of a user.")


def _failure_kind(value: object) -> str | None:
    if isinstance(value, (FailureQueue, FailurePerson)):
        return f"={type(value).__name__}"
    if not isinstance(value, dict) or not value:
        return None
    return "=FailureQueue" if "queue" in value else "=FailurePerson"


OnFailure = Annotated[
    Annotated[FailureQueue, Tag("=FailureQueue")] | Annotated[FailurePerson, Tag("=FailurePerson")],
    by_shape(_failure_kind, 'must be {"queue": …} or {"person": …}'),
]


class JobFields(Strict):
    """The fields of a job that are not its request's."""

    synonyms: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("tries", "max_tries", "max_attempts", "retries", "max_retries"), "attempts"),
        **dict.fromkeys(("delay", "delay_until", "available_at", "not_before", "scheduled_at", "eta"), "run_at"),
        **dict.fromkeys(("deadline", "expires", "expiry", "not_after"), "expires_at"),
        **dict.fromkeys(("api_key", "key", "secret", "token", "credentials"), "credential"),
        **dict.fromkeys(("failed", "on_error", "dead_letter", "dead_letter_queue"), "on_failure"),
        **dict.fromkeys(("retry", "retry_codes", "retry_for"), "retry_on"),
        **dict.fromkeys(("queue_name", "topic", "channel"), "queue"),
        **dict.fromkeys(("tenant_id", "account", "customer", "organization"), "tenant"),
        **dict.fromkeys(("command", "program", "agent", "job"), "worker"),
    }

    queue: QueueName = Field(default="default", description="The queue in which the job waits.")
    tenant: Opt[Tenant] = Field(
        default=None,
        description="For which of the application's customers it runs: nobody's jobs may keep all others waiting. "
        "Never shown to the model.",
    )
    priority: Priority = Field(default=0, description="Jobs with a higher one go first in their queue.")
    run_at: Opt[Moment] = Field(default=None, description="The job does not begin before. At once when absent.")
    expires_at: Opt[Moment] = Field(
        default=None,
        description="A job that has not begun by then never does: it ends with `error` `timeout`. Never when absent.",
    )
    attempts: Attempts = Field(
        default=DEFAULT_ATTEMPTS,
        description="How often the job is tried at most, if its worker is lost or it ends with a code of `retry_on`.",
    )
    retry_on: Few[RetriedCode] = Field(
        default_factory=list,
        description="Codes of `error` after which the job is tried again, as it is where its worker was lost.",
    )
    credential: Opt[CredentialName] = Field(
        default=None,
        description="Name of the credential that the machine which runs the job looks up; never a key. The machine's "
        "own when absent.",
    )
    on_failure: Opt[OnFailure] = Field(
        default=None, description="Who gets the job when no attempt is left. Nobody when absent."
    )
