# Written by pbxfleet for host fra1. It makes each instance a Windows service and keeps it so.
#
#   powershell -ExecutionPolicy Bypass -File pbxfleet.ps1 -Plan
#   powershell -ExecutionPolicy Bypass -File pbxfleet.ps1 -Artefacts D:\artefacts
#
# -Plan (or -WhatIf) changes nothing and prints what would be done; the exit code is 2 if there is something.
# -Tree is the folder "root" of the rendered host, -Artefacts a folder with release files, named as they are
# installed or by their SHA-256. Run it again at any time: what is as declared is left alone.
#Requires -Version 5.1
[CmdletBinding(SupportsShouldProcess)]
param(
    [switch] $Plan,
    [string] $Tree = (Join-Path $PSScriptRoot '..\..\..'),
    [string] $Artefacts = ''
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$Planning = $Plan -or $WhatIfPreference
$WhatIfPreference = $false
$StopTimeout = 60
$StartTimeout = 60
$ResetAfter = 86400
$Steps = 0
$Differences = 0

$Instances = @(
    @{
        Name = 'acme'
        Service = 'pbx-acme'
        Display = 'Vodia PBX acme'
        Directory = 'C:\Program Files\Vodia\PBX-acme'
        Command = '"C:\Program Files\Vodia\PBX-acme\pbxctrl.exe" --dir "C:\Program Files\Vodia\PBX-acme"'
        # Cores as a mask; 0: not pinned.
        Mask = 8
        Start = 'auto'
        # After the first, the second and every later end: action/milliseconds.
        FailureActions = 'restart/5000/restart/5000/restart/5000'
        Seed = 'C\Program Files\Vodia\PBX-acme\pbx.xml'
        Files = @(
            @{ Path = 'C:\Program Files\Vodia\PBX-acme\pbxctrl.exe'; Sha256 = '1111111111111111111111111111111111111111111111111111111111111111' }
            @{ Path = 'C:\Program Files\Vodia\PBX-acme\pbxctrl.dat'; Sha256 = '2222222222222222222222222222222222222222222222222222222222222222' }
        )
        Copies = @(
        )
        Settings = @(
            @{ Name = 'ip_http_port'; Kind = 'value'; Value = '203.0.113.10:80' }
            @{ Name = 'sys_name'; Kind = 'value'; Value = 'O''Brien’’s $env:X' }
            @{ Name = 'email_global'; Kind = 'absent'; Value = '' }
            @{ Name = 'pw_pass'; Kind = 'secret'; Value = '' }
        )
        Sockets = @(
            @{ Protocol = 'tcp'; Address = '203.0.113.10'; Port = 80 }
            @{ Protocol = 'udp'; Address = '203.0.113.10'; Port = 5060 }
        )
    }
    @{
        Name = 'beta'
        Service = 'pbx-beta'
        Display = 'Vodia PBX beta'
        Directory = 'D:\PBX\b ''x'''
        Command = '"D:\PBX\b ''x''\pbxctrl.exe" --dir "D:\PBX\b ''x''"'
        # Cores as a mask; 0: not pinned.
        Mask = 0
        Start = 'auto'
        # After the first, the second and every later end: action/milliseconds.
        FailureActions = 'restart/5000/restart/5000/restart/5000'
        Seed = 'D\PBX\b ''x''\pbx.xml'
        Files = @(
            @{ Path = 'D:\PBX\b ''x''\pbxctrl.exe'; Sha256 = '1111111111111111111111111111111111111111111111111111111111111111' }
            @{ Path = 'D:\PBX\b ''x''\pbxctrl.dat'; Sha256 = '2222222222222222222222222222222222222222222222222222222222222222' }
        )
        Copies = @(
        )
        Settings = @(
            @{ Name = 'ip_http_port'; Kind = 'value'; Value = '2001:db8:1::11:80' }
        )
        Sockets = @(
            @{ Protocol = 'tcp'; Address = '2001:db8:1::11'; Port = 80 }
            @{ Protocol = 'udp'; Address = '2001:db8:1::11'; Port = 5060 }
        )
    }
)

function Step([string] $What, [scriptblock] $Do) {
    $script:Steps++
    if ($Planning) {
        Write-Host "would: $What"
        return
    }
    Write-Host "doing: $What"
    & $Do
}

function Show-Difference([string] $What) {
    $script:Differences++
    Write-Host "differs: $What"
}

function Get-Sha256([string] $Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return '' }
    return (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
}

# The release file with the pinned digest; anything else by that name is not what was declared.
function Find-Artefact($File) {
    foreach ($name in @($File.Sha256, (Split-Path -Leaf $File.Path))) {
        if ($Artefacts -ne '') {
            $path = Join-Path $Artefacts $name
            if ((Get-Sha256 $path) -eq $File.Sha256) { return $path }
        }
    }
    $lacking = "no file with SHA-256 $($File.Sha256) for $($File.Path): name its folder with -Artefacts"
    if (-not $Planning) { throw $lacking }
    Show-Difference $lacking
    return ''
}

function Get-Record([string] $Service) {
    return Get-CimInstance -ClassName Win32_Service -Filter "Name='$Service'"
}

# Another service in the same directory: two processes would write one pbx.xml.
function Assert-NoRival($Instance) {
    # A blank may belong to the name of another folder: only an option after it ends this one.
    $pattern = '(?i)' + [regex]::Escape($Instance.Directory) + '(["\\]|\s+-|\s*$)'
    foreach ($record in @(Get-CimInstance -ClassName Win32_Service)) {
        if ($record.Name -ne $Instance.Service -and $record.PathName -match $pattern) {
            throw "service $($record.Name) runs in $($Instance.Directory): remove it first"
        }
    }
}

function Get-InstanceProcess($Instance) {
    $program = $Instance.Files[0].Path
    return @(Get-CimInstance -ClassName Win32_Process | Where-Object { $_.ExecutablePath -eq $program })
}

function Stop-Instance($Instance) {
    $record = Get-Record $Instance.Service
    if ($null -eq $record -or $record.State -eq 'Stopped') { return }
    Step "stop $($Instance.Service)" {
        Stop-Service -Name $Instance.Service
        $deadline = (Get-Date).AddSeconds($StopTimeout)
        while (@(Get-InstanceProcess $Instance).Count -gt 0) {
            if ((Get-Date) -gt $deadline) { throw "$($Instance.Service) did not end in $StopTimeout s" }
            Start-Sleep -Milliseconds 200
        }
    }
}

# Writes files that differ. The executable is locked while it runs, so the instance is stopped first.
function Update-Files($Instance) {
    $old = @($Instance.Files | Where-Object { (Get-Sha256 $_.Path) -ne $_.Sha256 })
    $copies = @($Instance.Copies | Where-Object { (Get-Sha256 $_.Path) -ne (Get-Sha256 (Join-Path $Tree $_.From)) })
    # Looked for before anything is stopped: an outage for a file that is not there would be for nothing.
    $sources = @{}
    foreach ($file in $old) { $sources[$file.Path] = Find-Artefact $file }
    if ($old.Count + $copies.Count -gt 0) { Stop-Instance $Instance }
    foreach ($file in $old) {
        Step "copy in $($file.Path)" {
            Copy-Item -LiteralPath $sources[$file.Path] -Destination "$($file.Path).new" -Force
            Move-Item -LiteralPath "$($file.Path).new" -Destination $file.Path -Force
        }
    }
    foreach ($copy in $copies) {
        Step "write $($copy.Path)" {
            [void] [IO.Directory]::CreateDirectory((Split-Path -Parent $copy.Path))
            Copy-Item -LiteralPath (Join-Path $Tree $copy.From) -Destination $copy.Path -Force
        }
    }
}

# The first pbx.xml is written. One that is there is the PBX's: it is only compared.
function Update-Settings($Instance) {
    $path = Join-Path $Instance.Directory 'pbx.xml'
    if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
        Step "write $path" { Copy-Item -LiteralPath (Join-Path $Tree $Instance.Seed) -Destination $path }
        foreach ($setting in @($Instance.Settings | Where-Object { $_.Kind -eq 'secret' })) {
            Show-Difference "$($Instance.Name): $($setting.Name) is a secret: set it on the administration page"
        }
        return
    }
    $document = New-Object System.Xml.XmlDocument
    $document.XmlResolver = $null
    $document.Load($path)
    foreach ($setting in $Instance.Settings) {
        $node = $document.DocumentElement.SelectSingleNode("*[local-name()='$($setting.Name)']")
        if ($setting.Kind -eq 'secret') { continue }
        if ($setting.Kind -eq 'absent') {
            if ($null -ne $node) { Show-Difference "$($Instance.Name): $($setting.Name) is there" }
        } elseif ($null -eq $node) {
            Show-Difference "$($Instance.Name): $($setting.Name) is not there, declared is $($setting.Value)"
        } elseif ($node.GetAttribute('encrypted') -ne 'true' -and $node.InnerText -cne $setting.Value) {
            Show-Difference "$($Instance.Name): $($setting.Name) is $($node.InnerText), declared is $($setting.Value)"
        }
    }
}

function Invoke-Sc {
    $said = & sc.exe @args
    if ($LASTEXITCODE -ne 0) { throw "sc.exe $($args -join ' '): $($said -join ' ')" }
}

# Reset time and actions out of what the registry keeps (SERVICE_FAILURE_ACTIONS), as one text.
function Get-FailureText([string] $Service) {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Service"
    $found = Get-ItemProperty -LiteralPath $key -Name FailureActions -ErrorAction SilentlyContinue
    if ($null -eq $found) { return '' }
    [byte[]] $bytes = $found.FailureActions
    $parts = @("$([BitConverter]::ToUInt32($bytes, 0))")
    for ($at = 20; $at + 8 -le $bytes.Length; $at += 8) {
        $kind = [BitConverter]::ToUInt32($bytes, $at)
        if ($kind -eq 1) { $parts += 'restart' } else { $parts += "action-$kind" }
        $parts += "$([BitConverter]::ToUInt32($bytes, $at + 4))"
    }
    return $parts -join '/'
}

function Test-Delayed([string] $Service) {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Service"
    $found = Get-ItemProperty -LiteralPath $key -Name DelayedAutostart -ErrorAction SilentlyContinue
    return $null -ne $found -and $found.DelayedAutostart -eq 1
}

function Update-Service($Instance) {
    $name = $Instance.Service
    $record = Get-Record $name
    if ($null -eq $record) {
        Step "create service $name" {
            [void] (New-Service -Name $name -BinaryPathName $Instance.Command -DisplayName $Instance.Display -StartupType Automatic)
        }
    } elseif ($record.PathName -cne $Instance.Command -or $record.DisplayName -cne $Instance.Display) {
        Stop-Instance $Instance
        Step "change service $name" {
            $values = @{ PathName = $Instance.Command; DisplayName = $Instance.Display }
            $changed = Invoke-CimMethod -InputObject $record -MethodName Change -Arguments $values
            if ($changed.ReturnValue -ne 0) { throw "service $name was not changed: $($changed.ReturnValue)" }
        }
    }
    $delayed = $Instance.Start -eq 'delayed-auto'
    $auto = $null -ne $record -and $record.StartMode -eq 'Auto'
    if (-not $auto -or (Test-Delayed $name) -ne $delayed) {
        if ($null -ne $record -or $delayed) {
            Step "start $name with the machine" { Invoke-Sc config $name start= $Instance.Start }
        }
    }
    if ((Get-FailureText $name) -cne "$ResetAfter/$($Instance.FailureActions)") {
        Step "restart $name when it ends by itself" {
            Invoke-Sc failure $name reset= $ResetAfter actions= $Instance.FailureActions
            Invoke-Sc failureflag $name 1
        }
    }
}

# Without a pbx.xml the PBX would make one with every port open on every address.
function Start-Instance($Instance) {
    $record = Get-Record $Instance.Service
    if ($null -ne $record -and $record.State -eq 'Running') { return }
    Step "start $($Instance.Service)" {
        if (-not (Test-Path -LiteralPath (Join-Path $Instance.Directory 'pbx.xml'))) {
            throw "$($Instance.Directory) has no pbx.xml"
        }
        Start-Service -Name $Instance.Service
    }
}

# Windows keeps no affinity for a service: it is set on the process, and gone after a restart.
function Update-Affinity($Instance) {
    if ($Instance.Mask -eq 0) { return }
    foreach ($found in @(Get-InstanceProcess $Instance)) {
        $process = Get-Process -Id $found.ProcessId
        if ([long] $process.ProcessorAffinity -ne [long] $Instance.Mask) {
            Step "pin process $($found.ProcessId) of $($Instance.Service) to mask $($Instance.Mask)" {
                $process.ProcessorAffinity = [IntPtr] [long] $Instance.Mask
            }
        }
    }
}

function Test-Socket($Socket, [int[]] $Owners) {
    if ($Socket.Protocol -eq 'tcp') {
        $found = Get-NetTCPConnection -State Listen -LocalAddress $Socket.Address -LocalPort $Socket.Port -ErrorAction SilentlyContinue
    } else {
        $found = Get-NetUDPEndpoint -LocalAddress $Socket.Address -LocalPort $Socket.Port -ErrorAction SilentlyContinue
    }
    return @($found | Where-Object { $Owners -contains $_.OwningProcess }).Count -gt 0
}

# Declared is proven: the process of this instance holds each of its sockets.
function Confirm-Instance($Instance) {
    $deadline = (Get-Date).AddSeconds($(if ($Planning) { 0 } else { $StartTimeout }))
    do {
        $owners = @(Get-InstanceProcess $Instance | ForEach-Object { $_.ProcessId })
        if ($Planning -and $owners.Count -eq 0) { return }
        $open = @($Instance.Sockets | Where-Object { -not (Test-Socket $_ $owners) })
        if ($open.Count -eq 0) { return }
        if (-not $Planning) { Start-Sleep -Milliseconds 500 }
    } while ((Get-Date) -lt $deadline)
    foreach ($socket in $open) {
        Show-Difference "$($Instance.Name) does not hold $($socket.Protocol) $($socket.Address) port $($socket.Port)"
    }
}

function Update-Instance($Instance) {
    Assert-NoRival $Instance
    if (-not (Test-Path -LiteralPath $Instance.Directory -PathType Container)) {
        Step "make $($Instance.Directory)" { [void] [IO.Directory]::CreateDirectory($Instance.Directory) }
    }
    Update-Files $Instance
    Update-Settings $Instance
    Update-Service $Instance
    Start-Instance $Instance
    Update-Affinity $Instance
    Confirm-Instance $Instance
}

try {
    $self = [Security.Principal.WindowsPrincipal] [Security.Principal.WindowsIdentity]::GetCurrent()
    if (-not $Planning -and -not $self.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'run it as an administrator, or with -Plan'
    }
    foreach ($instance in $Instances) { Update-Instance $instance }
    $declared = @($Instances | ForEach-Object { $_.Service })
    foreach ($record in @(Get-CimInstance -ClassName Win32_Service -Filter "Name LIKE 'pbx-%'")) {
        if ($record.PathName -match 'pbxctrl' -and $declared -notcontains $record.Name) {
            Write-Host "note: service $($record.Name) is not declared; it is left alone"
        }
    }
} catch {
    Write-Host "error: $($_.Exception.Message)"
    exit 1
}
if ($Steps -eq 0 -and $Differences -eq 0) { Write-Host 'nothing to do' }
if ($Differences -gt 0 -or ($Planning -and $Steps -gt 0)) { exit 2 }
exit 0
