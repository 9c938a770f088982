"""What holds where a key is left out that has no default: rows for the schemas, by model and key."""

from __future__ import annotations

from collections.abc import Mapping

_NEXT_LAYER = "what the host's [defaults] say, else the fleet's"
_REFERENCE = "as in the reference file, moved to the instance's own addresses"
_UNMAPPED = "the element is not known, and the key that needs it is refused"
_NO_VARIABLES = "no further variables"
_ALL_KEPT = "nothing is ever removed"

LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    "FleetModel": {
        "$schema": "editors look for a schema themselves",
        "defaults": "hosts and instances say everything themselves",
        "releases": "there is no release, and no instance can be compiled",
        "catalogue": "only elements that the vendor documents are known",
        "policy": "the guards have their defaults",
        "managed_from": "nobody checks that an admin allow-list lets pbxfleet in",
        "severity": "every diagnostic has its usual severity",
        "suppress": "every diagnostic is reported",
        "acknowledge": "nothing that the policy refuses is meant",
        "sinks": "nobody is told besides whoever reads the output",
        "schedule": "nothing is done by itself",
        "ignore": "every difference on a host counts",
    },
    "HostModel": {
        "$schema": "editors look for a schema themselves",
        "address": "the host's own address is not known",
        "addresses": "instances can have no address but the host's own",
        "reserved": "all of them may be handed out",
        "reserved_cpus": "none",
        "reserved_ports": "none",
        "price": "capacity tells no costs",
        "cpus": "cores are not checked, and none can be handed out",
        "system_cpus": "no core is left to the system",
        "rtp": "media ports are those of the reference file",
        "ports": "no block of ports can be handed out",
        "backup": "the host has lists of what to back up, and nothing that does it",
        "network": "the network of the host is left alone",
        "failover_file": "no failover file is written",
        "failover_template": "no failover file is written",
        "compose": "containers need it for their image",
        "windows": "every key has a default",
        "foreign_listeners": "no other program is in the way of an instance",
        "stock_service": "not known",
        "sinks": "as the fleet says",
        "schedule": "as the fleet says",
        "node_name": "the machine is known by the host's name, by its addresses, or by an earlier apply",
        "machine_id": "as of node_name",
        "maintenance": "instances may be restarted at any time",
        "defaults": "the fleet's [defaults] hold",
    },
    "ComposeModel": {
        "image": "containers need one",
        "parent": "needed with macvlan and ipvlan",
        "subnets": "needed with macvlan and ipvlan",
        "gateways": "containers reach their own network only",
    },
    "InstanceModel": {
        "$schema": "editors look for a schema themselves",
        "directory": "the host's template",
        "number": "handed out once and remembered, if a path needs it",
        "management_dns": "it has no such name",
        "maintenance": "the host's",
    },
    "LayerModel": {
        "release": _NEXT_LAYER,
        "address": f"{_NEXT_LAYER}, else one is allocated",
        "listen": _NEXT_LAYER,
        "rtp": f"{_NEXT_LAYER}, else the host's range",
        "failover": f"{_NEXT_LAYER}, else it is no half of a pair",
        "backup": _NEXT_LAYER,
        "settings": f"{_NEXT_LAYER}, else as in the reference file",
        "unset": "nothing is removed",
        "admin_allow": f"{_NEXT_LAYER}, else all networks are let in",
        "source_address": f"{_NEXT_LAYER}, else the host's standard address",
        "tenants": f"{_NEXT_LAYER}, else nothing is known of its domains",
        "calls": f"{_NEXT_LAYER}, else nothing is planned",
        "partners": f"{_NEXT_LAYER}, else nobody has an allow-list",
        "api": _NEXT_LAYER,
        "probes": _NEXT_LAYER,
    },
    "ApiModel": {
        "password_file": f"{_NEXT_LAYER}, else calls are not known and every change costs a restart",
    },
    "ScheduleModel": {
        "drift": "nothing is reported by itself",
        "remind": "nobody is reminded",
        "mailto": "cron mails to root, as it usually does",
    },
    "SinksModel": {
        "metrics": "no metrics are written",
        "report": "no report is written",
        "mail": "nobody gets mail",
        "webhook": "nothing is posted",
        "webhook_secret": "posts are not signed",
    },
    "IgnoreModel": {
        "where": "it is ignored everywhere",
        "setting": "the rule is about a path or a listener",
        "path": "the rule is about a setting or a listener",
        "listener": "the rule is about a setting or a path",
        "class": "every class",
    },
    "SuppressModel": {"where": "it is accepted everywhere"},
    "ForeignListenerModel": {"reason": "nobody says why"},
    "ListenModel": dict.fromkeys(
        ("http", "https", "sip_udp", "sip_tcp", "sip_tls", "tftp", "snmp", "ldap"), _REFERENCE
    ),
    "FailoverModel": {
        "role": _NEXT_LAYER,
        "peer": _NEXT_LAYER,
        "peer_scheme": f"{_NEXT_LAYER}, else http, or https if http is off",
        "peer_url": f"{_NEXT_LAYER}, else it follows from the peer's listeners",
        "validation_url": f"{_NEXT_LAYER}, else the template gets none",
        "interval": f"{_NEXT_LAYER}, else the template gets none",
        "failures": f"{_NEXT_LAYER}, else the template gets none",
        "action_url": f"{_NEXT_LAYER}, else the template gets none",
    },
    "NetworkModel": {
        "interface": "a backend that needs it is refused",
        "network_file": "a backend that needs it is refused",
        "standard": "left to DHCP or router advertisements",
        "gateway": "left to DHCP or router advertisements",
        "dns": "left to DHCP or router advertisements",
    },
    "BackupModel": {
        "recordings": f"{_NEXT_LAYER}, else they are not",
        "cdr": f"{_NEXT_LAYER}, else they are",
        "prompts": f"{_NEXT_LAYER}, else they are",
        "logs": f"{_NEXT_LAYER}, else they are not",
        "snapshots": f"{_NEXT_LAYER}, else they are not, as far as they have a name",
        "release_files": f"{_NEXT_LAYER}, else they are",
        "names": _NEXT_LAYER,
        "extra": f"{_NEXT_LAYER}, else nothing",
    },
    "BackupNamesModel": {
        "cdr": f"{_NEXT_LAYER}, else not known, and they cannot be left out",
        "logs": f"{_NEXT_LAYER}, else *.log",
        "snapshots": f"{_NEXT_LAYER}, else not known, and they cannot be left out",
    },
    "HostBackupModel": dict.fromkeys(("restic", "borg", "rsync", "tar"), "not with this program"),
    "RepositoryModel": {"environment_file": _NO_VARIABLES, "keep": _ALL_KEPT},
    "RsyncModel": {"environment_file": _NO_VARIABLES},
    "TarModel": {"keep": _ALL_KEPT},
    "KeepModel": dict.fromkeys(
        ("last", "daily", "weekly", "monthly", "yearly"), "none is kept for this reason"
    ),
    "KeepLastModel": {"last": _ALL_KEPT},
    "SettingModel": {
        "value": "the setting has a secret instead",
        "secret": "the setting has a value instead",
    },
    "ReleaseModel": {
        "reference_address": "no bind of the reference file is moved",
        "settings": "any setting is taken that the catalogue or the reference file knows",
        "version": "the name of the release is its version",
    },
    "PolicyModel": {
        "empty_hosts": "every host keeps at least one instance",
        "restart_budget": "any number of instances may be restarted",
    },
    "CatalogueModel": dict.fromkeys(
        (
            *("sip_udp", "sip_tcp", "sip_tls", "tftp", "snmp", "ldap"),
            *("rtp_bind", "rtp_start", "rtp_end", "affinity"),
        ),
        _UNMAPPED,
    ),
    "LedgerModel": {
        "format": "format 1",
        "hosts": "nothing is held",
        "tombstones": "no instance is gone that held something",
        "instances": "nothing was handed out in format 1",
    },
    "HoldersModel": dict.fromkeys(
        ("addresses", "cores", "numbers", "ports", "rtp"), "nothing of this kind is held"
    ),
    "AllocationModel": dict.fromkeys(
        ("addresses", "cpu", "rtp", "ports", "number"), "nothing was handed out"
    ),
}
