# shellcheck shell=bash
# Words for tests of real apps, on top of those of hearth.bash. To be sourced instead of it:
#
#   #!/bin/bash
#   # What the test shows, in one line, which `scripts/apps --list` prints.
#   # apt: NAME…     packages that it needs
#   # pip: NAME…     the same of PyPI; they are in the environment of $PYTHON then
#   # large          for those that only `scripts/apps --all` runs
#   source "$(dirname "$0")/../apps.bash"
#   needs lighttpd
#   lab_enter "$@"
#   lab_hosts 2 || exit 1
#   app h1 8000 lighttpd -D -f "$LAB_DIR/lighttpd.conf"
#   home "$(service site http://127.0.0.1:8000)" site@pi
#   resolves h2 site@pi
#
# `scripts/apps NAME` installs what the test says, and runs it. With PICTURES=FOLDER, browsers leave pictures there.

# shellcheck source=scripts/lab/hearth.bash
source "$(dirname "${BASH_SOURCE[0]}")/hearth.bash"

# Python with the packages of PyPI.
PYTHON=${HEARTH_PYTHON:-python3}
# The apps and clients of our own.
APPS=$ROOT/scripts/lib/apps

# needs PROGRAM…
needs() {
  local program
  for program; do
    PATH=$PATH:/usr/sbin:/sbin type -P "$program" >/dev/null || lab_skip "this test needs $program: run scripts/apps ${0##*/}"
  done
}

# needs_python MODULE…: in the environment.
needs_python() {
  [[ -n ${LAB_INSIDE:-} ]] || "$PYTHON" -c "import $(IFS=,; echo "$*")" 2>/dev/null ||
    lab_skip "this test needs Python's $*: run scripts/apps ${0##*/}"
}

# app HOST PORT CMD…: starts it, and waits until something listens at that port of the host's loopback.
app() {
  local host=$1 port=$2
  shift 2
  host_bg "$host" "$LAB_DIR/$host/app.log" "$@"
  APP_PID[$host]=$BG
  APP[$host]=http://127.0.0.1:$port
  listens "$host" "$port" || fail "$1 does not listen on port $port of $host"
}

# listens HOST PORT
listens() {
  await_success 30 host_run "$1" bash -c "exec 3<>/dev/tcp/127.0.0.1/$2"
}

# home SECTIONS JID…: node pi on h1, which serves them, and node laptop on h2, which sees these devices.
home() {
  local jid
  node_start h1 pi "$1"
  node_start h2 laptop "${LAPTOP:-}"
  watch_start h2
  for jid in "${@:2}"; do await_device h2 "$jid" online 10; done
}

# Sections of laptop itself, for apps on the machine of the browser.
LAPTOP=

# resolves HOST JID…: for programs that ask glibc. Where libnss-myhostname is installed it needs no help.
resolves() {
  local host=$1 jid
  shift
  cp /etc/hosts "$LAB_DIR/$host/hosts"
  for jid; do echo "127.0.0.1 ${jid/@/--}.localhost" >>"$LAB_DIR/$host/hosts"; done
  host_run "$host" mount --bind "$LAB_DIR/$host/hosts" /etc/hosts
}

# gives HOST URL STATUS [CURL OPTIONS…]: what came is then in $BODY, its fields in $HEAD.
gives() {
  local status
  status=$(host_run "$1" curl --silent --show-error --max-time 60 -o "$LAB_DIR/body" -D "$LAB_DIR/head" \
    -w '%{http_code}' "${@:4}" "$2") || true
  # shellcheck disable=SC2034 # for the tests
  BODY=$(tr -d '\0' <"$LAB_DIR/body") HEAD=$(tr -d '\r' <"$LAB_DIR/head")
  [[ $status == "$3" ]]
}

# browser_start HOST chromium|firefox: what webdriver.py drives.
browser_start() {
  local folder=$LAB_DIR/$1
  mkdir -p "$folder/home" "$folder/profile"
  case $2 in
    chromium) host_bg "$1" "$folder/$2.log" env HOME="$folder/home" chromedriver --port=9515 ;;
    firefox)
      host_bg "$1" "$folder/$2.log" env HOME="$folder/home" MOZ_CRASHREPORTER_DISABLE=1 \
        firefox-esr --headless --no-remote --marionette --remote-allow-system-access --profile "$folder/profile" about:blank
      ;;
  esac
  await "$folder/$2.log" 'started successfully|Listening on port' 60 || fail "$2 does not start"
}

# video FILE SECONDS: one that is larger than what browsers read ahead.
video() {
  ffmpeg -nostdin -loglevel error -f lavfi -i "testsrc2=size=320x240:rate=10,noise=alls=60:allf=t" -t "$2" \
    -c:v libvpx -deadline realtime -cpu-used 8 -b:v 3M -g 20 "$1" || fail "no video"
}

# browse chromium|firefox: it uses webapp, of a friend, since those of strangers are held back in browsers.
browse() {
  video "$LAB_DIR/video.webm" 60
  app h1 8000 "$PYTHON" "$APPS/webapp.py" 8000 "$LAB_DIR/video.webm"
  home "$(service webapp "${APP[h1]}" friends)" webapp@pi
  befriend h1 h2 laptop pi
  await_trust h2 webapp@pi friend
  browser_start h2 "$1"
  [[ -z ${PICTURES:-} ]] || mkdir -p "$PICTURES"
  host_run h2 python3 "$APPS/browse.py" "$1" "$(front webapp@pi)" 60 "${PICTURES:-}" || fail "$1 does not do what it should"
}
