"""A worker that keeps the contract to the letter, without a model: what it is to do stands in the request's field `do`.

Each worker in `broken/` is this one with one fault.
"""

import difflib
import json
import os
import re
import select
import signal
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Event = dict[str, Any]
LINE = 256 * 1024
PIECE = 20_000
WORDS = "one two three four five six seven eight "
ODD = 'emoji 😀 CJK 漢字 line \u2028 NUL \0 quote " half \ud83d end'
QUESTION = "In which city is the stand?"
FIELDS = {
    "do": str,
    "v": int,
    "run": str,
    "prompt": str,
    "metadata": dict,
    "session_owner": str,
    "subject": dict,
    "user": str,
    "goal": str,
    "attempt": int,
    "traceparent": str,
    "limits": dict,
    "stream": dict,
    "thinking": bool,
    "session": dict,
    "output_schema": dict,
    "app_tools": list,
    "tools": list,
    "permissions": dict,
}
STREAM = ("ping_s", "partial", "tool_output")
RUN = re.compile(r"[A-Za-z0-9._:-]{1,128}")
LIMITS = ("timeout_s", "idle_timeout_s", "question_timeout_s", "max_budget_usd")


class Ended(Exception):
    """The run is over; `event` is the terminal one."""

    def __init__(self, kind: str, **fields: Any) -> None:
        super().__init__(kind)
        self.event = {"type": kind, **fields}


def error(code: str, message: str = "It did not work.", *, retryable: bool = False, **more: Any) -> Ended:
    return Ended("error", code=code, message=message, retryable=retryable, **more)


class Reference:
    """One process, one run."""

    def __init__(self) -> None:
        self.request: Event = {}
        self.run = str(uuid.uuid4())
        self.seq = 0
        self.control = "--control" in sys.argv
        self.input = b""
        self.input_ended = False
        self.started = self.last_line = self.last_word = time.monotonic()
        self.block = 1
        self.texts: dict[int, str] = {}
        self.calls: dict[str, Event] = {}  # open calls of the application's tools, by call_id
        self.questions: dict[str, Event] = {}  # open questions and permissions, by their id
        self.answers: dict[str, Event] = {}  # what has been answered, by the same ids
        self.words: list[Event] = []
        self.began = False
        self.session_id: str | None = None
        self.denials: list[Event] = []
        self.over = False

    # From the start to the end

    def main(self) -> None:
        self.claim_stdout()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.on_signal)
        try:
            self.read_request()
            self.accept()
            self.begin()
            getattr(self, f"do_{self.request.get('do', 'plain')}")()
            raise self.done()
        except Ended as ended:
            terminal = ended.event
        except BrokenPipeError:
            self.leave(4)
        except Exception as failure:  # noqa: BLE001
            sys.stderr.write(f"{type(failure).__name__}\n")
            terminal = error("internal").event
        self.over = True
        self.settle(terminal)
        self.finish(terminal)
        self.leave(self.exit_status(terminal))

    def claim_stdout(self) -> None:
        self.out = os.dup(1)
        os.dup2(2, 1)

    def begin(self) -> None:
        self.began = True
        self.emit(
            "start", worker="reference", worker_version="1", sdk_version="none", simulated=True, **self.echo_start()
        )

    def finish(self, terminal: Event) -> None:
        fields = {name: value for name, value in terminal.items() if name != "type"}
        self.emit(terminal["type"], **fields, **self.echo())

    def exit_status(self, terminal: Event) -> int:
        if terminal["type"] == "error":
            if terminal["code"] in ("invalid_request", "unsupported_version"):
                return 2
            return 75 if terminal["retryable"] else 1
        return 0 if terminal["type"] == "done" else 3

    def leave(self, status: int) -> None:
        sys.stderr.flush()
        os._exit(status)

    def echo(self) -> Event:
        if not self.began:
            return {}
        return {name: self.request[name] for name in ("metadata", "subject", "user", "goal") if name in self.request}

    def echo_start(self) -> Event:
        attempt = {"attempt": self.request["attempt"]} if self.request.get("attempt", 1) > 1 else {}
        trace = {name: self.request[name] for name in ("traceparent",) if name in self.request}
        return {**self.echo(), **attempt, **trace}

    def done(self, **more: Any) -> Ended:
        duration_ms = round((time.monotonic() - self.started) * 1000)
        session = {"session_id": self.session_id} if self.session_id else {}
        denied = {"denials": self.denials} if self.denials else {}
        fields = {"stop_reason": "end_turn", "text": self.final_text(), "usage": {}, "duration_ms": duration_ms}
        return Ended("done", **{**fields, "turns": 1, **session, **denied, **more})

    def final_text(self) -> str:
        return "".join(self.texts.values())

    # The request

    def read_request(self) -> None:
        while not (self.input_ended or (self.control and b"\n" in self.input)):
            self.read_more()
        if self.control:
            line, _, self.input = self.input.partition(b"\n")
        else:
            line, self.input = self.input, b""
        self.request = self.decode(line)

    def read_more(self) -> None:
        chunk = os.read(0, 1 << 16)
        self.input += chunk
        self.input_ended = not chunk

    def decode(self, line: bytes) -> Event:
        try:
            request = json.loads(self.mended(line.decode()))
        except ValueError:
            raise self.refusal(self.problem("", "is not JSON")) from None
        if not isinstance(request, dict):
            raise self.refusal(self.problem("", "must be a JSON object"))
        return request

    def mended(self, text: str) -> str:
        """Replaces escapes of lone surrogates."""
        half = r"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F].."
        return re.sub(half, r"\\ufffd", text)

    def accept(self) -> None:
        if self.is_run(self.request.get("run")):
            self.run = self.request["run"]
        if self.request.get("v", 1) != 1:
            raise error("unsupported_version")
        if problems := self.problems():
            raise self.refusal(*problems)

    def problems(self) -> list[Event]:
        found = [self.unknown(name) for name in self.request if name not in FIELDS]
        found += [
            self.problem(f"/{name}", "has the wrong type")
            for name, kind in FIELDS.items()
            if name in self.request and not isinstance(self.request[name], kind)
        ]
        found += self.run_problems()
        found += [
            problem
            for group, known in (("limits", LIMITS), ("stream", STREAM))
            for problem in self.within(group, known)
        ]
        limits = self.request.get("limits")
        found += [
            self.problem(f"/limits/{name}", "must be a number")
            for name in LIMITS
            if isinstance(limits, dict) and isinstance(limits.get(name), str)
        ]
        if len(json.dumps(self.request.get("metadata"))) > self.most_metadata():
            found.append(self.problem("/metadata", "is too long"))
        if self.request.get("app_tools") and not self.control:
            found.append(self.problem("/app_tools", "needs --control"))
        return found

    def is_run(self, run: object) -> bool:
        return isinstance(run, str) and bool(RUN.fullmatch(run))

    def run_problems(self) -> list[Event]:
        is_wrong = "run" in self.request and not self.is_run(self.request["run"])
        return [self.problem("/run", "must be 1 to 128 of A-Z a-z 0-9 . _ : -")] * is_wrong

    def within(self, group: str, known: tuple[str, ...]) -> list[Event]:
        given = self.request.get(group)
        names = given if isinstance(given, dict) else {}
        return [self.problem(f"/{group}/{name}", "is unknown") for name in names if name not in known]

    def most_metadata(self) -> int:
        return 16384

    def unknown(self, name: str) -> Event:
        near = difflib.get_close_matches(name, FIELDS, 1)
        return {**self.problem(f"/{name}", "is unknown"), **({"did_you_mean": near[0]} if near else {})}

    def problem(self, pointer: str, message: str) -> Event:
        return {"pointer": pointer, "message": message}

    def refusal(self, *problems: Event) -> Ended:
        return error("invalid_request", "The request is not valid.", details=list(problems))

    def setting(self, group: str, name: str, usual: Any) -> Any:
        return self.request.get(group, {}).get(name, usual)

    # Events

    def emit(self, kind: str, **fields: Any) -> None:
        if kind in ("done", "error", "aborted"):
            fields = self.cut(fields)
        ts = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        # Their event has a number, too.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
        try:
            self.seq = self.next_seq()
            self.write(self.encode({"v": 1, "seq": self.seq, "run": self.run, "ts": ts, "type": kind, **fields}))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def next_seq(self) -> int:
        return self.seq + 1

    def encode(self, event: Event) -> bytes:
        return json.dumps(event).encode() + b"\n"

    def write(self, line: bytes) -> None:
        while line:
            line = line[os.write(self.out, line) :]
        self.last_line = time.monotonic()

    def cut(self, fields: Event) -> Event:
        text = fields.get("text", "")
        kept = text if len(json.dumps(text)) < LINE - 2000 else text[:PIECE]
        left_out = len(text.encode()) - len(kept.encode())
        return {**fields, "text": kept, "truncated_bytes": left_out} if left_out else fields

    def say(self, text: str) -> None:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        for at in range(0, len(text), self.piece()):
            piece = text[at : at + self.piece()]
            self.texts[self.block] = self.texts.get(self.block, "") + piece
            self.emit("delta", text=piece, block=self.block)
        self.last_word = time.monotonic()

    def piece(self) -> int:
        return PIECE

    # Time, and what is said meanwhile

    def pause(self, seconds: float) -> None:
        self.wait_for(lambda: False, seconds)

    def wait_for(self, condition: Any, seconds: float) -> bool:
        """Waits, and obeys; says whether the condition came true in that time."""
        until = time.monotonic() + seconds
        while not condition():
            self.watch_clock()
            left = until - time.monotonic()
            if left <= 0:
                return False
            self.look(min(left, 0.05))
        return True

    def look(self, seconds: float) -> None:
        gone = select.poll()
        gone.register(self.out, 0)
        if gone.poll(0):
            raise BrokenPipeError
        if self.control and self.input_ended:
            self.on_input_end()
        lines = self.control and (b"\n" in self.input or select.select([0], [], [], seconds)[0])
        if not lines:
            return self.rest(0 if self.control else seconds)
        if b"\n" not in self.input:
            self.read_more()
        *complete, self.input = self.input.split(b"\n")
        for line in complete:
            self.obey(line)
        return None

    def rest(self, seconds: float) -> None:
        select.select([], [], [], seconds)

    def watch_clock(self) -> None:
        now = time.monotonic()
        if now - self.started > self.setting("limits", "timeout_s", 300):
            raise self.out_of_time()
        if now - self.last_word > self.setting("limits", "idle_timeout_s", 120):
            raise self.idle()
        if now - self.last_line > self.setting("stream", "ping_s", 10):
            self.ping()

    def out_of_time(self) -> Ended:
        return error("timeout")

    def idle(self) -> Ended:
        return error("idle_timeout", retryable=True)

    def ping(self) -> None:
        self.emit("ping", idle_ms=round((time.monotonic() - self.last_word) * 1000))

    def on_signal(self, number: int, frame: object) -> None:
        if not self.over:
            self.over = True
            raise Ended("aborted", reason="signal")

    def on_input_end(self) -> None:
        raise Ended("aborted", reason="parent_gone")

    # Messages

    def obey(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return self.complain("invalid_json")
        if not isinstance(message, dict) or not isinstance(message.get("id"), str):
            return self.complain("invalid_message")
        take = getattr(self, f"take_{message.get('type')}", None)
        return take(message) if take else self.refuse(message, "unknown_type")

    def complain(self, code: str) -> None:
        self.emit("notice", level="warning", code=code, message="A line on stdin changed nothing.")

    def ack(self, message: Event) -> None:
        self.emit("ack", id=message["id"], ok=True)

    def refuse(self, message: Event, code: str) -> None:
        self.emit("ack", id=message["id"], ok=False, code=code)

    def take_abort(self, message: Event) -> None:
        if not self.is_abort(message):
            return self.refuse(message, "invalid_message")
        self.ack(message)
        raise Ended("aborted", reason="client")

    def is_abort(self, message: Event) -> bool:
        return set(message) == {"type", "id"}

    def take_app_tool_result(self, message: Event) -> None:
        if not self.is_open(message):
            return self.refuse(message, "not_pending")
        self.answers[message["call_id"]] = message
        del self.calls[message["call_id"]]
        return self.ack(message)

    def is_open(self, message: Event) -> bool:
        return message["call_id"] in self.calls

    def take_app_tool_output(self, message: Event) -> None:
        if message["call_id"] not in self.calls:
            return self.refuse(message, "not_pending")
        self.ack(message)
        return self.print_out(self.calls[message["call_id"]]["tool_use_id"], message["text"])

    def take_answer(self, message: Event) -> None:
        if not self.is_pending(message["question_id"]):
            return self.refuse(message, "not_pending")
        if not self.answers_question(message):
            return self.refuse(message, "invalid_message")
        self.answers[message["question_id"]] = message
        return self.ack(message)

    def answers_question(self, message: Event) -> bool:
        return set(message["answers"]) == {QUESTION}

    def is_pending(self, name: str) -> bool:
        return name in self.questions and name not in self.answers

    def take_permission(self, message: Event) -> None:
        if not self.is_pending(message["permission_id"]):
            return self.refuse(message, "not_pending")
        if not self.is_decision(message):
            return self.refuse(message, "invalid_message")
        self.answers[message["permission_id"]] = message
        return self.ack(message)

    def is_decision(self, message: Event) -> bool:
        return message.get("behavior") in ("allow", "deny")

    def take_steer(self, message: Event) -> None:
        self.words.append(message)

    # Tools and questions

    def begin_call(self, name: str, **arguments: Any) -> str:
        call = f"toolu_{uuid.uuid4().hex}"
        self.texts.clear()
        self.emit("tool_call", tool_use_id=call, name=name, input=arguments)
        return call

    def end_call(self, call: str, status: str, content: str) -> None:
        self.emit("tool_result", tool_use_id=call, status=status, content=content)
        self.block += 1

    def call_app(self, **arguments: Any) -> Event:
        """Begins a call of the application's tool."""
        use = self.begin_call("mcp__app__find_partner", **arguments)
        call = {"call_id": uuid.uuid4().hex, "name": "find_partner", "input": arguments, "tool_use_id": use}
        self.calls[call["call_id"]] = call
        self.emit("app_tool_call", **call, expires_at=self.expiry(self.patience()))
        return call

    def patience(self) -> float:
        return float(self.request["app_tools"][0].get("timeout_s", 60))

    def end_app(self, call: Event) -> str:
        """Waits for the result of a call, tells it, and returns what the model reads."""
        if not self.wait_for(lambda: call["call_id"] in self.answers, self.patience()):
            self.calls.pop(call["call_id"], None)
            self.end_call(call["tool_use_id"], "error", "There was no result in time.")
            return "nothing"
        answer = self.answers[call["call_id"]]
        self.end_call(call["tool_use_id"], self.status_of(answer), answer["content"])
        return str(answer["content"])

    def status_of(self, answer: Event) -> str:
        return "error" if answer.get("is_error") else "ok"

    def print_out(self, call: str, text: str) -> None:
        if self.setting("stream", "tool_output", False):
            self.emit("tool_output", tool_use_id=call, stream="stdout", text=text)

    def expiry(self, seconds: float) -> str:
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def ask(self, kind: str, call: str, seconds: float, **what: Any) -> Event | None:
        """Asks a person; returns the answer, or None where none came in time."""
        name = uuid.uuid4().hex
        self.questions[name] = {"kind": kind}
        self.emit(kind, **{self.id_of(kind): name}, tool_use_id=call, **what, expires_at=self.expiry(seconds))
        self.wait_for(lambda: name in self.answers, seconds)
        answer = self.answers.get(name)
        self.resolve(name, answer, "client" if answer else "timeout")
        return answer

    def id_of(self, kind: str) -> str:
        return "question_id" if kind == "question" else "permission_id"

    def resolve(self, name: str, answer: Event | None, by: str) -> None:
        kind = self.questions.pop(name)["kind"]
        said = {field: answer[field] for field in ("actor", "signature") if answer and field in answer}
        behavior = {"behavior": (answer or {}).get("behavior", "deny")} if kind == "permission_request" else {}
        settled = "question_resolved" if kind == "question" else "permission_resolved"
        self.emit(settled, **{self.id_of(kind): name}, **behavior, by=by, **said)

    def settle(self, terminal: Event) -> None:
        for name in list(self.questions):
            self.resolve(name, None, "abort")

    # What it can do

    def do_plain(self) -> None:
        self.say("It is done.")

    def do_text(self) -> None:
        for word in WORDS.split(" "):
            self.pause(0.15)
            if self.setting("stream", "partial", True):
                self.say(f"{word} ")
            else:
                self.texts[self.block] = self.texts.get(self.block, "") + f"{word} "
        if not self.setting("stream", "partial", True):
            self.say(self.texts.pop(self.block))

    def do_slow(self) -> None:
        for _ in range(600):
            self.say("word ")
            self.pause(0.2)

    def do_silent(self) -> None:
        self.last_word = time.monotonic()
        self.pause(120)

    def do_large(self) -> None:
        self.say("😀" * 32768)

    def do_unicode(self) -> None:
        self.say(ODD)

    def do_failing(self) -> None:
        raise error("auth", "The API refuses the key.")

    def do_failing_for_now(self) -> None:
        raise error("overloaded", "The API is busy.", retryable=True)

    def do_app_tool(self) -> None:
        self.say("Let me ask. ")
        self.say(f"I was told: {self.end_app(self.call_app(city='Graz'))}")

    def do_app_tool_wrong_input(self) -> None:
        call = self.begin_call("mcp__app__find_partner", town=7)
        self.end_call(call, "error", "/city is required")
        self.say("I was told: nothing")

    def do_app_tools(self) -> None:
        calls = [self.call_app(city=city) for city in ("Graz", "Linz")]
        self.say(f"I was told: {[self.end_app(call) for call in calls]}")

    def do_thinking(self) -> None:
        if self.request.get("thinking"):
            self.emit("thinking", text="Hm.", block=self.block)
        self.block += 1
        self.say("It is forty-two.")

    def do_memory(self) -> None:
        session = self.request.get("session", {})
        prompts = self.remembered(session["resume"]) if "resume" in session else []
        self.session_id = session.get("resume") or self.new_session(session)
        self.emit(
            "session",
            session_id=self.session_id,
            model="none",
            cli_version="none",
            tools=[],
            resumed="resume" in session,
        )
        prompts.append(self.request.get("prompt", ""))
        self.file_of(self.session_id).write_text(json.dumps(prompts))
        self.say(f"The first was: {prompts[0]}")

    def new_session(self, session: Event) -> str:
        return session.get("id") or str(uuid.uuid4())

    def remembered(self, session_id: str) -> list[str]:
        try:
            prompts: list[str] = json.loads(self.file_of(session_id).read_text())
        except OSError:
            raise error("session_not_found") from None
        return prompts

    def file_of(self, session_id: str) -> Path:
        return Path(os.environ["AGENT_WORKERS_STATE_DIR"], session_id)

    def do_structured(self) -> None:
        raise self.done(text="", output={"score": 7, "why": "It is so."})

    def do_structured_never(self) -> None:
        raise error("output_schema")

    def do_refusal(self) -> None:
        self.say("I am afraid that I")
        raise self.done(stop_reason="refusal")

    def do_max_tokens(self) -> None:
        self.say("It is a long")
        raise self.done(stop_reason="max_tokens")

    def do_priced(self) -> None:
        raise self.done(stop_reason="max_budget")

    def do_retry(self) -> None:
        self.say("This text is cut")
        self.announce_retry()
        self.discard()
        self.block += 1
        self.say("Here is the answer of the second attempt, in full.")

    def announce_retry(self) -> None:
        self.emit("retry", attempt=1, max_attempts=2, delay_ms=0, code="network")

    def discard(self) -> None:
        self.emit("discard", blocks=[self.block], reason="retry")
        del self.texts[self.block]

    def do_question(self) -> None:
        call = self.begin_call("AskUserQuestion", questions=[])
        options = [{"label": "Graz"}, {"label": "Linz"}]
        question = {"question": QUESTION, "header": "City", "options": options, "multi": False}
        answer = self.ask("question", call, self.setting("limits", "question_timeout_s", 120), questions=[question])
        self.end_call(call, "ok" if answer else "error", str(answer and answer["answers"]))
        self.say(f"I was told: {answer and answer['answers'][QUESTION]}")

    def do_permission(self) -> None:
        command = {"command": "touch made"}
        call = self.begin_call("Bash", **command)
        seconds = self.setting("permissions", "timeout_s", 60)
        answer = self.ask("permission_request", call, seconds, name="Bash", input=command)
        if self.may_run(answer):
            self.end_call(call, "ok", self.input_of(answer or {}, command)["command"])
        else:
            self.denials.append({"tool_use_id": call, "name": "Bash", "input": command})
            self.end_call(call, "denied", self.reason_of(answer))
        self.say("That is all.")

    def input_of(self, answer: Event, given: Event) -> Any:
        return answer.get("updated_input", given)

    def reason_of(self, answer: Event | None) -> str:
        return str((answer or {}).get("message", "It was not allowed."))

    def may_run(self, answer: Event | None) -> bool:
        return answer is not None and answer["behavior"] == "allow"

    def do_subagent(self) -> None:
        agent = self.begin_call("Agent", prompt="Look around.")
        parent = {"parent_tool_use_id": self.parent_of(agent)}
        self.emit("tool_call", tool_use_id="inner", name="Bash", input={"command": "ls"}, **parent)
        self.emit("tool_result", tool_use_id="inner", status="ok", content="It is empty.", **parent)
        self.end_call(agent, "ok", "Let me look. It is empty.")
        self.say("It has looked around.")

    def parent_of(self, agent: str) -> str:
        return agent

    def do_tool_output(self) -> None:
        call = self.begin_call("Bash", command="make")
        self.print_out(call, "first\n")
        self.pause(1)
        self.print_out(call, "second\n")
        self.end_call(call, "ok", "first\nsecond\n")
        self.say("It has printed.")

    def do_steer(self) -> None:
        self.end_app(self.call_app(city="Graz"))
        for word in self.words:
            self.heard(word)
        self.say("It is done.")

    def heard(self, word: Event) -> None:
        self.emit("steered", id=word["id"], **({"actor": word["actor"]} if "actor" in word else {}))
        self.ack(word)


if __name__ == "__main__":
    Reference().main()
