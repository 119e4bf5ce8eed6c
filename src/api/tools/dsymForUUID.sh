#!/bin/sh
# dsymForUUID for LLDB on macOS, from a Faultline server, with nothing but curl and what POSIX has.
#   curl -o /usr/local/bin/dsymForUUID SERVER/tools/dsymForUUID && chmod +x /usr/local/bin/dsymForUUID
# Usage: dsymForUUID [--ignoreNegativeCache] [--copyExecutable] UUID-or-FILE…
# Environment: FAULTLINE_URL, FAULTLINE_TOKEN, FAULTLINE_DSYM_CACHE, and FAULTLINE_SOURCE_MAP with
# lines BUILD=PRESENT: where sources are now; the first is the pair that LLDB applies always.
url=${FAULTLINE_URL:-@FAULTLINE_URL@}
cache=${FAULTLINE_DSYM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/faultline}
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
believe_miss_minutes=10
patience_seconds=600
ignore_misses= copy_executable= held=

xml() { printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }
entry() { printf '\t\t<key>%s</key>\n\t\t<string>%s</string>\n' "$1" "$(xml "$2")"; }
head_of_plist() {
  printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' \
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">' \
    '<plist version="1.0">'
}
source_map() {
  [ -n "$FAULTLINE_SOURCE_MAP" ] || return 0
  first=$(printf '%s\n' "$FAULTLINE_SOURCE_MAP" | sed -n '/=/{p;q;}')
  entry DBGBuildSourcePath "${first%%=*}"
  entry DBGSourcePath "${first#*=}"
  entry DBGVersion 3
  printf '\t\t<key>DBGSourcePathRemapping</key>\n\t\t<dict>\n'
  printf '%s\n' "$FAULTLINE_SOURCE_MAP" | while IFS= read -r line; do
    case $line in ?*=*) printf '\t\t\t<key>%s</key>\n\t\t\t<string>%s</string>\n' "$(xml "${line%%=*}")" "$(xml "${line#*=}")" ;; esac
  done
  printf '\t\t</dict>\n'
}

# bytes FILE OFFSET: its next 64 KiB, in decimal. ID and machine stand in the first pages.
bytes() { od -An -v -tu1 -j "$2" -N 65536 "$1" 2>/dev/null; }
# Where the slices of a fat Mach-O file begin; 0 for any other.
offsets_of_slices() {
  bytes "$1" 0 | awk '
    { for (i = 1; i <= NF; i++) b[n++] = $i }
    function u32(at) { return ((b[at] * 256 + b[at + 1]) * 256 + b[at + 2]) * 256 + b[at + 3] }
    END {
      magic = u32(0); wide = magic == 3405691583; count = u32(4)
      if ((magic != 3405691582 && !wide) || count > 44) { print 0; exit }  # Java has that magic, too
      for (i = 0; i < count; i++) {
        at = 8 + i * (wide ? 32 : 20) + 8
        printf "%.0f\n", (wide ? u32(at) * 4294967296 + u32(at + 4) : u32(at))
      }
    }'
}
# "ID MACHINE" of the Mach-O or ELF file that begins there.
name_of_slice() {
  bytes "$1" "$2" | awk '
    { for (i = 1; i <= NF; i++) b[n++] = $i }
    function number(at, size,  i, v) {
      for (i = 0; i < size; i++) v = v * 256 + b[big ? at + i : at + size - 1 - i]
      return v + 0
    }
    function id(at, size,  i, text) {
      if (size < 1 || size > 64 || at + size > n) return ""
      for (i = 0; i < size; i++) text = text sprintf("%02x", b[at + i])
      return text
    }
    function macho(wide,  at, c, length_, machine) {
      machine = number(4, 4)
      if (machine == 16777223) arch = "x86_64"
      if (machine == 7) arch = "i386"
      if (machine == 16777228) arch = number(8, 4) % 16777216 == 2 ? "arm64e" : "arm64"
      if (machine == 33554444) arch = "arm64_32"
      if (machine == 12) arch = "arm"
      at = wide ? 32 : 28
      for (c = number(16, 4); c > 0 && at + 8 <= n; c--) {
        length_ = number(at + 4, 4)
        if (number(at, 4) == 27) return id(at + 8, 16)
        if (length_ < 8) return ""
        at += length_
      }
      return ""
    }
    function note(at, end,  name, size) {  # the one called GNU, of type 3
      while (at + 12 <= end && at + 12 <= n) {
        name = number(at, 4); size = number(at + 4, 4)
        if (number(at + 8, 4) == 3 && name == 4 && b[at + 12] == 71 && b[at + 13] == 78) return id(at + 16, size)
        at += 12 + name + (4 - name % 4) % 4 + size + (4 - size % 4) % 4
      }
      return ""
    }
    function elf(wide,  at, i, size, found, machine) {
      machine = number(18, 2)
      arch = machine == 62 ? "x86_64" : machine == 183 ? "arm64" : machine == 3 ? "i386" : machine == 40 ? "arm" : ""
      at = number(wide ? 32 : 28, wide ? 8 : 4)
      size = number(wide ? 54 : 42, 2)
      for (i = number(wide ? 56 : 44, 2); i > 0 && found == "" && at + size <= n; i--) {
        if (number(at, 4) == 4)
          found = note(number(at + (wide ? 8 : 4), wide ? 8 : 4), number(at + (wide ? 8 : 4), wide ? 8 : 4) + number(at + (wide ? 32 : 16), wide ? 8 : 4))
        at += size
      }
      return found
    }
    END {
      big = 1; magic = number(0, 4)
      if (magic == 4277009102 || magic == 4277009103) text = macho(magic == 4277009103)
      else if (magic == 2135247942) { big = b[5] == 2; text = elf(b[4] == 2) }
      else { big = 0; magic = number(0, 4); if (magic == 4277009102 || magic == 4277009103) text = macho(magic == 4277009103) }
      if (text != "") print text, arch
    }'
}
slices() { offsets_of_slices "$1" | while read -r offset; do name_of_slice "$1" "$offset"; done; }
# architecture FILE HEX: of the slice with that id, or of the only one.
architecture() {
  slices "$1" | awk -v wanted="$2" '$1 == wanted && !found { found = $2 } { only = $2 } END { print (found != "" ? found : NR == 1 ? only : "") }'
}

# One run downloads, the others wait for it. A link names the one who holds it, and is made whole.
lock() {
  mkdir -p "$cache/locks" || return 1
  waited=0
  until ln -s "$$" "$cache/locks/$1.lock" 2>/dev/null; do
    holder=$(ls -l "$cache/locks/$1.lock" 2>/dev/null | sed -n 's/.* -> //p')
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
      rm -f "$cache/locks/$1.lock"  # it died
      continue
    fi
    [ $waited -lt $patience_seconds ] || return 1
    sleep 1
    waited=$((waited + 1))
  done
  held=$cache/locks/$1.lock
}
unlock() {
  [ -z "$held" ] || rm -f "$held"
  held=
}
clean_up() {
  unlock
  rm -f "$cache/tmp/$$" "$cache/tmp/error.$$" "$cache/tmp/headers.$$"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# The token goes to curl by a file: a command line can be read by everybody on the machine.
write_headers() {
  ( umask 077
    : >"$cache/tmp/headers.$$"
    [ -z "$FAULTLINE_TOKEN" ] || printf 'Authorization: Bearer %s\n' "$FAULTLINE_TOKEN" >"$cache/tmp/headers.$$" )
}
# download PATH TARGET: to a temporary name, then renamed.
download() {
  mkdir -p "$(dirname "$2")" "$cache/tmp" && write_headers || return 1
  curl -fsSL --max-time $patience_seconds --retry 2 -H "@$cache/tmp/headers.$$" -o "$cache/tmp/$$" "$url$1" 2>"$cache/tmp/error.$$" &&
    mv "$cache/tmp/$$" "$2"
}
is_absent() { grep -q 404 "$cache/tmp/error.$$" 2>/dev/null; }
download_symbols() {
  download "/buildid/$1/debuginfo" "$2" && return 0
  is_absent && [ ${#1} = 32 ] && download "/_.dwarf/mach-uuid-sym-$1/_.dwarf" "$2"
}

link_to() { mkdir -p "$(dirname "$2")" && ln -s "$1" "$2.$$" && mv -f "$2.$$" "$2"; }
# For debuggers that look into trees by themselves.
add_links() {
  rest=${2#??}
  link_to "$1" "$cache/.build-id/${2%"$rest"}/$rest.debug"
  [ ${#2} = 32 ] || return 0
  link_to "$1" "$cache/uuids/$(printf '%s' "$2" | tr 'a-f' 'A-F' | sed 's/^\(....\)\(....\)\(....\)\(....\)\(....\)/\1\/\2\/\3\/\4\/\5\//')"
}

find_symbols() { find "$1" -path '*.dSYM/Contents/Resources/DWARF/*' -type f 2>/dev/null | head -n 1; }
shown() {
  upper=$(printf '%s' "$1" | tr 'a-f' 'A-F')
  [ ${#upper} != 32 ] || upper=$(printf '%s' "$upper" | sed 's/^\(........\)\(....\)\(....\)\(....\)/\1-\2-\3-\4-/')
  printf '%s' "$upper"
}

# fetch HEX UUID: what is not in the cache; on failure the entry with the error.
fetch() {
  miss=$cache/misses/$2 bundle=$cache/dsyms/$2/$2.dSYM/Contents
  if ! lock "$2"; then
    entry DBGError "another download of these symbols takes too long"
    return
  fi
  symbols=$(find_symbols "$cache/dsyms/$2")
  if [ -n "$symbols" ]; then
    :
  elif [ -z "$ignore_misses" ] && [ -n "$(find "$miss" -mmin -$believe_miss_minutes 2>/dev/null)" ]; then
    entry DBGError "the server does not have it (asked less than $believe_miss_minutes minutes ago)"
  elif download_symbols "$1" "$bundle/Resources/DWARF/$2"; then
    symbols=$bundle/Resources/DWARF/$2
    arch=$(architecture "$symbols" "$1")
    # LLDB reads the dictionary of source paths from here only, not from what we print.
    { head_of_plist; printf '<dict>\n'; [ -z "$arch" ] || entry DBGArchitecture "$arch"; source_map; printf '</dict>\n</plist>\n'; } >"$bundle/Resources/$2.plist"
    { head_of_plist; printf '<dict>\n'; entry CFBundlePackageType dSYM; printf '</dict>\n</plist>\n'; } >"$bundle/Info.plist"
    add_links "$symbols" "$1"
    rm -f "$miss"
  else
    entry DBGError "$url: $(head -n 1 "$cache/tmp/error.$$")"
    ! is_absent || { mkdir -p "$cache/misses" && : >"$miss"; }
  fi
  unlock
}

answer() {  # HEX
  uuid=$(shown "$1")
  printf '\t<key>%s</key>\n\t<dict>\n' "$uuid"
  symbols=$(find_symbols "$cache/dsyms/$uuid")
  [ -n "$symbols" ] || fetch "$1" "$uuid"
  if [ -n "$symbols" ]; then
    arch=$(architecture "$symbols" "$1")
    [ -z "$arch" ] || entry DBGArchitecture "$arch"
    source_map
    entry DBGDSYMPath "$symbols"
    executable=$cache/dsyms/$uuid/executable/$uuid
    if [ -n "$copy_executable" ] && { [ -f "$executable" ] || download "/buildid/$1/executable" "$executable"; }; then
      entry DBGSymbolRichExecutable "$executable"
    fi
  fi
  printf '\t</dict>\n'
}

answer_argument() {
  hex=$(printf '%s' "$1" | tr -d '-' | tr 'A-F' 'a-f')
  case $hex in
    *[!0-9a-f]* | ? | ?? | ??? | ???? | ????? | ?????? | ??????? | '')
      hex=$(slices "$1" | awk '!seen[$1]++ { print $1 }')
      [ -n "$hex" ] || hex=$(dwarfdump --uuid "$1" 2>/dev/null | sed -n 's/^UUID: \([0-9A-Fa-f-]*\).*/\1/p' | tr -d '-' | tr 'A-F' 'a-f')
      ;;
  esac
  if [ -z "$hex" ]; then
    printf '\t<key>%s</key>\n\t<dict>\n' "$(xml "$1")"
    entry DBGError "$1: neither a UUID nor a file that has one"
    printf '\t</dict>\n'
  fi
  for each in $hex; do answer "$each"; done
}

mkdir -p "$cache/tmp" || exit 1
head_of_plist
printf '<dict>\n'
for argument in "$@"; do
  case $argument in
    --ignoreNegativeCache) ignore_misses=1 ;;
    --copyExecutable) copy_executable=1 ;;
    -*) ;;
    *) answer_argument "$argument" ;;
  esac
done
printf '</dict>\n</plist>\n'
