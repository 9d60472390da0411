#!/usr/bin/env bash
# Brings what the pages need and Git does not keep: the React bundle, the page without a build, the application's key.
set -euo pipefail
cd "$(dirname "$0")"
react=../react

# Two that start at the same time, such as tests, must not build over each other.
if command -v flock > /dev/null; then exec 9>> $react/package.json && flock 9; fi
sources=(../../packages/react/src $react/src ../../package-lock.json)
if [ ! -f $react/dist/agent-chat.js ] || [ -n "$(find "${sources[@]}" -newer $react/dist/agent-chat.js)" ]; then
  ../../tools/need commands node:nodejs npm:npm
  # As the Makefile does: others may be at work with what is installed.
  (
    cd ../..
    [ node_modules/.ready -nt package-lock.json ] || { npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.ready; }
    npm run build --silent --workspace examples/react
  ) >&2
fi
# Puts a file in its place as a whole, and only where it is another one: somebody may be serving or copying it.
place() {
  cmp -s "$1" "$2" && return
  cp "$1" "$react/dist/placed.new" && mv "$react/dist/placed.new" "$2"
}
for name in dist/agent-chat.js dist/agent-chat.css vanilla/agent-stream.js; do place "$react/$name" "public/${name##*/}"; done
place $react/vanilla/index.html resources/plain.html
# What `php artisan vendor:publish --tag=agent-workers-assets` does.
mkdir -p public/vendor/agent-workers
place ../../php-bridge/resources/dist/agent-chat-element.js public/vendor/agent-workers/agent-chat-element.js
[ -s storage/app.key ] || (umask 077 && php -r 'echo "base64:" . base64_encode(random_bytes(32));' > storage/app.key)
