"""What may be written in a fleet's files: strict models, lowered to the model types at this door."""

from pbxfleet.schema.ledger import read_ledger, read_ledger_file
from pbxfleet.schema.validate import FLEET_FILE, Validation, validate

__all__ = ["FLEET_FILE", "Validation", "read_ledger", "read_ledger_file", "validate"]
