#!/bin/bash
# Kills `kith ingest` once it has recorded how far it is; the same command goes on from there and
# makes the collection that a run which nothing stopped makes. Usage: kill_during_ingest.sh
# PATH/TO/kith
. "$(dirname "$0")/common.sh"

awk 'BEGIN { for (i = 0; i < 50; ++i) print "w" i, sin(i), cos(i), sin(i * i) }' >words.txt
# Enough for some seconds, of which the first passes before anything is recorded; some have no
# known word.
seq 800000 | awk '{ print "id" $1 "\t" ($1 % 1000 ? "w" $1 % 50 " and w" $1 * 7 % 50 : "none") }' \
  >texts.tsv
"$kith" model import words.txt -o model >/dev/null
ingest=("$kith" ingest texts.tsv --model model --index flat -o)
"${ingest[@]}" ./whole >/dev/null

"${ingest[@]}" ./killed >/dev/null 2>&1 &
running=$!
until [ -e killed.partial/vectors.partial.json ]; do
  kill -0 $running 2>/dev/null || fail 'it ended before anything was recorded'
  sleep 0.01
done
kill -KILL $running
wait $running 2>/dev/null || true
[ ! -e killed ] || fail 'the collection is there before its time'

"${ingest[@]}" ./killed --json >record.json
grep -q '"before":[1-9]' record.json || fail "it began anew: $(cat record.json)"
for file in items vectors texts; do
  cmp "whole/$file.kith" "killed/$file.kith" || fail "$file.kith differs"
done
[ -z "$(find . -name '*.partial*')" ] || fail 'parts were left over'
