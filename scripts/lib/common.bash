# Shared by the scripts: words for the user, and what has to be installed. To be sourced.
# shellcheck shell=bash

# What the package builds and runs with, on Debian and its relatives.
# shellcheck disable=SC2034 # read by the scripts that source this
BUILD_PACKAGES=(libavahi-client-dev libxml2-dev libssl-dev pkg-config)
# shellcheck disable=SC2034
RUN_PACKAGES=(avahi-daemon dbus curl python3)
# A lab of network namespaces.
# shellcheck disable=SC2034
LAB_PACKAGES=(iproute2 nftables perl)
# What the tests need besides: a real chat program, another TLS to talk to, somebody who reads along.
# shellcheck disable=SC2034
TEST_PACKAGES=(shellcheck gcc libc6-dev libpurple-dev openssl python3-slixmpp tcpdump zsh fish)
# Servers that accounts are tested with, and a DNS that leads to them. They run in the lab only.
# shellcheck disable=SC2034
SERVER_PACKAGES=(prosody ejabberd dnsmasq-base)
# What scripts/package builds with, and what its test installs into and looks with.
# shellcheck disable=SC2034
PACKAGE_PACKAGES=(binutils dpkg-dev python3)
# shellcheck disable=SC2034
PACKAGE_TEST_PACKAGES=(debootstrap lintian man-db)
# The compiler and the emulator of the other processor, which not every system has.
# shellcheck disable=SC2034
CROSS_PACKAGES=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)

# Seconds: a test that waits for what never comes must not keep the others waiting.
# shellcheck disable=SC2034
LONGEST_TEST=300
# Seconds: all unit tests of one run, which take a third of it where something else is built beside them.
# shellcheck disable=SC2034
LONGEST_UNIT_TESTS=1200
# Seconds: another installation, as where tests are prepared beside each other. It is waited for.
LONGEST_INSTALLATION=300

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# install_packages NAME…: installs through apt what is missing, as root or with sudo.
install_packages() {
  local missing
  command -v dpkg-query >/dev/null || { say "No dpkg here: make sure that these are installed: $*"; return; }
  read -ra missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  say "Installing ${missing[*]}"
  # Lists may be missing or old: refresh them only where the first try fails.
  apt_install "${missing[@]}" || { as_root apt-get -qq update && apt_install "${missing[@]}"; } ||
    die "could not install ${missing[*]}: see above"
}

# install_without_daemons NAME…: the same for packages that would run their daemons, now and after the next boot.
install_without_daemons() {
  local missing policy=/usr/sbin/policy-rc.d
  read -ra missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  if [[ -e $policy ]]; then
    install_packages "$@"
  else
    printf '#!/bin/sh\nexit 101\n' | as_root install -m 755 /dev/stdin "$policy"
    (install_packages "$@") || { as_root rm "$policy"; exit 1; }
    as_root rm "$policy"
  fi
  [[ ! -d /run/systemd/system ]] ||
    dpkg -L "${missing[@]}" | sed -n 's|^.*/system/\([^/@]*\.service\)$|\1|p' | as_root xargs -r systemctl -q disable
}

# missing_packages NAME…: those that are not installed, in one line.
missing_packages() {
  local package missing=()
  for package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  echo "${missing[*]}"
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    command -v sudo >/dev/null || die "this has to be run by root, and there is no sudo: $*"
    sudo "$@"
  fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o DPkg::Lock::Timeout="$LONGEST_INSTALLATION" install -y --no-install-recommends "$@" >/dev/null
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
