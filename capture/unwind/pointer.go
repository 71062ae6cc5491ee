package unwind

import "trapline/internal/cursor"

// Encodings of pointers in .eh_frame and .eh_frame_hdr (Linux Standard Base Core 5.0,
// section 10.5.1): the format in the low half; the base in the high half; pointerIndirect
// for the address of the pointer.
const (
	pointerFormat   = 0x0f
	pointerBase     = 0x70
	pointerIndirect = 0x80
	pointerOmitted  = 0xff

	formatAddress = 0x00 // 8 bytes
	formatULEB    = 0x01
	formatU2      = 0x02
	formatU4      = 0x03
	formatU8      = 0x04
	formatSigned  = 0x08 // 8 bytes
	formatSLEB    = 0x09
	formatS2      = 0x0a
	formatS4      = 0x0b
	formatS8      = 0x0c

	fromZero     = 0x00
	fromHere     = 0x10
	fromText     = 0x20
	fromData     = 0x30
	fromFunction = 0x40
	fromAligned  = 0x50 // zero, the pointer is aligned to 8 bytes
)

// bases are the base addresses of pointers.
type bases struct {
	end                  uint64 // address of the end of the cursor's bytes
	text, data, function uint64
}

// readPointer reads an encoded pointer. Indirect pointers fail, since they are in the memory
// of a process.
func readPointer(c *cursor.Cursor, encoding byte, from *bases) uint64 {
	here := from.end - uint64(c.Len())
	var v uint64
	switch encoding & pointerBase {
	case fromZero:
	case fromHere:
		v = here
	case fromText:
		v = from.text
	case fromData:
		v = from.data
	case fromFunction:
		v = from.function
	case fromAligned:
		c.Skip(-here & 7)
	default:
		c.Fail()
	}
	v += readUnbased(c, encoding)
	if encoding&pointerIndirect != 0 {
		c.Fail()
	}
	return v
}

// readUnbased reads an encoded pointer without adding its base.
func readUnbased(c *cursor.Cursor, encoding byte) uint64 {
	switch encoding & pointerFormat {
	case formatAddress, formatU8, formatSigned, formatS8:
		return c.U64()
	case formatULEB:
		return c.Uleb()
	case formatSLEB:
		return uint64(c.Sleb())
	case formatU2:
		return uint64(c.U16())
	case formatS2:
		return uint64(int16(c.U16()))
	case formatU4:
		return uint64(c.U32())
	case formatS4:
		return uint64(int32(c.U32()))
	}
	c.Fail()
	return 0
}

// pointerSize returns the size in bytes of pointers of an encoding, or 0 if it varies.
func pointerSize(encoding byte) uint64 {
	switch encoding & pointerFormat {
	case formatU2, formatS2:
		return 2
	case formatU4, formatS4:
		return 4
	case formatAddress, formatU8, formatSigned, formatS8:
		return 8
	}
	return 0
}
