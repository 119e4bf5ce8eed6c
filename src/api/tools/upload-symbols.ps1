# Sends debug files to a Faultline server, from any machine with PowerShell 5 or later.
#   iwr URL/tools/upload-symbols.ps1 -OutFile upload-symbols.ps1
#   .\upload-symbols.ps1 [-Url URL] [-Token TOKEN] PATH...
# Exit: 0 done, 1 something failed.
param(
  [string]$Url = '@FAULTLINE_URL@',
  [string]$Token = $env:FAULTLINE_TOKEN,
  [Parameter(Mandatory = $true, ValueFromRemainingArguments = $true)][string[]]$Path
)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
# What Windows PowerShell 5 offers by itself, servers refuse.
[Net.ServicePointManager]::SecurityProtocol =
  [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
$Url = $Url.TrimEnd('/')
$headers = @{}
if ($Token) { $headers['Auth-Token'] = $Token }
$magics = '7F454C46', '4D696372', '4D4F4455', '424A5342', '0061736D', '4D534346',
          'FEEDFACE', 'FEEDFACF', 'CEFAEDFE', 'CFFAEDFE', 'CAFEBABE', 'CAFEBABF'
$sent = 0; $known = 0; $skipped = 0; $failed = 0

function Test-DebugFile([string]$File) {
  $stream = [IO.File]::OpenRead($File)
  try {
    $head = New-Object byte[] 4
    if ($stream.Read($head, 0, 4) -lt 4) { return $false }
    $text = [BitConverter]::ToString($head).Replace('-', '')
    return $text.StartsWith('4D5A') -or ($magics -contains $text)
  } finally { $stream.Dispose() }
}

function Test-Known([string]$File) {
  $hash = (Get-FileHash -Algorithm SHA256 -LiteralPath $File).Hash.ToLowerInvariant()
  # Under its name: the same program under another may be out of reach.
  $question = ConvertTo-Json -Compress @{ sha256 = @($hash); paths = @([IO.Path]::GetFileName($File)) }
  try {
    $answer = Invoke-RestMethod -Method Post -Uri "$Url/api/v1/store/known" -Headers $headers `
      -ContentType 'application/json' -Body ([Text.Encoding]::UTF8.GetBytes($question))
    return $answer.known -contains $hash
  } catch { return $false }
}

function Send-File([string]$File) {
  $name = [Uri]::EscapeDataString([IO.Path]::GetFileName($File))
  for ($attempt = 1; ; $attempt++) {
    try {
      $answer = Invoke-WebRequest -UseBasicParsing -Method Put -Uri "$Url/api/v1/files/$name" `
        -Headers $headers -InFile $File -ContentType 'application/octet-stream'
      return [int]$answer.StatusCode
    } catch {
      $status = 0
      if ($_.Exception.Response) { $status = [int]$_.Exception.Response.StatusCode }
      $passing = $status -eq 0 -or $status -eq 429 -or ($status -ge 500 -and $status -ne 507)
      if (-not $passing -or $attempt -ge 5) {
        if ($status -ne 400) { [Console]::Error.WriteLine("${File}: $($_.Exception.Message)") }
        return $status
      }
      Start-Sleep -Seconds ([Math]::Pow(2, $attempt - 1))
    }
  }
}

foreach ($item in $Path) {
  if (-not (Test-Path $item)) {
    [Console]::Error.WriteLine("${item}: no such file or directory")
    $failed++
    continue
  }
  # -Recurse would look for a file's name below its directory, too.
  if (Test-Path -LiteralPath $item -PathType Leaf) { $files = Get-Item -LiteralPath $item }
  else { $files = Get-ChildItem -Path $item -Recurse -File }
  foreach ($file in $files) {
    $full = $file.FullName
    if (-not (Test-DebugFile $full)) { $skipped++; continue }
    if (Test-Known $full) { $known++; "${full}: is there already"; continue }
    switch (Send-File $full) {
      201 { $sent++; "${full}: sent" }
      200 { $known++; "${full}: is there already" }
      400 { $skipped++; "${full}: skipped: the server finds no id in it" }
      default { $failed++ }
    }
  }
}
"$sent files sent, $known already there, $skipped skipped, $failed failed"
if ($failed -gt 0) { exit 1 }
