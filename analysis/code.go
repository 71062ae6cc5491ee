package analysis

import (
	"path"
	"strconv"
	"strings"

	"trapline/format"
)

// An Image is a file or region that code runs from. Equal images of all segments
// and captures are one pointer.
type Image struct {
	Kind    format.ImageKind
	Path    string // as the recorded process saw it
	BuildID string // lower-case hex; "" when unknown
}

// A Call is one function activation at a code address. The calls of equal frames
// are the same pointers.
type Call struct {
	Function string // demangled, or as linked when demangling is off; "" when the address has no name
	Linkage  string // as in the symbol table
	File     string
	Line     int    // 0 unknown
	Image    *Image // nil: no image is known
	Offset   uint64 // of the frame in Image; the address itself when Image is nil
	// FunctionOffset is the distance in bytes from the function's first
	// instruction; 0 for inlined calls.
	FunctionOffset uint64
	Kernel         bool
	Inlined        bool // into the next call of its frame
	// Guessed: the frame was found by following the frame pointer, for want of unwind
	// information, and may not be the caller.
	Guessed bool

	// Truncated marks the stand-in for the frames that are missing beyond the
	// outermost known one. Function then is "[truncated: REASON]" and nothing
	// else but Kernel is set.
	Truncated bool

	Symbol SymbolID
	Index  uint32 // dense over all calls of a result, from 1; 0: the call is of none
}

// A SymbolID identifies a function of an image within a result, so that grouping by
// function compares integers. 0 is no symbol.
type SymbolID uint32

// A Frame is one code address of a stack with the calls that it stands for:
// innermost first, so all but the last were inlined into the next one. There is
// always at least one call. Equal frames of all segments and captures are one
// pointer.
type Frame struct {
	Image  *Image // nil: no image is known
	Offset uint64 // in Image; the address itself when Image is nil
	Flags  format.FrameFlags
	Calls  []*Call
}

// A Stack is a kernel or user stack, innermost frame first. Equal stacks of all
// segments and captures are one pointer.
type Stack struct {
	Cut    format.StackCut
	Frames []*Frame
	// Calls are the calls of all frames. If the stack is cut, the last one is a
	// stand-in that says why (see [Call.Truncated]).
	Calls []*Call
}

// A CallKind is the kind of code that a call is in.
type CallKind uint8

const (
	KindUser CallKind = iota
	KindKernel
	KindInlined // inlined in user code; of what the kernel inlined, it matters more that it is the kernel's
	KindOther   // no code: a stand-in for calls that are not known
)

// Kind returns the kind of the call's code.
func (c *Call) Kind() CallKind {
	switch {
	case c.Truncated:
		return KindOther
	case c.Kernel:
		return KindKernel
	case c.Inlined:
		return KindInlined
	}
	return KindUser
}

// Name returns what reports call the image: the base name of a file, as perf's
// "Shared Object".
func (i *Image) Name() string {
	if i == nil {
		return "[unknown]"
	}
	if strings.HasPrefix(i.Path, "[") || i.Path == "" || strings.HasSuffix(i.Path, "/") {
		return i.fallback()
	}
	return path.Base(i.Path)
}

func (i *Image) fallback() string {
	switch {
	case i.Path != "":
		return i.Path
	case i.Kind == format.ImageKernel:
		return "[kernel.kallsyms]"
	case i.Kind == format.ImageVDSO:
		return "[vdso]"
	case i.Kind == format.ImageJIT:
		return "[anon]"
	case i.Kind == format.ImageBPF:
		return "[bpf]"
	}
	return "[unknown]"
}

// Name returns what reports call the function. An address without a name is
// shown as image+0xoffset, or as the bare address when no image is known, so that
// it can always be looked up later.
func (c *Call) Name() string {
	switch {
	case c.Function != "":
		return c.Function
	case c.Image == nil || c.Image.Kind == format.ImageJIT:
		return "0x" + strconv.FormatUint(c.Offset, 16)
	}
	return c.Image.Name() + "+0x" + strconv.FormatUint(c.Offset, 16)
}

// DSO returns the name of what perf calls the shared object.
func (c *Call) DSO() string {
	if c.Image == nil && c.Kernel {
		return "[kernel.kallsyms]"
	}
	return c.Image.Name()
}

// Source returns file:line with the base name of the file, as perf's srcline; if
// it is not known, the name and the distance from the function's start.
func (c *Call) Source() string {
	switch {
	case c.File != "" && c.Line > 0:
		return path.Base(c.File) + ":" + strconv.Itoa(c.Line)
	case c.File != "":
		return path.Base(c.File)
	case c.Function == "" || c.Truncated || c.Inlined:
		return c.Name()
	}
	return c.NameOffset()
}

// NameOffset returns the name with the distance from the function's start:
// do_syscall_64+0x1fa.
func (c *Call) NameOffset() string {
	if c.Function == "" || c.Truncated {
		return c.Name()
	}
	return c.Function + "+0x" + strconv.FormatUint(c.FunctionOffset, 16)
}

// Leaf returns the innermost call of a hit, kernel stack first; nil without a
// stack.
func Leaf(kernel, user *Stack) *Call {
	for _, s := range []*Stack{kernel, user} {
		if s != nil && len(s.Calls) > 0 {
			return s.Calls[0]
		}
	}
	return nil
}
