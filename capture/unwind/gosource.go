package unwind

import (
	"bytes"
	"encoding/binary"
	"sync"

	"trapline/internal/gotable"
)

// A goSource uses the function table that every Go program has, stripped or not: the
// depth of the stack at each instruction (pcsp). It takes from the code what the table
// omits: whether a function has saved the frame pointer yet, and where functions that
// switch stacks keep the old stack pointer.
type goSource struct {
	image    *Image
	table    *gotable.Table
	switches sync.Map // goFlow by index of the function
}

// openGoTable finds Go's table. It returns nil if there is none.
func (m *Image) openGoTable() source {
	t := gotable.Open(m.file)
	if t == nil {
		return nil
	}
	return &goSource{image: m, table: t}
}

// row implements source.
func (s *goSource) row(vaddr uint64) (row, bool) {
	index := s.table.Find(vaddr)
	if index < 0 {
		return row{}, false
	}
	f, ok := s.table.Function(index)
	if !ok {
		return row{}, false
	}
	if f.StackOff == 0 { // C code that Go's linker included
		r := s.flow(index, &f).row(vaddr)
		return r, r.kind == RuleStep
	}
	switch flags := s.flags(&f); {
	case flags&gotable.FlagTopFrame != 0:
		return row{kind: RuleEnd}, true
	case flags&gotable.FlagSPWrite != 0:
		return s.flow(index, &f).row(vaddr), true
	}
	d, ok := s.depth(&f, vaddr)
	if !ok {
		return row{}, false
	}
	r := goRow(RegSP, int64(d.now)+8)
	if d.now < 0 {
		// rawVforkSyscall pops its return address, since the child will use the stack.
		var before [2]byte
		if d.now != -8 || s.image.readCode(d.since-2, before[:]) != len(before) || before != popR12 {
			return row{}, false
		}
		r.regs[RegIP] = registerRule{kind: ruleRegister, reg: 12}
	}
	if d.now > 0 && s.savesFP(&d, vaddr) {
		r.regs[RegFP] = registerRule{kind: ruleOffset, offset: -16}
	}
	r.signal = s.injected(&f)
	return r, true
}

// maxGoFlow is the maximum size of a function in bytes. The longest of the runtime has 400.
const maxGoFlow = 8 << 10

// flow returns the flow of a function.
func (s *goSource) flow(index int, f *gotable.Function) *goFlow {
	if flow, ok := s.switches.Load(index); ok {
		return flow.(*goFlow)
	}
	flow := &goFlow{table: s.table, f: *f, asmcgocall: s.table.Named(f.NameOff, "runtime.asmcgocall")}
	for _, name := range []string{"gogo", "runtime.gogo", "runtime.mcall", "runtime.morestack", "runtime.clone"} {
		flow.leaves = flow.leaves || s.table.Named(f.NameOff, name)
	}
	if size := s.table.Entry(index+1) - f.Entry; size <= maxGoFlow {
		code := make([]byte, size)
		if s.image.readCode(f.Entry, code) == len(code) && flow.decode(code) {
			flow.follow()
		}
	}
	s.switches.Store(index, flow)
	return flow
}

// flags returns a function's flags. Go 1.16 has none: there they follow from its name.
func (s *goSource) flags(f *gotable.Function) uint8 {
	flags := f.Flags
	if flags == 0 && s.table.Flagless() {
		flags = goFlags[s.table.Name(f.NameOff)]
	}
	if flags&gotable.FlagTopFrame != 0 && s.table.Named(f.NameOff, "runtime.sigtramp") {
		// For Go its signal stack ends there, but the interrupted frames follow.
		flags &^= gotable.FlagTopFrame
	}
	return flags
}

var goFlags = map[string]uint8{
	"runtime.rt0_go": gotable.FlagTopFrame, "runtime.mstart": gotable.FlagTopFrame, "runtime.goexit": gotable.FlagTopFrame,
	"runtime.gogo": gotable.FlagSPWrite, "runtime.mcall": gotable.FlagSPWrite, "runtime.morestack": gotable.FlagSPWrite,
	"runtime.systemstack": gotable.FlagSPWrite, "runtime.asmcgocall": gotable.FlagSPWrite, "runtime.cgocallback": gotable.FlagSPWrite,
	"runtime.clone": gotable.FlagSPWrite, "runtime.sigfwd": gotable.FlagSPWrite,
	"runtime.nanotime1": gotable.FlagSPWrite, "runtime.walltime1": gotable.FlagSPWrite, "time.now": gotable.FlagSPWrite,
	"runtime.callCgoSigaction": gotable.FlagSPWrite, "runtime.callCgoMmap": gotable.FlagSPWrite, "runtime.callCgoMunmap": gotable.FlagSPWrite,
}

// injected reports whether the runtime makes threads call a function at any instruction.
// Its return address is then the interrupted instruction (preparePanic and doSigPreempt in
// runtime/signal_amd64.go).
func (s *goSource) injected(f *gotable.Function) bool {
	for _, name := range []string{"runtime.asyncPreempt", "runtime.sigpanic", "runtime.sigpanic0"} {
		if s.table.Named(f.NameOff, name) {
			return true
		}
	}
	return false
}

// A goDepth holds the depth of a function's stack below the return address, in bytes.
type goDepth struct {
	now    int32  // at the requested address
	since  uint64 // address where that depth starts
	first  int32  // first depth other than 0
	opened uint64 // address where first starts
}

func (s *goSource) depth(f *gotable.Function, vaddr uint64) (d goDepth, ok bool) {
	start := f.Entry
	s.table.Values(f.StackOff, f.Entry, func(end uint64, depth int32) bool {
		if d.first == 0 {
			d.first, d.opened = depth, start
		}
		d.now, d.since, ok = depth, start, vaddr < end
		start = end
		return !ok
	})
	return d, ok
}

// savesFP reports whether a function that has allocated its frame has also saved the
// caller's frame pointer, always at CFA-16. Compiler and assembler push it first. Before
// Go 1.21 they allocated the whole frame first and then stored it (preprocess in
// cmd/internal/obj/x86/obj6.go).
func (s *goSource) savesFP(d *goDepth, vaddr uint64) bool {
	const before = 2
	var room [before + 8]byte
	if d.opened < before || s.image.readCode(d.opened-before, room[:]) != len(room) {
		return false
	}
	code := room[before:]
	if d.first == 8 && room[1] == pushFP {
		// push %r13 ends with the same byte. After a real push, the frame pointer is set at once.
		return room[0] != prefixREXB || bytes.HasPrefix(code, moveSPToFP)
	}
	store, size := storeFP(d.first - 8)
	return bytes.HasPrefix(code, store) && vaddr >= d.opened+uint64(size)
}

const (
	pushFP     = 0x55 // push %rbp
	prefixREXB = 0x41 // before pushFP: push %r13
)

var (
	moveSPToFP = []byte{0x48, 0x89, 0xe5} // mov %rsp, %rbp
	popR12     = [...]byte{0x41, 0x5c}    // pop %r12
)

// storeFP returns the instruction mov %rbp, offset(%rsp).
func storeFP(offset int32) (code []byte, size int) {
	switch {
	case offset == 0:
		code = []byte{0x48, 0x89, 0x2c, 0x24}
	case offset == int32(int8(offset)):
		code = []byte{0x48, 0x89, 0x6c, 0x24, byte(offset)}
	default:
		code = binary.LittleEndian.AppendUint32([]byte{0x48, 0x89, 0xac, 0x24}, uint32(offset))
	}
	return code, len(code)
}
