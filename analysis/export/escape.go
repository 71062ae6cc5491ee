package export

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"trapline/analysis"
)

// printable escapes every byte that is not printable UTF-8 text, as \xNN, or \uNNNN
// for characters. Names come from recorded processes. They may contain newlines,
// terminal escapes and characters that change the text direction, which neither
// line-based formats nor XML can represent.
func printable(s string) string {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] < utf8.RuneSelf-1 {
		i++
	}
	if i == len(s) {
		return s
	}
	b := append(make([]byte, 0, len(s)+16), s[:i]...)
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'x', hex[s[i]>>4], hex[s[i]&15])
		case unicode.IsPrint(r):
			b = append(b, s[i:i+n]...)
		default:
			q := strconv.AppendQuoteRuneToASCII(nil, r)
			b = append(b, q[1:len(q)-1]...)
		}
		i += n
	}
	return string(b)
}

// validText replaces each byte that is not valid UTF-8 by U+FFFD, as encoding/json
// does. It serves formats that can represent any text.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// spaceless returns printable(s) with spaces as \040, as in /proc/mounts, for
// fields that end at a space.
func spaceless(s string) string {
	return strings.ReplaceAll(printable(s), " ", `\040`)
}

func probeName(p *analysis.Probe) string {
	if p == nil || p.Name == "" {
		return "[unknown probe]"
	}
	return printable(p.Name)
}

// imagePath returns the name of an image in lists of frames.
func imagePath(i *analysis.Image) string {
	if i == nil || i.Path == "" {
		return i.Name()
	}
	return i.Path
}
