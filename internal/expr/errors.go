package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// An Error describes what is wrong with an expression, and where.
type Error struct {
	Source  string // the expression
	Offset  int    // of the wrong part, in bytes
	Length  int    // of the wrong part, in bytes
	Message string
}

// Error returns the message, the expression, and a line that marks the wrong part.
func (e *Error) Error() string {
	before := e.Source[:min(e.Offset, len(e.Source))]
	part := e.Source[len(before):min(e.Offset+e.Length, len(e.Source))]
	// Control characters may take no column on a terminal, or several.
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
