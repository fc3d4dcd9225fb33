# A place to announce devices: the system's avahi-daemon, or a private one on loopback. To be sourced after common.bash.
# shellcheck shell=bash

# Ordinary users do not have avahi-daemon in their PATH.
PATH=$PATH:/usr/sbin:/sbin

# mdns_runs: whether an avahi-daemon is on the system's bus.
mdns_runs() {
  dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
    string:org.freedesktop.Avahi 2>/dev/null | grep -q 'boolean true'
}

# mdns_start DIR: a bus and an avahi-daemon on loopback alone, with all their files in DIR; exports
# DBUS_SYSTEM_BUS_ADDRESS. Sets MDNS_PIDS.
mdns_start() {
  local dir=$1
  mdns_write_configuration "$dir"
  dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile \
    >"$dir/bus.log" 2>&1 &
  MDNS_PIDS=($!)
  export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$dir/bus
  for _ in {1..100}; do [[ -S $dir/bus ]] && break; sleep 0.05; done
  [[ -S $dir/bus ]] || die "the private D-Bus did not start: $(<"$dir/bus.log")"

  # Its pid file and socket have fixed places under /run: a mount namespace keeps them apart from the system's.
  # shellcheck disable=SC2016 # the inner shell expands
  MDNS_DIR=$dir unshare -m --propagation private bash -c '
    mount -t tmpfs tmpfs /run
    if ((EUID == 0)) && ! chown avahi: /run 2>/dev/null; then
      # One mapped user only (rootless): avahi has to be that one.
      sed "s/^avahi:.*/avahi:x:0:0::\/:\/bin\/false/" /etc/passwd >"$MDNS_DIR/passwd"
      sed "s/^avahi:.*/avahi:x:0:/" /etc/group >"$MDNS_DIR/group"
      mount --bind "$MDNS_DIR/passwd" /etc/passwd
      mount --bind "$MDNS_DIR/group" /etc/group
    else
      chown root: /run
    fi
    exec avahi-daemon -f "$MDNS_DIR/avahi.conf" --no-drop-root --no-chroot --no-rlimits --no-proc-title --debug
  ' >"$dir/avahi.log" 2>&1 &
  MDNS_PIDS+=($!)
  await "$dir/avahi.log" 'Server startup complete' 15 "${MDNS_PIDS[1]}" ||
    die "the private avahi-daemon did not start: $(tail -n 5 "$dir/avahi.log")"
}

mdns_write_configuration() {
  cat >"$1/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=$1/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
END
  cat >"$1/avahi.conf" <<'END'
[server]
host-name=hearth-demo
use-ipv4=yes
use-ipv6=yes
allow-interfaces=lo
ratelimit-interval-usec=1000000
ratelimit-burst=1000
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
END
}
