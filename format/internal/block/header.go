package block

import (
	"encoding/binary"
	"hash/crc32"

	"trapline/format/internal/column"
)

// MaxPayload is the maximum length of a payload, in bytes.
const MaxPayload = column.MaxBytes

// Sync starts every block, and so identifies a file as a capture. Its first byte is not
// ASCII, so no text file begins with it.
const Sync = "\x8fTRP"

// HeaderSize is the length of a block's header: from Sync to its checksum.
const HeaderSize = 52

// A Header is the fixed-size start of a block. Its layout is the same in all versions, so
// any reader can step over any block.
type Header struct {
	Kind             Kind
	Flags            uint32 // 24 bits, zero in version 1
	Length           uint32 // bytes of payload after the header
	Rows             uint32 // entries or hits
	First            uint32 // ID of the first entry; in HITS, of the shape
	TimeMin, TimeMax uint64 // times of the rows; 0 in untimed blocks
	// Part and Segment are the header CRCs of the FILE and SEGMENT blocks that this block
	// belongs to. They reveal to a reader that one of those was lost, even in
	// concatenated captures.
	Part, Segment uint32
	PayloadCRC    uint32
	CRC           uint32 // of the header
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// Seal sets the length and both checksums and appends the header to dst.
func (h *Header) Seal(dst []byte, payload []byte) []byte {
	le := binary.LittleEndian
	h.Length = uint32(len(payload))
	h.PayloadCRC = checksum(payload)
	start := len(dst)
	dst = append(dst, Sync...)
	dst = append(dst, byte(h.Kind), byte(h.Flags), byte(h.Flags>>8), byte(h.Flags>>16))
	dst = le.AppendUint32(dst, h.Length)
	dst = le.AppendUint32(dst, h.Rows)
	dst = le.AppendUint32(dst, h.First)
	dst = le.AppendUint64(dst, h.TimeMin)
	dst = le.AppendUint64(dst, h.TimeMax)
	dst = le.AppendUint32(dst, h.Part)
	dst = le.AppendUint32(dst, h.Segment)
	dst = le.AppendUint32(dst, h.PayloadCRC)
	h.CRC = checksum(dst[start:])
	return le.AppendUint32(dst, h.CRC)
}

// parseHeader decodes the header at the start of b, which must have HeaderSize bytes. ok
// is false if there is none, its checksum is wrong, or its length exceeds MaxPayload.
func parseHeader(b []byte) (h Header, ok bool) {
	le := binary.LittleEndian
	b = b[:HeaderSize]
	if string(b[:4]) != Sync {
		return h, false
	}
	h = Header{
		Kind:       Kind(b[4]),
		Flags:      uint32(b[5]) | uint32(b[6])<<8 | uint32(b[7])<<16,
		Length:     le.Uint32(b[8:]),
		Rows:       le.Uint32(b[12:]),
		First:      le.Uint32(b[16:]),
		TimeMin:    le.Uint64(b[20:]),
		TimeMax:    le.Uint64(b[28:]),
		Part:       le.Uint32(b[36:]),
		Segment:    le.Uint32(b[40:]),
		PayloadCRC: le.Uint32(b[44:]),
		CRC:        le.Uint32(b[48:]),
	}
	return h, h.CRC == checksum(b[:48]) && h.Length <= MaxPayload && h.Kind != 0
}
