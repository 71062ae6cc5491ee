package block

import "encoding/binary"

// Version is the major version of the format that this module reads and writes.
const Version = 1

// Magic starts the payload of FILE. Like PNG's signature, it contains line ends and an
// end-of-file character, to detect transfers in text mode.
const Magic = "\x8ftrap\r\n\x1a"

// FileFixed is the number of bytes before the columns of a FILE block: Magic, the major
// version in 2 bytes, and 6 zeros.
const FileFixed = len(Magic) + 8

// AppendFile appends the fixed start of a FILE block.
func AppendFile(dst []byte, version uint16) []byte {
	dst = append(dst, Magic...)
	dst = binary.LittleEndian.AppendUint16(dst, version)
	return append(dst, make([]byte, FileFixed-len(Magic)-2)...)
}

// ParseFile returns the major version and the columns in the payload of a FILE block. ok is
// false if the payload does not begin with Magic.
func ParseFile(payload []byte) (version uint16, columns []byte, ok bool) {
	if len(payload) < FileFixed || string(payload[:len(Magic)]) != Magic {
		return 0, nil, false
	}
	return binary.LittleEndian.Uint16(payload[len(Magic):]), payload[FileFixed:], true
}
