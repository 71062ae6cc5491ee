package analysis

import (
	"path"
	"strconv"
	"strings"

	"trapline/format"
)

// An Image is a file or memory region that contains code. Equal images share one
// pointer across segments and captures.
type Image struct {
	Kind    format.ImageKind
	Path    string // as seen by the recorded process
	BuildID string // lower-case hex; "" if unknown
}

// A Call is one function activation at a code address. Equal frames share the
// pointers of their calls.
type Call struct {
	Function string // demangled unless Query.NoDemangle; "" for an address without a name
	Linkage  string // name in the symbol table
	File     string
	Line     int    // 0 if unknown
	Image    *Image // nil if unknown
	Offset   uint64 // of the frame in Image; the address if Image is nil
	// FunctionOffset is the distance in bytes from the first instruction of the
	// function; 0 for inlined calls.
	FunctionOffset uint64
	Kernel         bool
	Inlined        bool // into the next call of its frame
	// Guessed frames were found by following the frame pointer, because there was
	// no unwind information. They may not be the caller.
	Guessed bool

	// Truncated marks a stand-in for the missing frames beyond the outermost known
	// one. Its Function is "[truncated: REASON]"; only Kernel is set besides.
	Truncated bool

	Symbol SymbolID
	Index  uint32 // dense within a result, from 1; 0 for a call outside any result
}

// A SymbolID identifies a function of an image within a result. Grouping by
// function compares these integers. 0 means no symbol.
type SymbolID uint32

// A Frame is one code address of a stack and the calls at that address, innermost
// first: each call but the last was inlined into the next. A frame has at least one
// call. Equal frames share one pointer across segments and captures.
type Frame struct {
	Image  *Image // nil if unknown
	Offset uint64 // in Image; the address if Image is nil
	Flags  format.FrameFlags
	Calls  []*Call
}

// A Stack is a kernel or user stack, innermost frame first. Equal stacks share one
// pointer across segments and captures.
type Stack struct {
	Cut    format.StackCut
	Frames []*Frame
	// Calls are the calls of all frames. If the stack is cut, the last one is a
	// stand-in that gives the reason (see [Call.Truncated]).
	Calls []*Call
}

// A CallKind classifies the code of a call.
type CallKind uint8

const (
	KindUser CallKind = iota
	KindKernel
	KindInlined // inlined in user code; calls inlined in the kernel are KindKernel
	KindOther   // not code: a stand-in
)

// Kind returns the kind of the code of the call.
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

// Name returns the name of the image in reports: the base name of a file, as in the
// "Shared Object" column of perf.
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

// Name returns the name of the function in reports. An address without a name
// becomes image+0xoffset, or the bare address if the image is unknown, so that it
// can be looked up later.
func (c *Call) Name() string {
	switch {
	case c.Function != "":
		return c.Function
	case c.Image == nil || c.Image.Kind == format.ImageJIT:
		return "0x" + strconv.FormatUint(c.Offset, 16)
	}
	return c.Image.Name() + "+0x" + strconv.FormatUint(c.Offset, 16)
}

// DSO returns the name that perf calls the shared object.
func (c *Call) DSO() string {
	if c.Image == nil && c.Kernel {
		return "[kernel.kallsyms]"
	}
	return c.Image.Name()
}

// Source returns FILE:LINE with the base name of the file, as the srcline key of
// perf. Without a line it returns the function name with the offset.
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

// NameOffset returns the name with the distance from the start of the function,
// such as do_syscall_64+0x1fa.
func (c *Call) NameOffset() string {
	if c.Function == "" || c.Truncated {
		return c.Name()
	}
	return c.Function + "+0x" + strconv.FormatUint(c.FunctionOffset, 16)
}

// Leaf returns the innermost call of a hit, looking at the kernel stack first. It
// returns nil for a hit without stacks.
func Leaf(kernel, user *Stack) *Call {
	for _, s := range []*Stack{kernel, user} {
		if s != nil && len(s.Calls) > 0 {
			return s.Calls[0]
		}
	}
	return nil
}
