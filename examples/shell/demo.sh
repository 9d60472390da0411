#!/usr/bin/env bash
# `make demo`: an answer as it streams, first as events, then rendered for a person. No account: the simulator answers.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chat=(env -i "PATH=$PATH" "TERM=${TERM:-dumb}" LANG=C.UTF-8 "HOME=$scratch" "TMPDIR=$scratch" "${BIN:-.venv/bin}/agent-chat")

echo "== agent-chat --simulate < examples/requests/hello.json"
"${chat[@]}" --simulate < examples/requests/hello.json
echo
echo "== agent-chat --simulate=long-text --pretty < examples/requests/hello.json"
"${chat[@]}" --simulate=long-text --pretty < examples/requests/hello.json
echo
echo "That was the simulator. With ANTHROPIC_API_KEY set, the same without --simulate asks Claude:"
echo "  echo '{\"prompt\": \"Hello\"}' | ${BIN:-.venv/bin}/agent-chat --pretty"
