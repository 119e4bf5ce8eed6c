# Symbols of build ids and UUIDs from a Faultline server, as a property list, like dsymForUUID.sh.
# Usage: ./dsymForUUID.ps1 [-CopyExecutable] [-IgnoreNegativeCache] UUID…
param([switch]$CopyExecutable, [switch]$IgnoreNegativeCache, [Parameter(ValueFromRemainingArguments)][string[]]$Ids)
$ErrorActionPreference = 'Stop'
$url = if ($env:FAULTLINE_URL) { $env:FAULTLINE_URL.TrimEnd('/') } else { '@FAULTLINE_URL@' }
$cache = if ($env:FAULTLINE_DSYM_CACHE) { $env:FAULTLINE_DSYM_CACHE } else { Join-Path $HOME '.cache/faultline' }
$headers = @{}
if ($env:FAULTLINE_TOKEN) { $headers['Authorization'] = "Bearer $($env:FAULTLINE_TOKEN)" }

function Get-Kept($path, $target) {
  if (Test-Path $target) { return $target }
  New-Item -ItemType Directory -Force (Split-Path $target) | Out-Null
  $temporary = "$target.$PID"
  try {
    Invoke-WebRequest -UseBasicParsing -Headers $headers -TimeoutSec 600 -Uri "$url$path" -OutFile $temporary
    Move-Item -Force $temporary $target
    return $target
  } catch {
    Remove-Item -ErrorAction SilentlyContinue $temporary
    throw
  }
}
function Entry($key, $value) {
  "`t`t<key>$key</key>`n`t`t<string>$([System.Security.SecurityElement]::Escape($value))</string>"
}

'<?xml version="1.0" encoding="UTF-8"?>'
'<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">'
'<plist version="1.0">'
'<dict>'
foreach ($id in $Ids) {
  $hex = $id.Replace('-', '').ToLowerInvariant()
  $uuid = $hex.ToUpperInvariant()
  if ($uuid.Length -eq 32) { $uuid = $uuid -replace '^(.{8})(.{4})(.{4})(.{4})(.{12})$', '$1-$2-$3-$4-$5' }
  "`t<key>$([System.Security.SecurityElement]::Escape($uuid))</key>`n`t<dict>"
  $place = Join-Path $cache "dsyms/$uuid"
  try {
    if ($hex -notmatch '^[0-9a-f]{8,128}$') { throw "$id is no UUID" }
    $symbols = Get-Kept "/buildid/$hex/debuginfo" (Join-Path $place "$uuid.dSYM/Contents/Resources/DWARF/$uuid")
    Entry 'DBGDSYMPath' $symbols
    if ($CopyExecutable) {
      try { Entry 'DBGSymbolRichExecutable' (Get-Kept "/buildid/$hex/executable" (Join-Path $place "executable/$uuid")) } catch {}
    }
  } catch {
    Entry 'DBGError' "${url}: $($_.Exception.Message)"
  }
  "`t</dict>"
}
'</dict>'
'</plist>'
