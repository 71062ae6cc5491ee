package layout

import (
	"fmt"
	"strings"
)

// String returns the fetch in a readable form, for tests and debugging: u4(ctx[14]+8)
// reads 4 bytes of user memory, 8 bytes after the address in word 14 of the context.
func (f *Fetch) String() string {
	var b strings.Builder
	switch f.Base {
	case FetchContext:
		fmt.Fprintf(&b, "ctx[%d]", f.Word)
	case FetchTask:
		b.WriteString("task")
	case FetchRecord:
		b.WriteString("record")
	}
	if f.Constant != 0 || f.Base == FetchConstant {
		fmt.Fprintf(&b, "+%#x", f.Constant)
	}
	value := b.String()
	for _, s := range f.Steps {
		if s.Add != 0 {
			value += fmt.Sprintf("%+d", s.Add)
		}
		if s.Space != NoMemory {
			value = fmt.Sprintf("%s%d(%s)", s.Space, s.Size, value)
		}
	}
	switch f.As {
	case FetchBlock:
		return fmt.Sprintf("%s%d(%s)", f.Space, f.Max, value)
	case FetchString:
		return fmt.Sprintf("%s-text(%s) up to %d", f.Space, value, f.Max)
	case FetchBytes:
		if f.LengthOf > 0 {
			return fmt.Sprintf("%s-bytes(%s) as many as value %d up to %d", f.Space, value, f.LengthOf-1, f.Max)
		}
		return fmt.Sprintf("%s%d(%s)", f.Space, f.Max, value)
	}
	if f.Swap {
		value += " swapped"
	}
	if f.Left != 0 {
		value += fmt.Sprintf(" << %d", f.Left)
	}
	if f.Right != 0 {
		value += fmt.Sprintf(" >> %d", f.Right)
	}
	return value
}

// String returns the letter that stands for the space in [Fetch.String].
func (s Space) String() string {
	switch s {
	case KernelMemory:
		return "k"
	case UserMemory:
		return "u"
	}
	return ""
}
