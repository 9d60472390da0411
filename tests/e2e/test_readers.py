"""Readers in other languages, who know nothing of Python."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent_workers.simulator import Scenario, Simulator, load_scenario
from agent_workers.simulator.scenario import Message, Text
from tests.e2e.beginning import Begin
from tests.e2e.desk import Desk
from tests.e2e.engines import BOTH, ONCE
from tests.e2e.stream import events_of
from tests.e2e.worker import SCRIPTS, Ended, Home
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.usefixtures("loaded"), BOTH]
PHP = ["php", "-r"]
PHP_LINES = """
$texts = [];
while (($line = fgets(STDIN)) !== false) {
    $event = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
    $texts[] = [$event['seq'], $event['type'], $event['text'] ?? null];
}
echo json_encode($texts, JSON_THROW_ON_ERROR);
"""
PHP_CHUNKS = """
// Chunk by chunk, each decoded on its own, as readers do who never heard of split characters.
$rest = ''; $texts = [];
while (($chunk = fread(STDIN, 7)) !== '' && $chunk !== false) {
    $lines = explode("\\n", $rest . mb_convert_encoding($chunk, 'UTF-8', 'UTF-8'));
    $rest = array_pop($lines);
    foreach ($lines as $line) {
        $event = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
        $texts[] = [$event['seq'], $event['type'], $event['text'] ?? null];
    }
}
echo json_encode($texts, JSON_THROW_ON_ERROR);
"""
NODE_LINES = """
const texts = [];
require('readline').createInterface({input: process.stdin}).on('line', line => {
    const event = JSON.parse(line);
    texts.push([event.seq, event.type, event.text ?? null]);
}).on('close', () => process.stdout.write(JSON.stringify(texts)));
"""
NODE_PARENT = """
const {spawn} = require('child_process');
const [command, ...args] = process.argv.slice(1);
const child = spawn(command, args, {stdio: ['pipe', 'pipe', 'inherit']});
child.stdin.end(JSON.stringify({prompt: 'x'}));
child.stdout.pipe(process.stdout);
child.on('close', code => process.exit(code));
"""


def in_unicode(desk: Desk) -> Ended:
    desk.simulator.play("unicode")
    return desk.home.run({"prompt": "x"})


@pytest.fixture
def unicode(begin: Begin) -> Ended:
    return begin("unicode", in_unicode)


def test_characters_cut_by_the_api_arrive_whole(unicode: Ended) -> None:
    blocks = [block.text for step in load_scenario("unicode").steps for block in step.content]
    expected = "".join(blocks).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert "😀" in expected
    assert "�" in expected
    assert unicode.last["text"] == expected
    assert all("�" not in event["text"] for event in unicode.of("delta") if event["block"] < len(blocks))


@pytest.mark.parametrize(
    "reader",
    [[*PHP, PHP_LINES], [*PHP, PHP_CHUNKS], ["node", "-e", NODE_LINES]],
    ids=["PHP by lines", "PHP by chunks", "Node by lines"],
)
def test_other_languages_read_the_same(unicode: Ended, reader: Sequence[str]) -> None:
    if shutil.which(reader[0]) is None:
        pytest.skip(f"{reader[0]} is not installed")
    read = subprocess.run(reader, input=unicode.output, capture_output=True, timeout=PATIENCE_S, check=True)
    assert json.loads(read.stdout) == [[e["seq"], e["type"], e.get("text")] for e in unicode.events]


@ONCE
def test_node_as_parent_gives_sockets_for_pipes_and_loses_nothing(home: Home, simulator: Simulator) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    simulator.play(Scenario(name="own", description="", steps=(Message(content=(Text(numbers=3000),)),)))
    command = ["node", "-e", NODE_PARENT, str(SCRIPTS / "agent-chat")]
    ended = subprocess.run(
        command, env=home.environ, cwd=home.root, capture_output=True, timeout=PATIENCE_S, check=False
    )
    events = events_of(ended.stdout)
    assert ended.returncode == 0
    assert events[-1]["text"].split() == [str(number) for number in range(1, 3001)]


@ONCE
def test_a_file_can_take_the_output(home: Home, tmp_path: Path) -> None:
    with (tmp_path / "events.ndjson").open("wb") as file:
        running = home.start(stdout=file.fileno())
        running.send({"prompt": "Hello"})
        running.end_input()
        assert running.status == 0
    assert events_of((tmp_path / "events.ndjson").read_bytes())[-1]["type"] == "done"
