"""pbx.xml: `read` what it says, `edit` settings without changing another byte, `values` for speed.

Parts: `xml_text` (bytes, characters), `xml_scan` (places), `xml_read`, `xml_edit`, `xml_values`.
"""

from pbxfleet.pbx.xml_edit import edit
from pbxfleet.pbx.xml_read import PbxXml, Setting, read
from pbxfleet.pbx.xml_text import MAX_DEPTH, MAX_SIZE_BYTES, PbxXmlError
from pbxfleet.pbx.xml_values import values

__all__ = [
    "MAX_DEPTH",
    "MAX_SIZE_BYTES",
    "PbxXml",
    "PbxXmlError",
    "Setting",
    "edit",
    "read",
    "values",
]
