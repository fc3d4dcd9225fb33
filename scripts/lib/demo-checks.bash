# What `scripts/demo --check` looks at. To be sourced by it: uses $app, $url, $jid, $front, $dir and `on`.
# shellcheck shell=bash disable=SC2154

LARGE=$((64 << 20))

fetch() { curl --silent --show-error --fail --max-time 120 "$@"; }

app_was_asked() { grep -q '"GET ' "$dir/thermostat.log"; }

# A page for people, the reason for programs, and an exit status of its own.
check_refused() {
  local status=0
  [[ $(curl --silent --max-time 30 -o "$dir/refusal" -w '%{http_code}' "$url") == 403 ]] &&
    grep -q 'only friends of the owner get in here' "$dir/refusal" || return
  on laptop get "httpx://$jid/" >"$dir/refusal" 2>"$dir/why-not" || status=$?
  ((status == 9)) && [[ ! -s $dir/refusal ]] && ! app_was_asked
}

check_stranger() {
  on laptop devices | grep -Eq "$jid +online +stranger +- "
}

check_friend() {
  on laptop devices | grep -Eq "$jid +online +friend +pi +" && on laptop friends | grep -Eq '^pi .* invite ' &&
    on pi friends | grep -Eq '^laptop .* invite '
}

check_page() {
  fetch "$url" >"$dir/page" && fetch "$app/" | cmp - "$dir/page" && grep -q '<title>Thermostat' "$dir/page" &&
    app_was_asked
}

check_get() {
  on laptop get "httpx://$jid/" >"$dir/got" && cmp "$dir/got" "$dir/page"
}

# Programs that know httpx take the front for their proxy.
check_absolute() {
  fetch --proxy "http://127.0.0.1:$front" --request-target "httpx://$jid/" http://any.invalid/ | cmp - "$dir/page" &&
    [[ $(curl --silent --proxy "http://127.0.0.1:$front" -o "$dir/refusal" -w '%{http_code}' http://example.com/) == 403 ]]
}

check_json() {
  local wanted=23.5
  fetch "${url}api/state" | grep -q '"target": ' || return
  fetch -X PUT -H 'Content-Type: application/json' -d "{\"target\": $wanted}" "${url}api/state" |
    grep -q "\"target\": $wanted" || return
  fetch "$app/api/state" | grep -q "\"target\": $wanted"
}

# They come five a second: ten that arrive within less than a second were held back somewhere.
check_events() {
  local line count=0 first=0 last=0
  while read -r line; do
    [[ $line == data:* ]] || continue
    last=${EPOCHREALTIME/[.,]/}
    ((count++)) || first=$last
    ((count < 10)) || break
  done < <(fetch --no-buffer "${url}events" 2>/dev/null)
  ((count == 10 && last - first > 1000000))
}

# Through a WebSocket, with the page's Origin: the state as it is, and after what was said there.
check_socket() {
  python3 scripts/lib/websocket.py "${url}live"
}

check_download() {
  fetch "$app/large?bytes=$LARGE" >"$dir/expected" || return
  fetch "${url}large?bytes=$LARGE" >"$dir/large" && cmp "$dir/expected" "$dir/large"
}

check_upload() {
  local sum
  sum=$(sha256sum <"$dir/expected" | cut -d ' ' -f 1)
  fetch -X POST -H 'Content-Type: application/octet-stream' -T "$dir/expected" "${url}upload" >"$dir/answer" &&
    grep -q "\"bytes\": $LARGE, \"sha256\": \"$sum\"" "$dir/answer"
}

# check WHAT FUNCTION: says how it went and how long it took.
check() {
  local start=${EPOCHREALTIME/[.,]/} result=ok
  "$2" 2>"$dir/why" || result=FAILED
  printf '%-7s %s (%d ms)\n' "$result" "$1" $(((${EPOCHREALTIME/[.,]/} - start) / 1000))
  if [[ $result == FAILED ]]; then
    sed 's/^/        /' "$dir/why"
    failed=1
  fi
}

# Ends the demo where a check failed.
verdict() {
  if [[ -n $failed ]]; then
    tail -n 20 "$dir/pi.log" "$dir/laptop.log" >&2
    exit 1
  fi
}

run_checks_of_strangers() {
  failed=
  check "TRUST says stranger" check_stranger
  check "a stranger gets 403, and the app hears of nothing" check_refused
  verdict
}

run_checks_of_friends() {
  check "TRUST says friend, on both sides" check_friend
  check "the page is the app's" check_page
  check "hearth get gives the same bytes" check_get
  check "httpx addresses through the front as a proxy, and nothing else" check_absolute
  check "JSON, GET and PUT" check_json
  check "ten events, as they come" check_events
  check "a WebSocket, both ways" check_socket
  check "64 MiB down" check_download
  check "64 MiB up" check_upload
  verdict
}
