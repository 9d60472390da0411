#!/usr/bin/env bash
# `make demo-laravel`: the pages in your browser, until Ctrl-C. Without ANTHROPIC_API_KEY, the simulator answers. With FLEET=1,
# chats and tasks run on a fleet of one machine, with a Redis of its own. With RECORDS=1, what was said, done and spent is kept.
set -euo pipefail
# Each child leads a process group of its own, so that the processes that it starts end with it.
set -m
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
bin=${BIN:-$root/.venv/bin}
port=${PORT:-8400}

pids=()
scratch=
signal() {
  for pid in "${pids[@]}"; do kill "-$1" -- "-$pid" && alive=yes; done
}
stop() {
  trap '' INT TERM HUP
  trap - EXIT
  exec 2> /dev/null # bash would tell of each job that it was terminated
  # One that has begun right now is among the jobs only.
  for pid in $(jobs -p); do [[ " ${pids[*]} " = *" $pid "* ]] || pids+=("$pid"); done
  [ -z "$scratch" ] || : > "$scratch/stopping"
  signal TERM || :
  # Workers take up to five seconds to end their agents.
  for _ in {1..160}; do
    alive=no
    signal 0 || :
    [ $alive = yes ] || break
    pause
  done
  signal KILL || :
  wait "${pids[@]}" || :
  rm -rf "$scratch"
}
trap stop EXIT
# No more than this in the handler: bash that is left from within `wait` or `read -t` reaps no child any more, which
# `stop` takes for one that is alive, or crashes.
stopped=
trap 'stopped=yes' INT TERM HUP
scratch=$(mktemp -d)

exec 9<> <(:) # nothing ever comes from here
pause() { read -rt 0.05 -u 9 || :; }
# Pauses while something is as it is; a signal ends the script here.
hold() {
  [ -z "$stopped" ] || exit 0
  pause
}
# Waits for the end of a child.
await() {
  while kill -0 "$1" 2> /dev/null; do hold; done
  wait "$1"
}
fail() {
  echo "$@" >&2
  exit 1
}
# Becomes a command. Before that, a child has the handlers of this shell for a moment, which swallow a signal.
become() { [ -e "$scratch/stopping" ] || exec "$@" 9<&-; }
# Starts a command that writes to the file of this name, and ends with this script.
start() {
  become "${@:2}" < /dev/null > "$scratch/$1" 2> "$scratch/$1.err" &
  pids+=($!)
}
# Waits until the command that has just been started has written this.
expect() {
  until grep -qs "$2" "$scratch/$1" "$scratch/$1.err"; do
    kill -0 "${pids[-1]}" 2>/dev/null || fail "$(cat "$scratch/$1" "$scratch/$1.err")"
    hold
  done
}
# Runs a command to its end; unlike one in the foreground, it does not hold up a stop.
run() {
  become "$@" < /dev/null &
  await $!
}
# Starts a simulator that plays this scenario. The file of its name gets the variables that point a worker to it.
simulate() {
  start "$1" "$bin/agent-workers" simulate --scenario "$1"
  expect "$1" ANTHROPIC_BASE_URL=
}

run "$root/tools/need" commands php:php-cli
if [ ! -f vendor/autoload.php ] && ! php -r 'exit((int) !stream_resolve_include_path("Illuminate/autoload.php"));'; then
  run "$root/tools/need" commands Illuminate:php-laravel-framework Symfony:php-symfony-process mb:php-mbstring xml:php-xml
fi
[[ $port =~ ^[0-9]{1,5}$ && $((10#$port)) -ge 1 && $((10#$port)) -le 65535 ]] || fail "PORT=$port is not a port. Choose a number from 1 to 65535: PORT=8401 make demo-laravel"
php -r 'exit((int) !@stream_socket_server("tcp://127.0.0.1:$argv[1]"));' "$port" \
  || fail "Port $port is in use, or not yours to use. Choose another: PORT=$((10#$port == 8401 ? 8402 : 8401)) make demo-laravel"
php -r 'exit((int) !extension_loaded("pdo_sqlite"));' || run "$root/tools/need" commands pdo_sqlite:php-sqlite3
run ./setup.sh
[[ ${FLEET:-} =~ ^1?$ ]] || fail "FLEET=$FLEET is neither 1 nor nothing."
[[ ${RECORDS:-} =~ ^1?$ ]] || fail "RECORDS=$RECORDS is neither 1 nor nothing."
if [ -n "${FLEET:-}" ]; then
  [ -z "${AGENT_WORKERS_FLEET:-}" ] || fail "FLEET=1 starts a fleet, and AGENT_WORKERS_FLEET names one that is there. Set one of them."
  run "$root/tools/need" commands redis-server:redis-server
  php -r 'exit((int) !extension_loaded("redis"));' || run "$root/tools/need" commands redis:php-redis
fi

task=$bin/agent-task skill=$bin/agent-skill batch=$bin/agent-batch
if [ -n "${ANTHROPIC_API_KEY:-}" ]; then
  answers="Claude answers, on the account of ANTHROPIC_API_KEY."
else
  answers='The simulator answers: no account is used. Try "/find_partner city=Graz", "Hello [[scenario:long-text]]" or "[[scenario:overloaded-529]]".'
  # With any of these variables, a worker would bypass the simulator.
  unset ANTHROPIC_AUTH_TOKEN CLAUDE_CODE_OAUTH_TOKEN \
    CLAUDE_CODE_USE_BEDROCK CLAUDE_CODE_USE_VERTEX CLAUDE_CODE_USE_FOUNDRY
  export NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}" no_proxy="127.0.0.1${no_proxy:+,$no_proxy}"
  simulate long-text
  simulate task-demo
  export "$(cat "$scratch/long-text")" ANTHROPIC_API_KEY=simulated
  simulate structured-output
  # Tasks and skills play scenarios of their own: each of their workers uses another simulator. Programs for which this
  # says the same but for the name are of one kind: what agent-batch runs for agent-skill, it runs in its own process.
  playing() {
    printf '#!/bin/sh\nexec env %s "%s" "$@"\n' "$(cat "$scratch/$2")" "$bin/$1" > "$scratch/$1"
    chmod +x "$scratch/$1"
  }
  playing agent-task task-demo
  playing agent-skill structured-output
  playing agent-batch structured-output # only skills are run by it
  task=$scratch/agent-task skill=$scratch/agent-skill batch=$scratch/agent-batch
  # The simulator answers with a skill's own examples: here each partner is one.
  mkdir "$scratch/skills"
  cp -R "$root/agent_workers/skills/bundled/partner-health" "$scratch/skills"
  cp database/partners/*.json "$scratch/skills/partner-health/examples"
  export AGENT_WORKERS_SKILLS_PATH=$scratch/skills
fi

if [ -n "${FLEET:-}" ]; then
  redis=$(php -r 'echo substr(strrchr(stream_socket_get_name(stream_socket_server("tcp://127.0.0.1:0"), false), ":"), 1);')
  start redis redis-server --port "$redis" --bind 127.0.0.1 --dir "$scratch" --save '' --appendonly no
  expect redis "eady to accept connections"
  # The pages of whoever develops the application: everybody who reaches it may operate the fleet.
  export AGENT_WORKERS_FLEET=redis://127.0.0.1:$redis/0 APP_ENV=local
fi

APP_KEY=$(cat storage/app.key)
export APP_KEY AGENT_CHAT_BINARY=${AGENT_CHAT_BINARY:-$bin/agent-chat} AGENT_TASK_BINARY=$task AGENT_WORKERS_BINARY=$bin/agent-workers
export AGENT_SKILL_BINARY=$skill AGENT_BATCH_BINARY=$batch
# What people run from the chat themselves.
export AGENT_TOOL_BINARY=$bin/agent-tool AGENT_MCP_PYTHON=$bin/python
if [ -z "${AGENT_WORKERS_POLICY:-}" ]; then
  printf 'version = 1\n[task]\nmcp_commands = [{ command = "%s", args = ["%s"] }]\n' "$bin/python" "$root/examples/mcp/partners.py" \
    > "$scratch/policy.toml"
  export AGENT_WORKERS_POLICY=$scratch/policy.toml
fi
# Conversations are where those of the pages are without a fleet.
export AGENT_WORKERS_STATE_DIR=${AGENT_WORKERS_STATE_DIR:-$PWD/storage/agent-workers}
if [ -n "${FLEET:-}" ]; then
  start work "$bin/agent-workers" fleet work --redis "$AGENT_WORKERS_FLEET" --queue default=4 --name demo \
    --worker "agent-chat=$AGENT_CHAT_BINARY" --worker "agent-task=$task"
  expect work "takes jobs"
fi
# A process serves one request at a time, and streams are long: others must be free for pages, answers and Stop.
export PHP_CLI_SERVER_WORKERS=8 AGENT_MAX_STREAMS=${AGENT_MAX_STREAMS:-6}
# An answer goes on while its page is reloaded.
export AGENT_ON_DISCONNECT=${AGENT_ON_DISCONNECT:-continue}
# The partners. A database that is there is another run's, or yours.
if [ ! -s "${DB_DATABASE:=$PWD/storage/app/database.sqlite}" ]; then
  : > "$scratch/database.sqlite"
  run env DB_DATABASE="$scratch/database.sqlite" php artisan migrate --seed --force --quiet
  mv "$scratch/database.sqlite" "$DB_DATABASE"
fi
export DB_DATABASE
if [ -n "${RECORDS:-}" ]; then
  export AGENT_WORKERS_RECORDS=true APP_ENV=local
  run php artisan migrate --force --quiet
fi
# For commands in the same surroundings, whose variables are as bash writes them.
(umask 077 && export -p > "$scratch/environment")
printf '#!%s\n. "%s"\nexec php "%s" "$@"\n' "$BASH" "$scratch/environment" "$PWD/artisan" > "$scratch/artisan"
chmod +x "$scratch/artisan"
# Prompts may have attachments.
start php php -d post_max_size=32M -d memory_limit=256M -S "127.0.0.1:$port" -t public server.php
expect php started

echo "$answers"
echo "React:           http://127.0.0.1:$port/"
echo "A task:          http://127.0.0.1:$port/task"
echo "Partners:        http://127.0.0.1:$port/partners"
echo "Without a build: http://127.0.0.1:$port/plain"
echo "Blade component: http://127.0.0.1:$port/component"
[ -z "${FLEET:-}" ] || echo "The fleet:       http://127.0.0.1:$port/fleet"
[ -z "${RECORDS:-}" ] || echo "Runs:            http://127.0.0.1:$port/runs"
[ -z "${RECORDS:-}" ] || echo "Records:         http://127.0.0.1:$port/records"
echo "Commands:        $scratch/artisan partners:recompute-health --all"
echo "Ctrl-C ends it."
await "${pids[-1]}" || fail "$(tail -n 5 "$scratch/php.err")"
