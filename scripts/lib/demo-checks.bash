# What `scripts/demo --check` looks at. To be sourced by it: uses $app, $url, $jid, $front, $dir and `on`.
# shellcheck shell=bash disable=SC2154

LARGE=$((64 << 20))

fetch() { curl --silent --show-error --fail --max-time 120 "$@"; }

check_page() {
  fetch "$url" >"$dir/page" && fetch "$app/" | cmp - "$dir/page" && grep -q '<title>Thermostat' "$dir/page"
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

run_checks() {
  failed=
  check "the page is the app's" check_page
  check "hearth get gives the same bytes" check_get
  check "httpx addresses through the front as a proxy, and nothing else" check_absolute
  check "JSON, GET and PUT" check_json
  check "ten events, as they come" check_events
  check "64 MiB down" check_download
  check "64 MiB up" check_upload
  if [[ -n $failed ]]; then
    tail -n 20 "$dir/pi.log" "$dir/laptop.log" >&2
    exit 1
  fi
}
