#!/usr/bin/env bash
# `make demo`: an answer as it streams, first as events, then rendered for a person; and an agent that changes a file.
# No account: the simulator answers.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=
trap 'rm -rf "$scratch"' EXIT
scratch=$(mktemp -d)
clean=(env -i "PATH=$PATH" "TERM=${TERM:-dumb}" LANG=C.UTF-8 "HOME=$scratch" "TMPDIR=$scratch")
chat=("${clean[@]}" "${BIN:-.venv/bin}/agent-chat")
task=("${clean[@]}" "${BIN:-.venv/bin}/agent-task")

echo "== agent-chat --simulate < examples/requests/hello.json"
"${chat[@]}" --simulate < examples/requests/hello.json
echo
echo "== agent-chat --simulate=long-text --pretty < examples/requests/hello.json"
"${chat[@]}" --simulate=long-text --pretty < examples/requests/hello.json
echo
mkdir "$scratch/folder"
echo 'Trade fair in Graz: stand, builder' > "$scratch/folder/notes.txt"
echo "== agent-task --simulate=task-notes --pretty, in a directory with notes.txt"
"${task[@]}" --simulate=task-notes --pretty << REQUEST
{
  "prompt": "Put notes.txt in order.",
  "cwd": "$scratch/folder",
  "tools": ["Read", "Write"],
  "permissions": { "allow": ["Write"] }
}
REQUEST
echo "== notes.txt now"
cat "$scratch/folder/notes.txt"
echo
echo "That was the simulator. With ANTHROPIC_API_KEY set, the same without --simulate asks Claude:"
echo "  echo '{\"prompt\": \"Hello\"}' | ${BIN:-.venv/bin}/agent-chat --pretty"
