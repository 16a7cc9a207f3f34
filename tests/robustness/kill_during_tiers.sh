#!/bin/bash
# Kills `kith build --disk` while it replaces an index in two files, again and again: each time both
# files are the old pair or the new one, or the index says that they don't belong together; and a disk
# that is full leaves the old pair. Usage: kill_during_tiers.sh PATH/TO/kith [ROUNDS]
. "$(dirname "$0")/common.sh"
rounds=${2:-20}

random_bytes old.u8bin 20000 64 1
random_bytes new.u8bin 60000 64 2
tiers=(--index flat --codec lvq4 --disk f16)
build() { "$kith" build "$1" "${tiers[@]}" -o "$2" >/dev/null; }
mkdir old new index
build old.u8bin old/x.kith
build new.u8bin new/x.kith

start_us=${EPOCHREALTIME/[.,]/}
build new.u8bin index/x.kith
whole_us=$((${EPOCHREALTIME/[.,]/} - start_us))

is_pair() { cmp -s index/x.kith "$1/x.kith" && cmp -s index/x.kith.disk "$1/x.kith.disk"; }
midway=0 replaced=0 apart=0
for round in $(seq "$rounds"); do
  rm -rf index
  cp -r old index
  "$kith" build new.u8bin "${tiers[@]}" -o index/x.kith >/dev/null 2>&1 &
  builder=$!
  delay_us=$((whole_us * (round + rounds / 5) / rounds))
  sleep "$((delay_us / 1000000)).$(printf %06d $((delay_us % 1000000)))"
  kill -KILL $builder 2>/dev/null || true
  wait $builder 2>/dev/null || true
  [ -z "$(find index -name '.x.kith*.tmp-*')" ] || midway=$((midway + 1))
  if is_pair old; then
    "$kith" info index/x.kith >/dev/null || fail "round $round: the old pair doesn't open"
  elif is_pair new; then
    replaced=$((replaced + 1))
    "$kith" info index/x.kith >/dev/null || fail "round $round: the new pair doesn't open"
  else
    apart=$((apart + 1))
    expect_failure 1 'belongs to another index' "$kith" info index/x.kith
  fi
done

disk=$work/disk
mkdir "$disk"
if mount -t tmpfs -o size=6m tmpfs "$disk" 2>mount.txt; then
  mounted=$disk
  cp old/x.kith old/x.kith.disk "$disk"
  expect_failure 1 'No space left on device' \
    "$kith" build new.u8bin "${tiers[@]}" -o "$disk/x.kith"
  [ "$(ls -A "$disk")" = $'x.kith\nx.kith.disk' ] || fail "left $(ls -A "$disk")"
  cmp "$disk/x.kith" old/x.kith || fail 'a full disk changed the old index'
  cmp "$disk/x.kith.disk" old/x.kith.disk || fail 'a full disk changed the old vectors'
fi
echo "$rounds kills: $midway before the end, $replaced after it, $apart between two names"
[ $midway -gt 0 ] || fail 'no kill fell into a build, so nothing was shown'
