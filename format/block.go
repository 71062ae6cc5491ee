package format

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"
)

// Version is the major version of the format that this package reads and writes.
const Version = 1

// Limits that every writer keeps and every reader checks before it allocates.
const (
	// MaxPayload is the longest payload of a block, in bytes.
	MaxPayload = 16 << 20
	// MaxValues is the most values of a numeric column, and so the most rows of a block.
	MaxValues = 1 << 21
	// MaxString is the longest string, in bytes.
	MaxString = 1 << 20
	// MaxColumns is the most columns of a block, and so the most argument columns of a shape.
	MaxColumns = 4096
	// MaxDictionaries is the most memory that the dictionaries of one segment
	// may take once decoded, in bytes, as cost in segment.go counts it.
	MaxDictionaries = 256 << 20
)

// syncMark starts every block. As the first bytes of a file they say that it is a
// capture: the first is not ASCII, so no text file begins with them.
const syncMark = "\x8fTRP"

// magic starts the payload of FILE. Line ends and the end-of-file character of
// text modes are in it, as in PNG's signature, to show what a transfer did.
const magic = "\x8ftrap\r\n\x1a"

// fileFixed is how many bytes stand before the columns of a FILE block: magic, the
// major version in 2 bytes, and 6 zeros.
const fileFixed = len(magic) + 8

// A kind says what a block holds. Kinds from skippable on may be ignored by
// readers that do not know them; unknown ones below must not.
type kind uint8

const (
	kindFile kind = iota + 1
	kindSegment
	kindStrings
	kindImages
	kindFrames
	kindStacks
	kindTasks
	kindShapes
	kindProbes
	kindSymbols
	kindHits
	kindLoss
	kindSegmentEnd

	skippable kind = 128
)

func (k kind) String() string {
	if s, ok := specs[k]; ok {
		return s.name
	}
	return "kind " + strconv.Itoa(int(k))
}

// headerSize is the length of a block's header: syncMark to headerCRC.
const headerSize = 52

// A header is the fixed start of a block. Its layout is the same in all
// versions, so that any reader can step over any block.
type header struct {
	kind       kind
	payload    uint32 // bytes that follow the header
	rows       uint32 // entries or hits
	first      uint32 // ID of the first entry; of a HITS block the shape
	tmin, tmax uint64 // times of the rows; 0, 0 for untimed blocks
	// part and segment are the headerCRC of the FILE and the SEGMENT block that
	// this block belongs to. They tell a reader that one of those was lost, even
	// where captures were joined.
	part, segment uint32
	payloadCRC    uint32
	headerCRC     uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// seal sets both checksums and appends the header to dst.
func (h *header) seal(dst []byte, flags uint32, payload []byte) []byte {
	le := binary.LittleEndian
	h.payload = uint32(len(payload))
	h.payloadCRC = checksum(payload)
	start := len(dst)
	dst = append(dst, syncMark...)
	dst = append(dst, byte(h.kind), byte(flags), byte(flags>>8), byte(flags>>16))
	dst = le.AppendUint32(dst, h.payload)
	dst = le.AppendUint32(dst, h.rows)
	dst = le.AppendUint32(dst, h.first)
	dst = le.AppendUint64(dst, h.tmin)
	dst = le.AppendUint64(dst, h.tmax)
	dst = le.AppendUint32(dst, h.part)
	dst = le.AppendUint32(dst, h.segment)
	dst = le.AppendUint32(dst, h.payloadCRC)
	h.headerCRC = checksum(dst[start:])
	return le.AppendUint32(dst, h.headerCRC)
}

// parseHeader decodes the header at the start of b, which holds headerSize bytes.
// ok is false unless it is a header whose checksum is right and whose length is allowed.
func parseHeader(b []byte) (h header, ok bool) {
	le := binary.LittleEndian
	b = b[:headerSize]
	if string(b[:4]) != syncMark {
		return h, false
	}
	h = header{
		kind:       kind(b[4]),
		payload:    le.Uint32(b[8:]),
		rows:       le.Uint32(b[12:]),
		first:      le.Uint32(b[16:]),
		tmin:       le.Uint64(b[20:]),
		tmax:       le.Uint64(b[28:]),
		part:       le.Uint32(b[36:]),
		segment:    le.Uint32(b[40:]),
		payloadCRC: le.Uint32(b[44:]),
		headerCRC:  le.Uint32(b[48:]),
	}
	return h, h.headerCRC == checksum(b[:48]) && h.payload <= MaxPayload && h.kind != 0
}

// flags returns the three bytes of b's header that version 1 keeps zero.
func flags(b []byte) uint32 { return uint32(b[5]) | uint32(b[6])<<8 | uint32(b[7])<<16 }
