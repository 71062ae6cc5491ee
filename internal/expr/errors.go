package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// An Error is what is wrong with an expression, and where.
type Error struct {
	Source  string // the expression
	Offset  int    // bytes before the part that is wrong
	Length  int    // bytes of that part
	Message string
}

// Error returns the message, then the expression and a line that points at the
// part that is wrong.
func (e *Error) Error() string {
	before := e.Source[:min(e.Offset, len(e.Source))]
	part := e.Source[len(before):min(e.Offset+e.Length, len(e.Source))]
	// A terminal may show control characters as nothing, or as more than one column.
	clean := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, s)
	}
	return fmt.Sprintf("%s\n  %s\n  %s%s", e.Message, clean(e.Source),
		strings.Repeat(" ", utf8.RuneCountInString(before)), strings.Repeat("^", max(1, utf8.RuneCountInString(part))))
}
