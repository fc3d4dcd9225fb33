# shellcheck shell=bash
# The real program in the lab: words for tests that run `hearth` on its hosts. To be sourced instead of lab.bash:
#
#   #!/bin/bash
#   source "$(dirname "$0")/../hearth.bash"
#   lab_enter "$@"
#   lab_hosts 2
#   app_start h1
#   node_start h1 pi "$(service thermostat "${APP[h1]}")"
#   node_start h2 laptop
#   await_device h2 thermostat@pi online 5
#   proved "it is seen"
#
# HEARTH=PROGRAM names the program; without it the release build of this tree is taken, else the debug build.
# Every test says what it proved, line by line, and ends at the first thing that is not so: status 1, with the logs.

# shellcheck source=scripts/lab/lab.bash
source "$(dirname "${BASH_SOURCE[0]}")/lab.bash"
ROOT=$(cd "$LAB_HOME/../.." && pwd)

if [[ -z ${HEARTH:-} ]]; then
  HEARTH=$ROOT/.build/release/hearth
  [[ -x $HEARTH ]] || HEARTH=$ROOT/.build/debug/hearth
fi
[[ -x $HEARTH ]] || { echo "$HEARTH is missing: run scripts/build" >&2; exit 1; }
export HEARTH
# What the tests' Python programs share is read from here, and nothing is written beside it.
export PYTHONPATH=$LAB_HOME:$ROOT/scripts/lib/apps PYTHONDONTWRITEBYTECODE=1
for program in curl python3 ss; do
  type -P "$program" >/dev/null || lab_skip "this test needs the program $program"
done
unset program

# By host: the daemon's process, when it was started (ms), the app's address and process, the process of the watch.
declare -A NODE_PID NODE_STARTED APP APP_PID WATCH_PID

# ---- telling ----------------------------------------------------------------------------------------------------

proved() {
  printf '  ok  %s\n' "$*"
}

fail() {
  local log
  printf '  FAILED  %s\n' "$*"
  for log in "$LAB_DIR"/h*/{hearth,app}.log; do
    [[ -s $log ]] || continue
    printf -- '---- the end of %s\n' "${log#"$LAB_DIR/"}"
    tail -n 15 "$log" | cut -c -400
  done
  exit 1
} >&2

# Milliseconds since the epoch.
now() {
  milliseconds "$EPOCHREALTIME"
}

# Of a time stamp like $EPOCHREALTIME.
milliseconds() {
  echo $((10#${1//[.,]/} / 1000))
}

# json EXPRESSION: evaluates Python on the JSON of standard input, named `it`, and prints the value; false where that
# is False or None.
json() {
  python3 -c '
import json, re, sys
it = json.load(sys.stdin)
value = eval(sys.argv[1])
print(value)
sys.exit(value is False or value is None)' "$1"
}

# at_most NUMBER LIMIT: also for fractions.
at_most() {
  awk -v number="$1" -v limit="$2" 'BEGIN { exit !(number <= limit) }'
}

# ---- nodes ------------------------------------------------------------------------------------------------------

# service NAME TARGET [ACCESS]: a section of hearth.toml. ACCESS is public unless said: who may come in is another
# test's matter. friends, or petnames with commas between.
service() {
  local access=${3:-public}
  case $access in
    public | friends) access="\"$access\"" ;;
    *) access="[\"${access//,/\", \"}\"]" ;;
  esac
  printf '[services.%s]\ntarget = "%s"\naccess = %s\n' "$1" "$2" "$access"
}

# node_start HOST MACHINE [SECTIONS]: runs a daemon and waits for its ready line.
node_start() {
  node_launch "$@"
  node_ready "$1"
}

# The same without waiting, with the variables of NODE_ENVIRONMENT set (an array of NAME=VALUE).
node_launch() {
  local host=$1 folder=$LAB_DIR/$1
  printf '[node]\nmachine = "%s"\n%s\n' "$2" "${3:-}" >"$folder/hearth.toml"
  node_relaunch "$host"
}

# Once more, with configuration and state as they are.
node_relaunch() {
  local host=$1 folder=$LAB_DIR/$1
  NODE_STARTED[$host]=$(now)
  host_bg "$host" "$folder/hearth.log" env HEARTH_SOCKET="$folder/hearth.sock" "${NODE_ENVIRONMENT[@]}" \
    "$HEARTH" daemon --config "$folder/hearth.toml" --state "$folder/state" "${NODE_OPTIONS[@]}"
  NODE_PID[$host]=$BG
}

NODE_ENVIRONMENT=()
# Of the daemon's, besides those.
NODE_OPTIONS=()

node_ready() {
  await "$LAB_DIR/$1/hearth.log" '(^| )ready( |$)' 10 || fail "the node on $1 is not ready"
}

# on HOST COMMAND…: a hearth command, to the daemon of that host.
on() {
  local host=$1
  shift
  host_run "$host" env HEARTH_SOCKET="$LAB_DIR/$host/hearth.sock" "$HEARTH" "$@"
}

# befriend HOST OTHER [NAME OF OTHER] [NAME OF HOST]: the node on HOST invites the one on OTHER; both are friends then. The
# line is then in $INVITE.
befriend() {
  INVITE=$(on "$1" invite ${3:+--name "$3"}) || fail "no invite on $1"
  on "$2" join "$INVITE" ${4:+--name "$4"} >"$LAB_DIR/joined" 2>&1 || fail "$2 cannot join $1: $(<"$LAB_DIR/joined")"
}

# trust HOST JID: the word under TRUST on HOST; false where it lists no such device.
trust() {
  on "$1" devices --json | json "next((d['trust'] for d in it['devices'] if d['jid'] == '$2'), None)"
}

# await_trust HOST JID WORD: a friendship counts at once, and the list follows.
await_trust() {
  await_success 5 is_trust "$@" || fail "on $1 $2 is $(trust "$1" "$2"), not $3"
}

is_trust() {
  [[ $(trust "$1" "$2") == "$3" ]]
}

# through HOST URL [CURL OPTIONS…]: curl on that host; it knows *.localhost by itself.
through() {
  host_run "$1" curl --silent --show-error --fail --max-time 60 "${@:2}"
}

# front JID [PATH]: the address of a device for browsers.
front() {
  echo "http://${1/@/--}.localhost:8332${2:-/}"
}

# ---- apps -------------------------------------------------------------------------------------------------------

# app_start HOST: the thermostat, on a free port of the host's loopback; its address is then in ${APP[HOST]}.
app_start() {
  local log=$LAB_DIR/$1/app.log
  host_bg "$1" "$log" python3 "$ROOT/Examples/thermostat/thermostat" --port 0
  APP_PID[$1]=$BG
  await "$log" '^http:' 10 || fail "the app on $1 did not start"
  APP[$1]=$AWAITED
}

# page_start HOST TEXT: an app that answers everything with that text; address as above.
page_start() {
  local folder=$LAB_DIR/$1 log=$LAB_DIR/$1/app.log
  mkdir -p "$folder/page"
  printf '%s\n' "$2" >"$folder/page/index.html"
  host_bg "$1" "$log" python3 -u -m http.server --bind 127.0.0.1 --directory "$folder/page" 8000
  APP_PID[$1]=$BG
  await "$log" '^Serving' 10 || fail "the page on $1 did not start"
  APP[$1]=http://127.0.0.1:8000
}

# ---- the list of devices ----------------------------------------------------------------------------------------

# watch_start HOST: keeps what the daemon tells of devices, each line behind the time of its arrival.
watch_start() {
  # shellcheck disable=SC2016 # the inner shell expands
  host_bg "$1" "$LAB_DIR/$1/devices.log" bash -c '
    "$HEARTH" devices --watch --json --all --socket "$1" | while read -r line; do echo "$EPOCHREALTIME $line"; done
  ' watch "$LAB_DIR/$1/hearth.sock"
  WATCH_PID[$1]=$BG
}

# await_device HOST JID online|away|gone SECONDS [SKIP]: until the watch of HOST shows it so, without its first SKIP
# lines. The line is then in $AWAITED. One that is away is listed on the link and silent, one that is gone is not.
await_device() {
  local before='' after=false
  case $3 in
    online) after=true ;;
    gone) before='"addresses":\[\],.*' ;;
  esac
  # The keys are sorted.
  await "$LAB_DIR/$1/devices.log" "$before\"jid\":\"$2\".*\"online\":$after" "$4" "${5:-0}" ||
    fail "$1 does not show $2 as $3 within $4 s: $(on "$1" devices --all 2>&1)"
}

# watched HOST: how many lines the watch has, for SKIP.
watched() {
  lines "$LAB_DIR/$1/devices.log"
}

# ---- figures of a process ---------------------------------------------------------------------------------------

# figure PID KEY: of /proc/PID/status, without its unit.
figure() {
  awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"
}

# The most memory that it ever had, in KiB.
peak() {
  figure "$1" VmHWM
}

# Open file descriptors.
descriptors() {
  find "/proc/$1/fd" -mindepth 1 | wc -l
}
