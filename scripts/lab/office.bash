# For what takes a laptop away from home: source it behind hearth.bash, once the hosts h1 (server), h2 and h3 (laptop) are on a link of kind
# `home`. Files are in $OFFICE, and $OFFICE/ca.pem is the authority that the nodes have to believe.

server=$(host_ipv4 h1)
OFFICE=$LAB_DIR/office
mkdir -p "$OFFICE/certificates"

# The laptop has a second way, to the server alone, as by a phone; no mDNS passes there.
office_link() {
  ip link add wan netns "${HOST_PID[h1]}" type veth peer name wan netns "${HOST_PID[h3]}"
  host_run h1 bash -c 'ip address add 10.99.0.1/24 dev wan && ip link set wan up'
  host_run h3 bash -c "ip address add 10.99.0.2/24 dev wan && ip link set wan up && ip route add $server/32 via 10.99.0.1 dev wan"
  host_run h3 nft -f - <<'RULES'
table ip wan {
  chain out { type filter hook output priority 0; oifname "wan" udp dport 5353 drop; }
}
table ip6 wan {
  chain out { type filter hook output priority 0; oifname "wan" drop; }
}
RULES
}

# office_accounts NAME…: at example.test, each with the password `secret`; and the server's certificate.
office_accounts() {
  local account
  {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Office" \
      -keyout "$OFFICE/ca.key" -out "$OFFICE/ca.pem" -addext keyUsage=critical,keyCertSign &&
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=example.test" \
        -keyout "$OFFICE/certificates/example.test.key" -out "$OFFICE/request" &&
      openssl x509 -req -in "$OFFICE/request" -CA "$OFFICE/ca.pem" -CAkey "$OFFICE/ca.key" -CAcreateserial -days 2 \
        -extfile <(echo "subjectAltName=DNS:example.test") -out "$OFFICE/certificates/example.test.crt"
  } 2>"$OFFICE/openssl" || fail "openssl: $(<"$OFFICE/openssl")"
  mkdir -p "$OFFICE/prosody/example%2etest/accounts"
  for account; do
    printf 'return { ["password"] = "secret"; };\n' >"$OFFICE/prosody/example%2etest/accounts/$account.dat"
  done
  # Prosody asks for its own name when it starts, and would wait for a DNS that is not there.
  echo "nameserver 127.0.0.1" >"$OFFICE/resolv.conf"
  host_run h1 mount --bind "$OFFICE/resolv.conf" /etc/resolv.conf || fail "no resolv.conf"
}

# office_contacts ONE OTHER: each is in the other's roster, with a subscription both ways.
office_contacts() {
  local one other
  mkdir -p "$OFFICE/prosody/example%2etest/roster"
  for one in "$1 $2" "$2 $1"; do
    read -r one other <<<"$one"
    printf 'return { [false] = { ["version"] = 1; }; ["%s@example.test"] = { ["subscription"] = "both"; ["groups"] = {}; }; };\n' \
      "$other" >"$OFFICE/prosody/example%2etest/roster/$one.dat"
  done
}

# prosody_start [WITH PROXY]: with the limit RATE, with a log of all that passes where LOGGING is debug, and with the component
# home.example.test, whose secret is COMPONENT, where that is set. It is $SERVER_PID then.
prosody_start() {
  cat >"$OFFICE/prosody.cfg.lua" <<CONF
run_as_root = true
pidfile = "$OFFICE/prosody.pid"
data_path = "$OFFICE/prosody"
certificates = "$OFFICE/certificates"
interfaces = { "$server" }
component_ports = { 5347 }
component_interfaces = { "$server" }
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "smacks", "limits"${LOGGING:+, "stanza_debug"} }
limits = { c2s = { rate = "${RATE:-10mb/s}" } }
modules_disabled = { "s2s", "http" }
authentication = "internal_plain"
log = { ${LOGGING:-info} = "*console" }
VirtualHost "example.test"
CONF
  [[ -z ${COMPONENT:-} ]] || cat >>"$OFFICE/prosody.cfg.lua" <<CONF
Component "home.example.test"
  component_secret = "$COMPONENT"
CONF
  [[ -z ${1:-} ]] || cat >>"$OFFICE/prosody.cfg.lua" <<CONF
Component "proxy.example.test" "proxy65"
  proxy65_address = "$server"
  proxy65_interfaces = { "$server" }
  proxy65_acl = { "example.test" }
CONF
  host_bg h1 "$LAB_DIR/h1/prosody.log" prosody -F --config "$OFFICE/prosody.cfg.lua"
  # shellcheck disable=SC2034 # for who stops it
  SERVER_PID=$BG
  await_success 60 host_run h1 bash -c "exec 3<>/dev/tcp/$server/5222" 2>/dev/null ||
    fail "Prosody: $(tail -n 20 "$LAB_DIR/h1/prosody.log")"
}

# account: the section of hearth.toml that says where the server is, since there is no DNS.
account() { printf '[account]\nserver = "%s:5222"\n' "$server"; }
