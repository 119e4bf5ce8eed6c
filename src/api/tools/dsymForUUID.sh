#!/bin/sh
# dsymForUUID for LLDB on macOS, from a Faultline server, with nothing but sh and curl.
#   curl -o /usr/local/bin/dsymForUUID SERVER/tools/dsymForUUID && chmod +x /usr/local/bin/dsymForUUID
# Usage: dsymForUUID [--ignoreNegativeCache] [--copyExecutable] UUID…
# Environment: FAULTLINE_URL, FAULTLINE_TOKEN, FAULTLINE_DSYM_CACHE, FAULTLINE_SOURCE_MAP=BUILD=PRESENT
url=${FAULTLINE_URL:-@FAULTLINE_URL@}
cache=${FAULTLINE_DSYM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/faultline}
believe_miss_minutes=10
ignore_misses= copy_executable=

xml() { printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'; }
entry() { printf '\t\t<key>%s</key>\n\t\t<string>%s</string>\n' "$1" "$(xml "$2")"; }
head_of_plist() {
  printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' \
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">' \
    '<plist version="1.0">'
}
source_map() {
  [ -n "$FAULTLINE_SOURCE_MAP" ] || return 0
  entry DBGBuildSourcePath "${FAULTLINE_SOURCE_MAP%%=*}"
  entry DBGSourcePath "${FAULTLINE_SOURCE_MAP#*=}"
}

# download PATH TARGET: to a temporary name, then renamed.
download() {
  mkdir -p "$(dirname "$2")" || return 1
  if [ -n "$FAULTLINE_TOKEN" ]; then
    curl -fsSL --max-time 600 --retry 2 -H "Authorization: Bearer $FAULTLINE_TOKEN" -o "$2.$$" "$url$1" 2>"$cache/error.$$"
  else
    curl -fsSL --max-time 600 --retry 2 -o "$2.$$" "$url$1" 2>"$cache/error.$$"
  fi && mv "$2.$$" "$2"
  status=$?
  [ $status = 0 ] || rm -f "$2.$$"
  return $status
}

find_symbols() { find "$1" -path '*.dSYM/Contents/Resources/DWARF/*' -type f ! -name '*.[0-9]*' 2>/dev/null | head -n 1; }

answer() {
  hex=$(printf '%s' "$1" | tr -d '-' | tr 'A-F' 'a-f')
  case $hex in
    *[!0-9a-f]* | '')
      # A file: macOS can tell its UUID.
      hex=$(dwarfdump --uuid "$1" 2>/dev/null | sed -n 's/^UUID: \([0-9A-Fa-f-]*\).*/\1/p' | head -n 1 | tr -d '-' | tr 'A-F' 'a-f')
      ;;
  esac
  upper=$(printf '%s' "$hex" | tr 'a-f' 'A-F')
  if [ ${#upper} = 32 ]; then
    uuid=$(printf '%s' "$upper" | sed 's/^\(........\)\(....\)\(....\)\(....\)\(............\)$/\1-\2-\3-\4-\5/')
  else
    uuid=$upper
  fi
  printf '\t<key>%s</key>\n\t<dict>\n' "$(xml "${uuid:-$1}")"
  place=$cache/dsyms/$uuid miss=$cache/misses/$uuid
  bundle=$place/$uuid.dSYM/Contents symbols=
  if [ -z "$hex" ]; then
    entry DBGError "$1: neither a UUID nor a file that has one"
  else
    symbols=$(find_symbols "$place")
    if [ -z "$symbols" ]; then
      if [ -z "$ignore_misses" ] && [ -n "$(find "$miss" -mmin -$believe_miss_minutes 2>/dev/null)" ]; then
        entry DBGError "the server does not have it (asked less than $believe_miss_minutes minutes ago)"
      elif download "/buildid/$hex/debuginfo" "$bundle/Resources/DWARF/$uuid" ||
        download "/_.dwarf/mach-uuid-sym-$hex/_.dwarf" "$bundle/Resources/DWARF/$uuid"; then
        symbols=$bundle/Resources/DWARF/$uuid
        { head_of_plist; printf '<dict>\n'; source_map; printf '</dict>\n</plist>\n'; } >"$bundle/Resources/$uuid.plist"
        { head_of_plist; printf '<dict>\n'; entry CFBundlePackageType dSYM; printf '</dict>\n</plist>\n'; } >"$bundle/Info.plist"
      else
        entry DBGError "$url: $(head -n 1 "$cache/error.$$")"
        grep -q 404 "$cache/error.$$" && mkdir -p "$cache/misses" && : >"$miss"
      fi
      rm -f "$cache/error.$$"
    fi
  fi
  if [ -n "$symbols" ]; then
    architecture=$(lipo -archs "$symbols" 2>/dev/null | cut -d' ' -f1)
    [ -z "$architecture" ] || entry DBGArchitecture "$architecture"
    source_map
    entry DBGDSYMPath "$symbols"
    executable=$place/executable/$uuid
    if [ -n "$copy_executable" ] && { [ -f "$executable" ] || download "/buildid/$hex/executable" "$executable"; }; then
      entry DBGSymbolRichExecutable "$executable"
    fi
    rm -f "$cache/error.$$"
  fi
  printf '\t</dict>\n'
}

mkdir -p "$cache" || exit 1
head_of_plist
printf '<dict>\n'
for argument in "$@"; do
  case $argument in
    --ignoreNegativeCache) ignore_misses=1 ;;
    --copyExecutable) copy_executable=1 ;;
    -*) ;;
    *) answer "$argument" ;;
  esac
done
printf '</dict>\n</plist>\n'
