#!/bin/bash
# A disk that fills up during a write: a one-line error, no partial file, and the old file whole.
. "$(dirname "$0")/common.sh"

random_bytes small.u8bin 1000 64 1     # an index of some 64 KB
random_bytes large.u8bin 100000 64 2   # one of 6 MB
random_bytes queries.u8bin 20000 64 3  # k = 100: 16 MB of answers
disk=$work/disk
mkdir "$disk"
if mount -t tmpfs -o size=1m tmpfs "$disk" 2>mount.txt; then
  mounted=$disk
  limited() { "$@"; }
  reason='No space left on device'
else
  # Where nothing may be mounted, a limit on the size of files fails the same writes.
  echo "no tmpfs ($(cat mount.txt)): using a file size limit of 1 MB instead"
  limited() { (trap '' XFSZ && ulimit -f 1024 && "$@"); }
  reason='File too large'
fi

"$kith" build small.u8bin --index flat -o "$disk/x.kith" >/dev/null
cp "$disk/x.kith" before.kith
expect_only_the_old_file() {
  [ "$(ls -A "$disk")" = x.kith ] || fail "$1 left $(ls -A "$disk")"
  cmp "$disk/x.kith" before.kith || fail "$1 changed the old file"
}

expect_failure 1 "$reason" limited "$kith" build large.u8bin --index flat -o "$disk/x.kith"
expect_only_the_old_file build
expect_failure 1 "$reason" limited "$kith" build large.u8bin --index flat -o "$disk/new.kith"
expect_only_the_old_file build
expect_failure 1 "$reason" limited "$kith" add "$disk/x.kith" large.u8bin
expect_only_the_old_file add
expect_failure 1 "$reason" limited "$kith" convert large.u8bin "$disk/large.npy"
expect_only_the_old_file convert
expect_failure 1 "$reason" limited "$kith" exact small.u8bin queries.u8bin -k 100 \
  -o "$disk/truth.ibin"
expect_only_the_old_file exact
expect_failure 1 "$reason" limited "$kith" search before.kith queries.u8bin -k 100 \
  -o "$disk/found.ibin"
expect_only_the_old_file search

"$kith" search "$disk/x.kith" small.u8bin -k 1 -o found.ibin >/dev/null ||
  fail 'the old index no longer answers'
echo 'a full disk costs nothing that was there'
