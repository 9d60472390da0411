#!/usr/bin/env bash
# `make demo-laravel`: the chat page in your browser, until Ctrl-C. Without ANTHROPIC_API_KEY, the simulator answers.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
bin=${BIN:-$root/.venv/bin}
port=${PORT:-8400}

"$root/tools/need" commands php:php-cli
if [ ! -f vendor/autoload.php ] && ! php -r 'exit((int) !stream_resolve_include_path("Illuminate/autoload.php"));'; then
  "$root/tools/need" commands Illuminate:php-laravel-framework Symfony:php-symfony-process mb:php-mbstring xml:php-xml
fi
./setup.sh

pids=()
stop() {
  trap - EXIT INT TERM
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait "${pids[@]}" 2>/dev/null || true
  rm -rf "$scratch"
}
# Starts a simulator that plays this scenario; the file of its name then holds what leads a worker to it.
simulate() {
  "$bin/agent-workers" simulate --scenario "$1" > "$scratch/$1" &
  pids+=($!)
  until [ -s "$scratch/$1" ]; do
    kill -0 "${pids[-1]}" 2>/dev/null || { echo "The simulator did not start." >&2; exit 1; }
    read -rt 0.05 <> <(:) || :
  done
}
scratch=$(mktemp -d)
trap stop EXIT
trap 'exit 0' INT TERM

task=$bin/agent-task
if [ -n "${ANTHROPIC_API_KEY:-}" ]; then
  answers="Claude answers, on the account of ANTHROPIC_API_KEY."
else
  answers='The simulator answers: no account is used. Try "Hello [[scenario:long-text]]" or "[[scenario:overloaded-529]]".'
  simulate long-text
  simulate task-demo
  export "$(cat "$scratch/long-text")" ANTHROPIC_API_KEY=simulated
  # Tasks get a story of their own, by a worker that is led to the other simulator.
  task=$scratch/agent-task
  printf '#!/bin/sh\n%s exec "%s" "$@"\n' "$(cat "$scratch/task-demo")" "$bin/agent-task" > "$task"
  chmod +x "$task"
fi

APP_KEY=$(cat storage/app.key)
export APP_KEY AGENT_CHAT_BINARY=$bin/agent-chat AGENT_TASK_BINARY=$task AGENT_WORKERS_BINARY=$bin/agent-workers
# One process serves one request, and a stream is a long one.
PHP_CLI_SERVER_WORKERS=4 php -S "127.0.0.1:$port" server.php > "$scratch/php" 2>&1 &
pids+=($!)
until grep -q 'started' "$scratch/php"; do
  kill -0 "${pids[-1]}" 2>/dev/null || { cat "$scratch/php" >&2; exit 1; }
  read -rt 0.05 <> <(:) || :
done

echo "$answers"
echo "React:           http://127.0.0.1:$port/"
echo "A task:          http://127.0.0.1:$port/task"
echo "Without a build: http://127.0.0.1:$port/plain"
echo "Ctrl-C ends it."
wait "${pids[-1]}"
