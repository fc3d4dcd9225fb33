# Processes of a script in the background, all ended when the script ends. To be sourced after common.bash.
# shellcheck shell=bash

# workspace PREFIX: a folder for their files, in $dir; it goes when they have ended.
workspace() {
  dir=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX")
  pids=()
  trap cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

# The nodes first, so that they can say goodbye; then what they lean on.
cleanup() {
  local status=$? index
  trap '' INT TERM
  trap - EXIT
  for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
    stop "${pids[index]}"
  done
  rm -rf "$dir"
  exit "$status"
}

# stop PID: asks, waits up to 4 s, then insists.
stop() {
  kill -TERM "$1" 2>/dev/null || return 0
  for _ in {1..80}; do
    [[ -d /proc/$1 ]] || break
    sleep 0.05
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# start NAME COMMAND…: in the background, log in $dir/NAME.log; dies with this script however that ends.
start() {
  local name=$1
  shift
  setpriv --pdeathsig TERM "$@" >"$dir/$name.log" 2>&1 &
  pids+=($!)
}

# node NAME: a hearth daemon with the configuration $dir/NAME.toml, a state folder and a socket of its own.
node() {
  start "$1" "$HEARTH" daemon --config "$dir/$1.toml" --state "$dir/$1" --socket "$dir/$1.sock"
  await "$dir/$1.log" '(^| )ready( |$)' 20 "${pids[-1]}" || die "node $1 did not start: $(tail -n 5 "$dir/$1.log")"
}

# on NAME COMMAND…: a hearth command, to the daemon of that name.
on() { local name=$1; shift; "$HEARTH" "$@" --socket "$dir/$name.sock"; }
