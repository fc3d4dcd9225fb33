# Shared by the scripts: words for the user, and what has to be installed. To be sourced.
# shellcheck shell=bash

# What the package builds and runs with, on Debian and its relatives.
# shellcheck disable=SC2034 # read by the scripts that source this
BUILD_PACKAGES=(libavahi-client-dev libxml2-dev libssl-dev pkg-config)
# shellcheck disable=SC2034
RUN_PACKAGES=(avahi-daemon dbus curl python3)
# What the tests need besides: a lab of network namespaces, a real chat program, another TLS to talk to, somebody who reads
# along.
# shellcheck disable=SC2034
TEST_PACKAGES=(shellcheck iproute2 nftables perl gcc libc6-dev libpurple-dev openssl tcpdump)

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# install_packages NAME…: installs through apt what is missing, as root or with sudo.
install_packages() {
  local package missing=() as_root=()
  command -v dpkg-query >/dev/null || { say "No dpkg here: make sure that these are installed: $*"; return; }
  for package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "these packages are missing, and there is no sudo: ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing ${missing[*]}"
  # Lists may be missing or old: refresh them only where the first try fails.
  apt_install "${missing[@]}" || { "${as_root[@]}" apt-get -qq update && apt_install "${missing[@]}"; } ||
    die "could not install ${missing[*]}: see above"
}

apt_install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# need_swift: a Swift that can build the package.
need_swift() {
  command -v swift >/dev/null || die "no swift in PATH: install Swift 6.3 from https://www.swift.org/install/linux/"
}

# await FILE REGEX SECONDS [PID]: waits for a line of a log; false when time is up or the process has ended.
await() {
  local file=$1 regex=$2 end=$((SECONDS + $3)) pid=${4:-}
  until grep -qE -- "$regex" "$file" 2>/dev/null; do
    ((SECONDS < end)) || return 1
    [[ -z $pid || -d /proc/$pid ]] || return 1
    sleep 0.05
  done
}
