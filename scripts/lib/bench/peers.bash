# What a user would take instead of Hearth, each in front of the same nginx: programs of the system with configurations of
# ours, on loopback. To be sourced by scripts/bench: uses $dir and `start`.
# shellcheck shell=bash disable=SC2154

# Ordinary users do not have these in their PATH.
PATH=$PATH:/usr/sbin:/sbin

# free_ports COUNT: ports of 127.0.0.1 that nobody listens on.
free_ports() {
  python3 -c '
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*[socket.getsockname()[1] for socket in sockets])' "$1"
}

# listening PORT PID: until somebody does.
listening() {
  local end=$((SECONDS + 10))
  until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
    ((SECONDS < end)) && [[ -d /proc/$2 ]] || die "nobody listens on port $1: $(tail -qn 3 "$dir"/*.log)"
    sleep 0.05
  done
}

# certificate: one for everything here that speaks TLS, in $dir/tls.key and $dir/tls.crt.
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 2 \
    -keyout "$dir/tls.key" -out "$dir/tls.crt" 2>/dev/null
}

# nginx_start NAME PORT SERVERS: SERVERS goes into the http section.
nginx_start() {
  nginx_configuration "$1" "$3"
  start "$1" nginx -e stderr -c "$dir/$1.conf"
  listening "$2" "${pids[-1]}"
}

# nginx_configuration NAME SERVERS: $dir/NAME.conf.
nginx_configuration() {
  mkdir -p "$dir/$1"
  # No limit on the requests of a connection: it would only show what a new connection costs.
  # No temporary files: nobody is to wait for a disk.
  cat >"$dir/$1.conf" <<END
daemon off;
user $(id -un) $(id -gn);
worker_processes auto;
pid $dir/$1/pid;
error_log stderr warn;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path $dir/$1;
  fastcgi_temp_path $dir/$1;
  proxy_temp_path $dir/$1;
  scgi_temp_path $dir/$1;
  uwsgi_temp_path $dir/$1;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_max_temp_file_size 0;
  proxy_request_buffering off;
$2
}
END
}

# upstream NAME PORT: where requests go, by connections that are kept.
upstream() {
  echo "  upstream $1 { server 127.0.0.1:$2; keepalive 64; keepalive_requests 1000000000; }"
}

# origin ADDRESS FILES: the app's section of nginx, files in that folder. Below /unknown/ they have no length beforehand, and go in
# chunks: something may be added to them, which is nothing.
origin() {
  echo "  server {
    listen $1;
    root $2;
    location /unknown/ { alias $2/; add_after_body /nothing; addition_types *; }
    location = /nothing { return 200; }
  }"
}

# origin_start PORT: the app, files in $dir/files.
origin_start() {
  nginx_start origin "$1" "$(origin "127.0.0.1:$1" "$dir/files")"
}

# far_start PORT ORIGIN SINK: the hop beside the app; takes TLS.
far_start() {
  nginx_start nginx-far "$1" "$(upstream origin "$2")
$(upstream sink "$3")
  server {
    listen 127.0.0.1:$1 ssl;
    ssl_certificate $dir/tls.crt;
    ssl_certificate_key $dir/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / { proxy_pass http://origin; }
    location /upload { proxy_pass http://sink; }
  }"
}

# near_start PORT FAR: the hop beside the browser; speaks TLS to the other.
near_start() {
  nginx_start nginx-near "$1" "$(upstream far "$2")
  server {
    listen 127.0.0.1:$1;
    location / {
      proxy_pass https://far;
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
      proxy_ssl_verify on;
      proxy_ssl_trusted_certificate $dir/tls.crt;
      proxy_ssl_name localhost;
    }
  }"
}

# sshd_start PORT: lets in this user alone, with a key of its own, to reach loopback and nothing else.
sshd_start() {
  ssh-keygen -q -t ed25519 -N '' -f "$dir/ssh_host_key"
  ssh-keygen -q -t ed25519 -N '' -f "$dir/ssh_key"
  echo "[127.0.0.1]:$1 $(<"$dir/ssh_host_key.pub")" >"$dir/known_hosts"
  cat >"$dir/sshd.conf" <<END
ListenAddress 127.0.0.1:$1
HostKey $dir/ssh_host_key
AuthorizedKeysFile $dir/ssh_key.pub
AllowUsers $(id -un)
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
END
  # As root it wants a folder under /run: a mount namespace keeps that apart from the system's.
  local as=()
  # shellcheck disable=SC2016 # the inner shell expands
  ((EUID != 0)) || as=(unshare -m --propagation private sh -c 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$@"' sh)
  start sshd "${as[@]}" "$(type -P sshd)" -D -e -f "$dir/sshd.conf"
  listening "$1" "${pids[-1]}"
}

# ssh_start PORT SSHD ORIGIN: ssh -L, with the cipher that it prefers.
ssh_start() {
  start ssh ssh -F none -N -L "127.0.0.1:$1:127.0.0.1:$3" -p "$2" -i "$dir/ssh_key" -o IdentitiesOnly=yes \
    -o UserKnownHostsFile="$dir/known_hosts" -o BatchMode=yes -o ExitOnForwardFailure=yes 127.0.0.1
  listening "$1" "${pids[-1]}"
}

# stunnel_start NAME PORT TO [OPTION…]: one end of a tunnel.
stunnel_start() {
  local name=$1 port=$2 to=$3
  shift 3
  {
    printf '%s\n' 'foreground = yes' 'pid =' 'syslog = no' 'debug = warning' "[$name]" "$@"
    printf '%s\n' "accept = 127.0.0.1:$port" "connect = 127.0.0.1:$to"
  } >"$dir/$name.conf"
  start "$name" stunnel4 "$dir/$name.conf"
  listening "$port" "${pids[-1]}"
}

# prosody_start PORT: an XMPP server with two accounts, for clients on loopback; it limits nobody, and holds back no segment until
# the last one is acknowledged, which would cost 40 ms a block.
prosody_start() {
  local name
  # It looks for certificates beside its configuration.
  mkdir -p "$dir/prosody/localhost/accounts" "$dir/prosody/certs"
  for name in sender receiver; do
    echo 'return { ["password"] = "bench" }' >"$dir/prosody/localhost/accounts/$name.dat"
  done
  cat >"$dir/prosody/prosody.cfg.lua" <<END
run_as_root = true
data_path = "$dir/prosody"
log = { warn = "*console" }
modules_enabled = { "saslauth", "tls" }
modules_disabled = { "s2s" }
interfaces = { "127.0.0.1" }
c2s_ports = { $1 }
c2s_require_encryption = true
c2s_stanza_size_limit = 1024 * 1024
network_settings = { nagle = false }
authentication = "internal_plain"
VirtualHost "localhost"
  ssl = { key = "$dir/tls.key", certificate = "$dir/tls.crt" }
END
  start prosody prosody -F --config "$dir/prosody/prosody.cfg.lua"
  listening "$1" "${pids[-1]}"
}
