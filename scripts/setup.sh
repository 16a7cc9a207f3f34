#!/bin/bash
# Installs the Debian packages of apt.txt that are missing. Asks the network only when something is.
# Usage: scripts/setup.sh [apt.txt]
set -euo pipefail

list=${1:-apt.txt}
fail() {
  echo "setup: $*" >&2
  exit 1
}

command -v apt-get >/dev/null ||
  fail "no apt-get here; kith builds on Debian 12 (elsewhere, install the like of $list)"

mapfile -t wanted < <(sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$list")
command -v npm >/dev/null || wanted+=(nodejs npm)

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} = 0 ]; then
  echo "setup: all ${#wanted[@]} packages are installed"
  exit 0
fi

[ "$(id -u)" = 0 ] ||
  fail "must be root to install ${missing[*]} (run: sudo make setup)"
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
[ "$codename" = bookworm ] ||
  echo "setup: this is $codename, not Debian 12 (bookworm): versions will differ" >&2

echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get -q update || fail "apt-get update failed; are the package sources reachable?"
apt-get -q install --yes --no-install-recommends "${missing[@]}" ||
  fail "apt-get could not install: ${missing[*]}"
