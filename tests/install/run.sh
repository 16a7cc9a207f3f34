#!/bin/bash
# Installs a build into an empty folder and builds a ten-line C++ and a ten-line C program against
# the installed copy, once through CMake's find_package and once through pkg-config.
# Usage: tests/install/run.sh BUILD_FOLDER
set -euo pipefail
build=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
cd "$work"
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
expect_neighbours() {
  local said
  said=$("$@") || fail "$* ended with $?"
  [ "$said" = '42 41 43' ] || fail "$* said '$said', expected '42 41 43'"
}

cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"  # an installed copy can be moved
prefix=$work/moved
lib=$(dirname "$(find "$prefix" -name libkith.so)")

soname=$(objdump -p "$lib/libkith.so" | awk '$1 == "SONAME" {print $2}')
[[ $soname =~ ^libkith\.so\.[0-9]+$ && -e $lib/$soname ]] || fail "SONAME is '$soname'"
needed=$(objdump -p "$lib/libkith.so" | awk '$1 == "NEEDED" {print $2}')
for library in $needed; do
  case $library in
    libtbb.so.* | libstdc++.so.* | libc.so.* | libm.so.* | libgcc_s.so.* | ld-linux*) ;;
    *) fail "libkith needs $library; it links oneTBB and nothing heavier" ;;
  esac
done

cmake -S "$here" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1 &&
  cmake --build "$work/cmake" >>"$work/log" 2>&1 || fail "find_package: $(cat "$work/log")"
expect_neighbours "$work/cmake/from_cpp"
expect_neighbours "$work/cmake/from_c"

export PKG_CONFIG_PATH=$lib/pkgconfig
read -ra flags < <(pkg-config --cflags --libs kith)
"${CXX:-c++}" -std=c++20 "$here/from_cpp.cc" -o "$work/from_cpp" "${flags[@]}" -Wl,-rpath,"$lib"
"${CC:-cc}" -std=c11 -Wall -Wextra -Werror -pedantic "$here/from_c.c" -o "$work/from_c" \
  "${flags[@]}" -Wl,-rpath,"$lib"
expect_neighbours "$work/from_cpp"
expect_neighbours "$work/from_c"
[ "$(pkg-config --modversion kith)" = "$(sed -n 's/.*VERSION_STRING "\(.*\)"/\1/p' \
  "$prefix/include/kith/version.h")" ] || fail "kith.pc and version.h disagree"

"$prefix/bin/kith" --help >/dev/null || fail "the installed command does not start"
echo "the installed copy works"
