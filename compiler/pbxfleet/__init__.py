"""pbxfleet: declarative compiler and GitOps tool for many Vodia PBX instances on one host."""

__version__ = "0.1.0"
