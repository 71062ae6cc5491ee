package layout

// A Fetch is one value that a program reads into the record of a hit: a base,
// from there through memory, and what is taken where that leads. It mirrors
// struct fetch in bpf/fetch.h.
type Fetch struct {
	Base     FetchBase
	Word     uint8  // FetchContext: which 8-byte word
	Constant uint64 // added to the base
	Steps    []FetchStep

	// Indexed: word Index of the context, shifted left by Scale, is added as well.
	Indexed      bool
	Index, Scale uint8

	As    FetchAs
	Space Space  // of what is not fetched as a number: where the address points
	Max   uint16 // bytes of a block; limit of text and bytes

	// A number: the whole value is byte-swapped if Swap, then shifted left, then
	// right, so that its bits remain, extended by the sign if Signed.
	Swap, Signed bool
	Left, Right  uint8

	// LengthOf is the fetch before this one, counted from 1, whose number is the
	// length of bytes; 0: Max.
	LengthOf uint8
	// Hidden marks a fetch that is no argument of its own: a length.
	Hidden bool
}

// A FetchBase is where a fetch begins.
type FetchBase uint8

const (
	FetchContext  FetchBase = iota // word of the context: registers (struct pt_regs), or arguments
	FetchConstant                  // 0
	FetchTask                      // address of the current task_struct
	FetchRecord                    // address of the context: a tracepoint's record
)

// A Space is the memory that an address belongs to.
type Space uint8

const (
	NoMemory Space = iota
	KernelMemory
	UserMemory
)

// A FetchStep adds to the value and, unless Space is NoMemory, goes on with the
// number of Size bytes in memory there.
type FetchStep struct {
	Add   int32
	Space Space
	Size  uint8
}

// A FetchAs is what is taken where the steps lead.
type FetchAs uint8

const (
	FetchNumber FetchAs = iota
	FetchBlock          // Max bytes of memory
	FetchString         // text up to its NUL
	FetchBytes          // bytes of a length
)

// fails reports whether a fetch reads memory, which may not be there.
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

// size returns how many bytes a fetch's slot takes, a multiple of 8.
func (f *Fetch) size() int {
	if f.As == FetchBlock {
		return (int(f.Max) + 7) &^ 7
	}
	return 8
}

// Narrow makes a number of the low bytes of the value.
func (f *Fetch) Narrow(size int, signed, bigEndian bool) {
	f.Signed, f.Swap = signed, bigEndian
	f.Left, f.Right = uint8(64-8*size), uint8(64-8*size)
	if bigEndian {
		f.Left = 0 // the swap has put them on top
	}
}

// Slots returns where each fetch's slot lies in the record, as [Field.Offset],
// and, behind the last, where the slots end.
func Slots(fetch []Fetch) []uint16 {
	slots := make([]uint16, 0, len(fetch)+1)
	at := CommonSize
	for i := range fetch {
		slots = append(slots, uint16(at))
		at += fetch[i].size()
	}
	return append(slots, uint16(at))
}

// Unreadable returns a fetch that fails, in the place of one that would read something
// else.
func (f Fetch) Unreadable() Fetch {
	f.Base, f.Constant, f.Indexed = FetchConstant, 0, false
	f.Steps = []FetchStep{{Space: UserMemory, Size: 8}} // nothing can be read at address 0
	return f
}

// CommonSize is the size of the common fields at the start of a trace record.
const CommonSize = 8
