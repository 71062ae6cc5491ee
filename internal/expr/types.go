package expr

import "strconv"

// A Type is the type of a value: an integer or a string.
type Type struct {
	Size   uint8 // bytes of an integer: 1, 2, 4 or 8; 0 for a string
	Signed bool
}

// Types of results.
var (
	S32  = Type{4, true}
	U32  = Type{4, false}
	S64  = Type{8, true}
	U64  = Type{8, false}
	Text = Type{}
)

// String returns the type as events spell it: s32, u64, string.
func (t Type) String() string {
	switch {
	case t == Text:
		return "string"
	case t.Signed:
		return "s" + strconv.Itoa(int(t.Size)*8)
	}
	return "u" + strconv.Itoa(int(t.Size)*8)
}

// Extend extends the low bytes of v, a value of the type, to 64 bits. All values are kept
// in this form.
func (t Type) Extend(v uint64) uint64 {
	if t.Size == 0 || t.Size >= 8 {
		return v
	}
	shift := 64 - 8*uint(t.Size)
	if t.Signed {
		return uint64(int64(v<<shift) >> shift)
	}
	return v << shift >> shift
}

// promoted applies C's integer promotion.
func (t Type) promoted() Type {
	if t.Size < 4 {
		return S32
	}
	return t
}

// common returns the type that C converts two operands to.
func common(a, b Type) Type {
	a, b = a.promoted(), b.promoted()
	switch {
	case a.Size > b.Size:
		return a
	case b.Size > a.Size:
		return b
	case !a.Signed:
		return a
	}
	return b
}

// bounds returns the least and the greatest extended value.
func (t Type) bounds() (least, greatest uint64) {
	top := uint64(1) << (8*uint(t.Size) - 1)
	if t.Signed {
		return -top, top - 1
	}
	return 0, top | (top - 1)
}

// less compares two extended values of the type.
func (t Type) less(a, b uint64) bool {
	if t.Signed {
		return int64(a) < int64(b)
	}
	return a < b
}
