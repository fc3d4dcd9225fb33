# shellcheck shell=bash
# A LAN of several hosts on one machine, for tests with real parts. To be sourced:
#
#   #!/bin/bash
#   source "$(dirname "$0")/../lab.bash"; lab_enter "$@"
#   lab_hosts 2
#   host_bg h1 "$LAB_DIR/h1/node.log" hearth daemon
#   await "$LAB_DIR/h1/node.log" 'ready' 5
#   host_run h2 hearth devices --json
#
# A host is a network, mount and UTS namespace with its own /run, D-Bus and avahi-daemon; its eth0 hangs on a bridge
# that lives in a network namespace of the script itself. Nothing ever reaches the machine's own interfaces, and when
# the script ends the kernel ends every process of the lab. Programs start in /: name files by absolute paths.
#
# Set before lab_hosts:
#   LAB_LINK   linklocal  169.254.77.N/16 and fe80::, no default route (the default)
#              home       10.77.0.N/24 and fe80::, default route
#              ipv4       10.77.0.N/24 alone, no default route
#              ipv6       fe80:: alone, no default route
#   LAB_AVAHI  further lines for the [server] section of avahi-daemon.conf
# Set before lab_enter: LAB_KEEP=1 keeps the folder with the logs. It is kept after a failure, too.
#
# There for the script: LAB_DIR, a folder for logs and such, in it h1/avahi.log, h1/bus.log, and so on.
# Exit status 77 and a line that starts with "skipped:" say that this machine cannot have a lab, and why.

LAB_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
declare -A HOST_PID BUS_PID AVAHI_PID

# ---- the lab itself ---------------------------------------------------------------------------------------------

lab_skip() {
  echo "skipped: $*"
  exit 77
}

# lab_enter "$@": runs the script again, inside namespaces of its own. As an ordinary user it needs user namespaces.
lab_enter() {
  if [[ -n ${LAB_INSIDE:-} ]]; then
    ip link set lo up
    ip link add lan type bridge mcast_snooping 0
    ip link set lan up
    return
  fi
  local as=() program child interrupted status=0
  [[ $(id -u) == 0 ]] || as=(--user --map-root-user)
  for program in unshare nsenter ip nft dbus-daemon dbus-send avahi-daemon perl; do
    PATH=$PATH:/usr/sbin:/sbin type -P "$program" >/dev/null || lab_skip "the lab needs the program $program"
  done
  unshare "${as[@]}" --net --mount --uts --pid --fork true 2>/dev/null ||
    lab_skip "the lab needs namespaces: root, or user namespaces for ordinary users"
  LAB_DIR=$(mktemp -d -t hearth-lab.XXXXXX)
  export LAB_DIR LAB_INSIDE=1 PATH=$PATH:/usr/sbin:/sbin
  chmod 755 "$LAB_DIR"
  unshare "${as[@]}" --net --mount --pid --fork --kill-child --mount-proc --propagation private bash "$0" "$@" <&0 &
  child=$!
  trap 'kill -KILL "$child"' TERM HUP
  # Whoever ends it so has seen enough.
  trap 'interrupted=1; kill -KILL "$child"' INT
  wait "$child" || status=$?
  if [[ -n ${interrupted:-} ]]; then
    # Until the kernel has ended the last process that writes there.
    await_success 5 rm -rf "$LAB_DIR"
    exit 130
  elif [[ -n ${LAB_KEEP:-} || ($status != 0 && $status != 77) ]]; then
    echo "lab: logs are in $LAB_DIR" >&2
  else
    rm -rf "$LAB_DIR"
  fi
  exit "$status"
}

# lab_hosts N: hosts h1 … hN, each with D-Bus and avahi-daemon up.
lab_hosts() {
  local host hosts=()
  for ((host = 1; host <= $1; host++)); do hosts+=("h$host"); done
  for host in "${hosts[@]}"; do
    host_add "$host" "${host#h}"
    bus_start "$host"
    avahi_launch "$host"
  done
  for host in "${hosts[@]}"; do avahi_await "$host" || return 1; done
}

# lab_serve HOST CMD…: runs CMD in HOST and meanwhile lets it order faults, which nobody inside a host can cause. CMD
# writes one line, a command of this library, to $LAB_DIR/orders and reads its exit status from $LAB_DIR/results.
# Returns the exit status of CMD.
lab_serve() {
  local orders results line status
  mkfifo "$LAB_DIR/orders" "$LAB_DIR/results"
  exec {orders}<>"$LAB_DIR/orders" {results}<>"$LAB_DIR/results"
  {
    status=0
    host_run "$@" || status=$?
    echo "served $status" >"$LAB_DIR/orders"
  } <&0 &
  while read -r line <&"$orders"; do
    [[ $line != "served "* ]] || return "${line#served }"
    status=0
    eval "$line" || status=$?
    echo "$status" >&"$results"
  done
}

# ---- waiting ----------------------------------------------------------------------------------------------------

# await FILE REGEX SECONDS [SKIP]: until a line matches, without the first SKIP lines. The line is then in $AWAITED.
await() {
  local file=$1 pattern=$2 seconds=$3 skip=${4:-0} reader
  exec {reader}< <(exec timeout "$seconds" tail -n "+$((skip + 1))" -F "$file" 2>/dev/null)
  local tail=$!
  AWAITED=$(grep -m1 -E -- "$pattern" <&"$reader")
  local status=$?
  exec {reader}<&-
  kill "$tail" 2>/dev/null
  wait "$tail" 2>/dev/null
  if ((status != 0)); then
    echo "await: no line with /$pattern/ in $file within $seconds s; it ends with:" >&2
    tail -n 5 "$file" >&2
  fi
  return "$status"
}

# lines FILE: how many it has now, for the SKIP of await.
lines() {
  wc -l <"$1"
}

# await_success SECONDS CMD…: until CMD succeeds; for what gives no event to wait for.
await_success() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS > end)); then
      echo "await_success: never succeeded: $*" >&2
      return 1
    fi
    sleep 0.05
  done
}

# ---- hosts ------------------------------------------------------------------------------------------------------

host_run() {
  local host=$1
  shift
  nsenter --target "${HOST_PID[$host]}" --net --mount --uts "$@"
}

# host_bg HOST LOG CMD…: in the background; its process id is then in $BG.
host_bg() {
  local host=$1 log=$2
  shift 2
  nsenter --target "${HOST_PID[$host]}" --net --mount --uts "$@" <&0 >"$log" 2>&1 &
  BG=$!
}

# stop PID [SIGNAL]: ends a process of host_bg and waits for it; returns its exit status.
stop() {
  kill "${2:--TERM}" "$1"
  wait "$1" 2>/dev/null
}

# host_add NAME NUMBER: the host and its link, without daemons.
host_add() {
  local host=$1 number=$2 folder=$LAB_DIR/$1
  mkdir -p "$folder/services"
  mkfifo "$folder/ready"
  # shellcheck disable=SC2016
  unshare --net --mount --uts --propagation private \
    bash -c 'echo >"$1"; exec sleep infinity' host "$folder/ready" &
  HOST_PID[$host]=$!
  read -r <"$folder/ready"
  ip link add "lan-$host" type veth peer name eth0 netns "${HOST_PID[$host]}"
  ip link set "lan-$host" master lan up
  host_run "$host" bash -se -- "$host" "$number" "$folder" "${LAB_LINK:-linklocal}" <<'HOST'
    host=$1 number=$2 folder=$3 link=$4
    hostname "$host"
    ip link set lo up
    # Otherwise fe80:: is usable only after 1–2 s of looking for doubles.
    echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
    [[ $link != ipv4 ]] || echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
    ip link set eth0 up
    case $link in
      linklocal) ip address add "169.254.77.$number/16" brd + scope link dev eth0 ;;
      home) ip address add "10.77.0.$number/24" brd + dev eth0; ip route add default via 10.77.0.254 dev eth0 ;;
      ipv4) ip address add "10.77.0.$number/24" brd + dev eth0 ;;
      ipv6) ;;
      *) echo "LAB_LINK=$link: it is one of linklocal, home, ipv4, ipv6" >&2; exit 2 ;;
    esac
    mount -t tmpfs tmpfs /run
    mkdir -p /run/dbus /run/avahi-daemon
    mount --bind "$folder/services" /etc/avahi/services
    if awk '{ ids += $3 } END { exit ids != 1 }' /proc/self/uid_map; then
      # One user id only: avahi-daemon insists on giving its folder to the user avahi, so that one is us.
      sed 's/^\(avahi\|messagebus\):x:[0-9]*:[0-9]*:/\1:x:0:0:/' /etc/passwd >"$folder/passwd"
      sed 's/^\(avahi\|netdev\|messagebus\):x:[0-9]*:/\1:x:0:/' /etc/group >"$folder/group"
      mount --bind "$folder/passwd" /etc/passwd
      mount --bind "$folder/group" /etc/group
    fi
HOST
}

# host_address HOST ADDRESS/PREFIX: gives eth0 this IPv4 address in place of those it has.
host_address() {
  host_run "$1" ip -4 address flush dev eth0 && host_run "$1" ip address add "$2" brd + dev eth0
}

# host_ipv4 HOST: its address on eth0.
host_ipv4() {
  host_run "$1" ip -4 -o address show dev eth0 | awk '{ sub("/.*", "", $4); print $4; exit }'
}

# host_ipv6 HOST: its link-local address on eth0.
host_ipv6() {
  host_run "$1" ip -6 -o address show dev eth0 scope link | awk '{ sub("/.*", "", $4); print $4; exit }'
}

# ---- D-Bus and Avahi --------------------------------------------------------------------------------------------

bus_start() {
  local host=$1 log=$LAB_DIR/$1/bus.log
  host_run "$host" rm -f /run/dbus/system_bus_socket
  host_bg "$host" "$log" dbus-daemon --config-file="$LAB_HOME/bus.conf" --nofork --nopidfile --print-address
  BUS_PID[$host]=$BG
  await "$log" '^unix:path=' 5
}

# bus_kill HOST [SIGNAL]: avahi-daemon ends itself then, and nothing starts it again. One that has not within 10 s is ended,
# or the one who waits here would wait for ever.
bus_kill() {
  local last
  stop "${BUS_PID[$1]}" "${2:--TERM}"
  { sleep 10; kill -KILL "${AVAHI_PID[$1]}"; } 2>/dev/null &
  last=$!
  wait "${AVAHI_PID[$1]}" 2>/dev/null
  kill "$last" 2>/dev/null
  wait "$last" 2>/dev/null
  return 0
}

avahi_start() {
  avahi_launch "$1" && avahi_await "$1"
}

avahi_kill() {
  stop "${AVAHI_PID[$1]}" "${2:--TERM}"
  return 0
}

avahi_restart() {
  avahi_kill "$1"
  avahi_start "$1"
}

avahi_launch() {
  local host=$1 folder=$LAB_DIR/$1
  cat >"$folder/avahi.conf" <<CONF
[server]
host-name=$host
# Tests make more noise than a real link would be patient with.
ratelimit-interval-usec=1000000
ratelimit-burst=1000
${LAB_AVAHI:-}
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
CONF
  host_bg "$host" "$folder/avahi.log" avahi-daemon --file="$folder/avahi.conf" \
    --no-drop-root --no-chroot --no-rlimits --no-proc-title --debug
  AVAHI_PID[$host]=$BG
}

# Until the host's own name is established.
avahi_await() {
  await "$LAB_DIR/$1/avahi.log" 'Server startup complete' 15
}

# service_add HOST NAME PORT [KEY=VALUE…]: avahi-daemon itself announces a presence instance; nothing listens there.
# Returns when it is established.
service_add() {
  local host=$1 name=$2 port=$3 log=$LAB_DIR/$1/avahi.log pair skip
  shift 3
  skip=$(lines "$log")
  {
    echo "<service-group><name>$name</name><service><type>_presence._tcp</type><port>$port</port>"
    for pair in "$@"; do echo "<txt-record>$pair</txt-record>"; done
    echo "</service></service-group>"
  } >"$LAB_DIR/$host/new.service"
  mv "$LAB_DIR/$host/new.service" "$LAB_DIR/$host/services/$name.service"
  await "$log" 'successfully established' 5 "$skip"
}

service_remove() {
  rm "$LAB_DIR/$1/services/$2.service"
}

# service_ghost HOST NAME: HOST tells the link that the instance exists, and nobody answers for it; what is left for
# up to 75 minutes when a machine loses power. IPv4 only.
service_ghost() {
  local type=$'\x09_presence\x04_tcp\x05local'
  # shellcheck disable=SC2016
  host_run "$1" perl -MSocket=:all -e '
    my ($name, $type, $address) = @ARGV;
    my $instance = chr(length $name) . "$name$type\0";
    my $packet = pack "n6", 0, 0x8400, 0, 1, 0, 0;
    $packet .= "$type\0" . pack("nnNn", 12, 1, 4500, length $instance) . $instance;
    socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
    setsockopt($socket, SOL_SOCKET, $_, 1) for SO_REUSEADDR, SO_REUSEPORT;
    setsockopt($socket, IPPROTO_IP, IP_MULTICAST_IF, inet_aton($address)) or die "interface: $!";
    setsockopt($socket, IPPROTO_IP, IP_MULTICAST_TTL, 255) or die "ttl: $!";
    bind($socket, sockaddr_in(5353, INADDR_ANY)) or die "bind: $!";
    send($socket, $packet, 0, sockaddr_in(5353, inet_aton("224.0.0.251"))) or die "send: $!";
  ' "$2" "$type" "$(host_ipv4 "$1")"
}

# ---- faults of the link -----------------------------------------------------------------------------------------

# Pulls the cable of a host: its eth0 loses the carrier.
link_cut() {
  ip link set "lan-$1" down
}

link_heal() {
  ip link set "lan-$1" up
}

# The host vanishes without a trace: the carrier stays, and nothing gets through.
net_mute() {
  net_rule "$1" ""
}

# net_loss HOST PERCENT: of its packets, each way.
net_loss() {
  net_rule "$1" "numgen random mod 100 < $2"
}

# net_delay HOST PORT MS: what HOST sends to this TCP port of others over IPv4 is so long under way, and so are the answers.
net_delay() {
  local log=$LAB_DIR/$1/delay.log
  host_bg "$1" "$log" python3 -u "$LAB_HOME/delay" "$3"
  await "$log" ready 5 || return 1
  host_run "$1" nft -f - <<RULES
table ip lab_delay {
  chain out {
    type nat hook output priority -100;
    meta mark != 77 ip daddr != 127.0.0.0/8 tcp dport $2 redirect to :5999
  }
}
RULES
}

net_heal() {
  nft delete table bridge "lab_$1"
}

net_rule() {
  nft -f - <<RULES
table bridge lab_$1 {
  chain forward {
    type filter hook forward priority 0; policy accept;
    iifname "lan-$1" $2 drop
    oifname "lan-$1" $2 drop
  }
}
RULES
}
