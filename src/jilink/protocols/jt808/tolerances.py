"""The deviations that are forgiven, by their stable keys."""

TOLERANCES = {
    "no-delimiter": "the frame came without its delimiters",
    "vendor-delimiter": "the frame has a vendor's delimiter and escapes",
    "not-escaped": "the frame was not escaped, but its checksum is right as it stands",
    "version-bit": "the header has the layout of the other version than its version bit says; the length decides",
    "body-length": "the header announces another length than the body has; the checksum is right",
    "package-count": "the header says sub-packaged, with a package number beyond the number of packages",
    "encrypted": "the body is encrypted and kept as bytes",
    "encryption-bits": "the header says encrypted, but the body is plain",
    "unknown-message": "nobody declared this message id; the body is kept as bytes",
    "body-of-other-year": "the body follows another year's declaration than the header's",
    "body-variant": "the body follows a declaration that departs from the standard as a known code base does",
    "trailing-bytes": "bytes stand behind the last field; they are kept",
    "item-length": "a known item has a length nobody declared; it is kept as bytes",
    "item-overrun": "an item is longer than what is left; the rest is kept as bytes",
    "items-tail": "bytes behind the last item are no item; they are kept",
    "cut-element": "an element of a list ends before its fields do; it is kept as bytes, the others are read",
    "fewer-than-counted": "fewer elements came than the count says",
    "out-of-range": "a number is outside its range; it is kept",
    "unknown-code": "a code has no meaning in the standard; it is kept",
    "not-a-time": "digits are no time; the value is not available",
    "not-bcd": "digits are not decimal; they are kept in hexadecimal",
    "undecodable-text": "bytes of a text are no GBK, or of an ASCII text not printable; they are kept and shown escaped",
}
"""Key -> what was forgiven."""

REASONS = {
    "frame": "the bytes are no frame: nothing between delimiters, or a delimiter inside",
    "escape": "an escape byte is followed by something that is no escape",
    "checksum": "the checksum does not match",
    "header": "fewer bytes than a header has",
    "truncated": "the body ends before its fields do",
    "too-long": "no delimiter came within the longest frame",
    "hex": "the line is not hexadecimal",
    "capture": "the capture file cannot be read",
    "profile": "no profile has that name",
    "unencodable": "a value does not fit its field (encoding only)",
}
"""Key of a Malformed -> what is wrong."""
