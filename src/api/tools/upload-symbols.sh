#!/bin/sh
# Sends debug files to a Faultline server, from any machine with a shell and curl.
#   curl -fsS URL/tools/upload-symbols | sh -s -- [--url URL] [--token TOKEN] PATH...
# Files and directories; what the server has is not sent again. Exit: 0 done, 1 something failed,
# 2 bad usage.
set -u
url='@FAULTLINE_URL@'
token=${FAULTLINE_TOKEN:-}

usage() {
  echo "usage: upload-symbols [--url URL] [--token TOKEN] PATH..." >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
    --url) [ $# -gt 1 ] || usage; url=$2; shift 2 ;;
    --token) [ $# -gt 1 ] || usage; token=$2; shift 2 ;;
    --) shift; break ;;
    -*) usage ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || usage
case $url in
  http://*|https://*) url=${url%/} ;;
  *) echo "upload-symbols: --url http://HOST:PORT is missing" >&2; exit 2 ;;
esac
command -v curl >/dev/null 2>&1 || { echo "upload-symbols: curl is missing" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/upload-symbols.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# The token goes to curl by a file: a command line can be read by everybody on the machine.
umask 077
: >"$work/headers"
if [ -n "$token" ]; then printf 'Auth-Token: %s\n' "$token" >"$work/headers"; fi

hash_of() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1" | cut -c 1-64
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256 <"$1" | cut -c 1-64
  fi
}

# ELF, PE, PDB, Mach-O (thin and fat), .sym, portable PDB, WebAssembly, cabinets.
is_debug_file() {
  case $(od -An -tx1 -N4 "$1" 2>/dev/null | tr -d ' \n') in
    7f454c46|4d5a*|4d696372|4d4f4455|424a5342|0061736d|4d534346) return 0 ;;
    feedface|feedfacf|cefaedfe|cffaedfe|cafebabe|cafebabf) return 0 ;;
  esac
  return 1
}

# Only letters that need no quotes in a URL stay.
quoted() {
  { printf '%s' "$1" | od -An -v -tx1 | tr ' ' '\n'; echo; } | while read -r byte; do
    case $byte in
      '') ;;
      3[0-9]|4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a]|2d|2e|5f|7e)
        printf "\\$(printf '%03o' "0x$byte")" ;;
      *) printf '%%%s' "$byte" ;;
    esac
  done
}

sent=0 known=0 skipped=0 failed=0

# Under its name: the same program under another may be out of reach.
server_knows() {
  hash=$(hash_of "$1") name=$(basename "$1")
  [ -n "$hash" ] || return 1
  case $name in *[\"\\]* | *[[:cntrl:]]*) return 1 ;; esac
  curl -sS --max-time 60 -H "@$work/headers" -H 'Content-Type: application/json' \
    --data-binary "{\"sha256\":[\"$hash\"],\"paths\":[\"$name\"]}" "$url/api/v1/store/known" \
    2>/dev/null | grep -q "$hash"
}

send() {
  file=$1
  if ! is_debug_file "$file"; then
    skipped=$((skipped + 1))
    return
  fi
  if server_knows "$file"; then
    known=$((known + 1))
    echo "$file: is there already"
    return
  fi
  status=$(curl -sS --retry 4 --connect-timeout 30 -o "$work/answer" -w '%{http_code}' \
    -H "@$work/headers" -T "$file" "$url/api/v1/files/$(quoted "$(basename "$file")")" 2>"$work/error")
  case $status in
    201) sent=$((sent + 1)); echo "$file: sent" ;;
    200) known=$((known + 1)); echo "$file: is there already" ;;
    400) skipped=$((skipped + 1)); echo "$file: skipped: $(cat "$work/answer")" ;;
    000) failed=$((failed + 1)); echo "$file: $(cat "$work/error")" >&2 ;;
    *) failed=$((failed + 1)); echo "$file: the server says $status: $(cat "$work/answer")" >&2 ;;
  esac
}

for path in "$@"; do
  if [ ! -e "$path" ]; then
    echo "$path: no such file or directory" >&2
    failed=$((failed + 1))
    continue
  fi
  case $path in -*) path=./$path ;; esac
  find "$path" -type f -print >"$work/files"
  while IFS= read -r file; do send "$file"; done <"$work/files"
done
echo "$sent files sent, $known already there, $skipped skipped, $failed failed"
[ "$failed" -eq 0 ]
