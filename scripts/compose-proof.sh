#!/usr/bin/env bash
# From a clone to a verified agent in real containers: installs Debian's docker.io, starts a private dockerd, builds the image,
# `up`s simulator and agent, chats, verifies, tampers nothing, `down`s. Prints how long each step took.
# Where the engine cannot run, it falls back to validating the compose files and says so (exit 0, last line says FALLBACK).
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
say() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }

install() {
  local need=()
  command -v dockerd >/dev/null || need+=(docker.io)
  command -v iptables >/dev/null || need+=(iptables)
  docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || need+=(docker-compose)
  [ ${#need[@]} -eq 0 ] || { say "installing ${need[*]}"; apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${need[@]}" >/dev/null; }
}

compose() {
  if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

work=$(mktemp -d)
export DOCKER_HOST=unix://$work/docker.sock TEAPOT_STATE=$work/reader
files=(-p teapot-proof -f deploy/compose/simulator.yaml)

stop() {
  compose "${files[@]}" down -v --timeout 5 >/dev/null 2>&1 || true
  [ ! -f "$work/docker.pid" ] || kill "$(cat "$work/docker.pid")" 2>/dev/null || true
  for _ in $(seq 50); do [ -f "$work/docker.pid" ] || break; sleep 0.2; done
  ip link delete docker0 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

fallback() {
  say "the Docker engine cannot run here: $1"
  go test -count=1 ./deploy/... && echo "FALLBACK: compose files validated, containers NOT run"
  exit 0
}

install || fallback "docker.io could not be installed"
say "starting a private dockerd"
echo "{}" >"$work/daemon.json"
dockerd --config-file "$work/daemon.json" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/docker.pid" -H "$DOCKER_HOST" \
  --storage-driver vfs >"$work/dockerd.log" 2>&1 &
for _ in $(seq 100); do docker version >/dev/null 2>&1 && break; sleep 0.2; done
docker version >/dev/null 2>&1 || fallback "$(tail -1 "$work/dockerd.log")"

say "building the image"
digest=$(make -s image)
docker load -q -i dist/teapot-amd64.tar
say "image $digest, $(stat -c %s dist/teapot-amd64.tar) bytes as an archive"

if [ "${1:-}" = --twice ]; then
  say "building it again in another directory"
  git clone -q . "$work/again"
  [ "$(VERSION=$(git describe --tags --always --dirty) make -s -C "$work/again" image)" = "$digest" ] || { say "another digest in another directory"; exit 1; }
fi

say "alone: read-only root, no capabilities, no new privileges"
docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges teapot:latest version
if docker run --rm --read-only --cap-drop ALL --security-opt no-new-privileges teapot:latest run >"$work/alone.log" 2>&1; then
  say "the image ran without a platform: WRONG"; exit 1
fi
grep -q require-hardware "$work/alone.log" || { cat "$work/alone.log"; exit 1; }

say "the plain Dockerfile gives the same program"
DOCKER_BUILDKIT=0 docker build -q -f deploy/Dockerfile -t teapot:plain . >/dev/null
[ "$(docker run --rm --read-only --cap-drop ALL teapot:plain version)" = "$(docker run --rm --read-only --cap-drop ALL teapot:latest version)" ] || { say "another program"; exit 1; }

say "beside another container: a fresh volume takes the sockets that it will find"
docker run -d --name teapot-beside --read-only --cap-drop ALL --security-opt no-new-privileges -e TEAPOT_PLATFORM=simulator \
  -v teapot-beside:/run/teapot teapot:latest serve --guest-dir /run/teapot >/dev/null
guest=$(docker volume inspect -f '{{.Mountpoint}}' teapot-beside)
for _ in $(seq 60); do curl -fsS --unix-socket "$guest/dstack.sock" http://guest/Info >"$work/info.json" 2>/dev/null && break; sleep 0.5; done
grep -q '"app_id"' "$work/info.json" || { docker logs teapot-beside; say "no guest API beside"; exit 1; }
for _ in $(seq 60); do curl -fsS --unix-socket "$guest/log.sock" http://log/v1/ >/dev/null 2>&1 && break; sleep 0.5; done # opened last
[ "$(stat -c %a "$guest/log.sock")" = 666 ] || { ls -l "$guest"; say "the log's socket is closed to the container beside"; exit 1; }
docker rm -f -v teapot-beside >/dev/null

say "up"
compose "${files[@]}" up -d
for _ in $(seq 120); do bin=$(curl -fsS http://127.0.0.1:3000/v1/ 2>/dev/null) && break; sleep 0.5; done
[ -n "${bin:-}" ] || { compose "${files[@]}" logs; say "the agent did not come up"; exit 1; }

say "chatting"
agent=$(curl -fsS http://127.0.0.1:3000/agents | sed -E 's/.*"id":"([^"]+)".*/\1/')
curl -fsS -H 'Content-Type: application/json' -d '{"text":"Hello, who are you?","userName":"proof"}' "http://127.0.0.1:3000/$agent/message" | tee "$work/reply.json"; echo
grep -q '"receipt"' "$work/reply.json"

say "verifying as a stranger"
dist/teapot-linux-amd64 verify http://127.0.0.1:3000 --allow-simulated
if dist/teapot-linux-amd64 verify http://127.0.0.1:3000 >/dev/null 2>&1; then say "accepted without --allow-simulated: WRONG"; exit 1; fi

say "kill -9 in the container, then again"
container=$(compose "${files[@]}" ps -q agent)
docker kill -s KILL "$container" >/dev/null
compose "${files[@]}" up -d
for _ in $(seq 120); do curl -fsS http://127.0.0.1:3000/v1/ >/dev/null 2>&1 && break; sleep 0.5; done
dist/teapot-linux-amd64 verify http://127.0.0.1:3000 --allow-simulated >/dev/null

say "SIGTERM"
compose "${files[@]}" stop -t 15 agent
code=$(docker inspect -f '{{.State.ExitCode}}' "$container")
[ "$code" = 0 ] || { say "SIGTERM ended with exit code $code"; exit 1; }
say "PROVEN: image $digest, chat, verify, kill -9, clean stop in $top"
