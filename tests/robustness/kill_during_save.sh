#!/bin/bash
# Kills `kith add` while it saves, again and again: each time the index is the old one or the new
# one, whole. Usage: kill_during_save.sh PATH/TO/kith [ROUNDS]
. "$(dirname "$0")/common.sh"
rounds=${2:-30}

random_bytes base.u8bin 150000 256 1  # an index of 38 MB, so that saving takes a while
random_bytes more.u8bin 20000 256 2
"$kith" build base.u8bin --index flat -o old.kith >/dev/null
cp old.kith new.kith
"$kith" add new.kith more.u8bin >/dev/null

# Neither a look nor a short wait starts a process: a whole save may take 10 ms.
saving() {
  local file
  for file in index/.x.kith.tmp-*; do
    if [ -s "$file" ]; then return 0; fi
  done
  return 1
}

mkdir index
mid_save=0 replaced=0
longest_us=30000  # the kill comes up to this long after the save began; shorter where saves are quick
for round in $(seq "$rounds"); do
  cp old.kith index/x.kith
  "$kith" add index/x.kith more.u8bin >/dev/null 2>&1 &
  saver=$!
  # The trial of whether the folder is writable leaves an empty file for a moment; a save fills it.
  until saving; do
    kill -0 $saver 2>/dev/null || break
  done
  delay_us=$((RANDOM % longest_us + 1))
  end_us=$((${EPOCHREALTIME/[.,]/} + delay_us))
  while [ "${EPOCHREALTIME/[.,]/}" -lt $end_us ]; do :; done
  kill -KILL $saver 2>/dev/null || true
  wait $saver 2>/dev/null || true

  if [ -n "$(find index -name '.x.kith.tmp-*')" ]; then
    mid_save=$((mid_save + 1))
  elif [ $longest_us -gt 1000 ]; then
    longest_us=$((longest_us * 3 / 4))
  fi
  rm -f index/.x.kith.tmp-*
  if cmp -s index/x.kith new.kith; then
    replaced=$((replaced + 1))
  else
    cmp index/x.kith old.kith || fail "round $round: the index is neither the old nor the new one"
  fi
  "$kith" info index/x.kith >/dev/null || fail "round $round: the index doesn't open"
done
echo "$rounds kills: $mid_save in the middle of a save, $replaced after it; the index always whole"
[ $mid_save -gt 0 ] || fail 'no kill fell into a save, so nothing was shown'
