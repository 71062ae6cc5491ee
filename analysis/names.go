package analysis

import (
	"path"
	"strconv"
	"strings"

	"trapline/format"
)

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

// dso is what perf calls the shared object.
func (c *Call) dso() string {
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

// Chain appends the calls of a hit to dst, innermost first: the kernel's, then the
// user's. Stand-ins for what was cut are included.
func Chain(dst []*Call, kernel, user *Stack) []*Call {
	if kernel != nil {
		dst = append(dst, kernel.Calls...)
	}
	if user != nil {
		dst = append(dst, user.Calls...)
	}
	return dst
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
