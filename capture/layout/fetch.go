package layout

// A Fetch is one value that a program reads into the record of a hit. It starts at a
// base, takes steps through memory, and reads the value where they lead. It mirrors
// struct fetch in bpf/fetch.h.
type Fetch struct {
	Base     FetchBase
	Word     uint8  // FetchContext: which 8-byte word
	Constant uint64 // added to the base
	Steps    []FetchStep

	// Indexed: word Index of the context, shifted left by Scale, is added to the base.
	Indexed      bool
	Index, Scale uint8

	As    FetchAs
	Space Space  // memory that the final address is in, unless As is FetchNumber
	Max   uint16 // bytes of a block; maximum length of text and bytes

	// For a number, the value is byte-swapped if Swap is set, shifted left, and then
	// shifted right, which leaves its bits. Signed extends the sign.
	Swap, Signed bool
	Left, Right  uint8

	// LengthOf is the number, counted from 1, of an earlier fetch whose value is the
	// length of these bytes. 0 means that the length is Max.
	LengthOf uint8
	// Hidden marks a length that is not an argument by itself.
	Hidden bool
}

// A FetchBase is the start of a fetch.
type FetchBase uint8

const (
	FetchContext  FetchBase = iota // word of the context: registers (struct pt_regs), or arguments
	FetchConstant                  // 0
	FetchTask                      // address of the current task_struct
	FetchRecord                    // address of the context: a tracepoint's record
)

// A Space is the kind of memory that an address points to.
type Space uint8

const (
	NoMemory Space = iota
	KernelMemory
	UserMemory
)

// A FetchStep adds to the value. Unless Space is NoMemory, it then loads a number of Size
// bytes from the resulting address.
type FetchStep struct {
	Add   int32
	Space Space
	Size  uint8
}

// A FetchAs says what is read at the end.
type FetchAs uint8

const (
	FetchNumber FetchAs = iota
	FetchBlock          // Max bytes of memory
	FetchString         // text up to its NUL
	FetchBytes          // bytes of a given length
)

// fails reports whether the fetch reads memory, which may fail.
func (f *Fetch) fails() bool {
	if f.As != FetchNumber {
		return true
	}
	for _, s := range f.Steps {
		if s.Space != NoMemory {
			return true
		}
	}
	return false
}

// size returns the size of the fetch's slot in bytes, a multiple of 8.
func (f *Fetch) size() int {
	if f.As == FetchBlock {
		return (int(f.Max) + 7) &^ 7
	}
	return 8
}

// Narrow turns the fetch into a number of the value's low bytes.
func (f *Fetch) Narrow(size int, signed, bigEndian bool) {
	f.Signed, f.Swap = signed, bigEndian
	f.Left, f.Right = uint8(64-8*size), uint8(64-8*size)
	if bigEndian {
		f.Left = 0 // the swap has moved them to the top
	}
}

// Slots returns the offset of each fetch's slot in the record, like [Field.Offset],
// followed by the end of the slots.
func Slots(fetch []Fetch) []uint16 {
	slots := make([]uint16, 0, len(fetch)+1)
	at := CommonSize
	for i := range fetch {
		slots = append(slots, uint16(at))
		at += fetch[i].size()
	}
	return append(slots, uint16(at))
}

// Unreadable returns a fetch that always fails, to replace one that would read something
// else.
func (f Fetch) Unreadable() Fetch {
	f.Base, f.Constant, f.Indexed = FetchConstant, 0, false
	f.Steps = []FetchStep{{Space: UserMemory, Size: 8}} // nothing can be read at address 0
	return f
}

// CommonSize is the size of the common fields at the start of a trace record.
const CommonSize = 8
