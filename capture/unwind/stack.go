package unwind

// Registers are the general registers of an interrupted x86-64 task by DWARF number, with
// the program counter at RegIP.
type Registers struct {
	Value [17]uint64
	Known uint32 // bit n means that Value[n] is known
}

// Memory is a copy of a part of a stack. Base is the address of its first byte.
type Memory struct {
	Base  uint64
	Bytes []byte
}

// A Finder finds the image mapped at an address.
type Finder interface {
	// Find returns the image and the offset in its file. The image is nil if its unwind
	// information is unknown (code generated at run time, an unreadable file). ok is
	// false if nothing executable is mapped there.
	Find(address uint64) (image *Image, offset uint64, ok bool)
}

// A Frame is one frame of an unwound stack.
type Frame struct {
	Address uint64
	// Return means that the address is a return address; the call precedes it.
	Return bool
	// Image and Offset are what Find returned.
	Image  *Image
	Offset uint64
	Rule   Rule // the step to the next frame; RuleNone in the last frame if none was found
	// Guessed means that the step used FramePointerRule for lack of unwind information.
	Guessed bool
}

// A Cut is the reason why unwinding ended.
type Cut uint8

const (
	CutNone       Cut = iota // at the outermost frame
	CutDepth                 // at the limit on frames
	CutUnreadable            // at memory that was not copied
	CutNoRule                // at a frame that cannot be stepped from
)

func (r *Registers) get(n uint64) (uint64, bool) {
	if n >= registers || r.Known>>n&1 == 0 {
		return 0, false
	}
	return r.Value[n], true
}

func (r *Registers) set(n int, v uint64) {
	r.Value[n] = v
	r.Known |= 1 << n
}

// pieces are the copied parts of a stack.
type pieces []Memory

// load reads a number of 1, 2, 4 or 8 bytes. It returns false if one piece does not hold all of it.
func (p pieces) load(address, size uint64) (uint64, bool) {
	for i := range p {
		m := &p[i]
		if at, n := address-m.Base, uint64(len(m.Bytes)); at <= n && size <= n-at {
			return littleEndian(m.Bytes[at : at+size])
		}
	}
	return 0, false
}
