#!/bin/bash
# Kills `kith embed` once it has recorded how far it is; the same command goes on from there and
# gives the bytes of a run that nothing stopped. Usage: kill_during_embed.sh PATH/TO/kith
. "$(dirname "$0")/common.sh"

awk 'BEGIN { for (i = 0; i < 50; ++i) print "w" i, sin(i), cos(i), sin(i * i) }' >words.txt
# Enough for some seconds, of which the first passes before anything is recorded.
seq 3000000 | awk '{ print "id" $1 "\tw" $1 % 50 " and w" $1 * 7 % 50 }' >texts.tsv
"$kith" model import words.txt -o model >/dev/null
"$kith" embed texts.tsv --model model -o whole.npy >/dev/null

"$kith" embed texts.tsv --model model -o killed.npy >/dev/null 2>&1 &
running=$!
until [ -e killed.npy.partial.json ]; do
  kill -0 $running 2>/dev/null || fail 'it ended before anything was recorded'
  sleep 0.01
done
kill -KILL $running
wait $running 2>/dev/null || true
[ ! -e killed.npy ] || fail 'the output is there before its time'

"$kith" embed texts.tsv --model model -o killed.npy --json >record.json
grep -q '"before":[1-9]' record.json || fail "it began anew: $(cat record.json)"
cmp whole.npy killed.npy || fail 'the vectors differ'
cmp whole.npy.labels killed.npy.labels || fail 'the labels differ'
[ -z "$(find . -name '*.partial*')" ] || fail 'parts were left over'
