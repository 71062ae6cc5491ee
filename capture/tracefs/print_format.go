package tracefs

import "strings"

// A printing says how a tracepoint's print format shows a field.
type printing struct {
	hex    bool // %x, %p
	char   bool // %c
	symbol bool // %pS and similar: an address in code
	text   bool // __get_str
	bytes  bool // __print_hex
}

// parsePrintFormat parses `"FORMAT", ARGUMENT, …`. It understands arguments that are a
// field, with or without casts, and ignores all others and malformed text.
func parsePrintFormat(text string) map[string]printing {
	printed := make(map[string]printing)
	conversions, rest := parseConversions(text)
	args := splitArguments(rest)
	for i, arg := range args {
		for _, call := range []string{"__get_str(", "__get_rel_str("} {
			if name, ok := callArgument(arg, call); ok {
				p := printed[name]
				p.text = true
				printed[name] = p
			}
		}
		for _, call := range []string{"__get_dynamic_array(", "__get_rel_dynamic_array("} {
			if _, inner, ok := strings.Cut(arg, "__print_hex"); ok {
				if name, ok := callArgument(inner, call); ok {
					p := printed[name]
					p.bytes = true
					printed[name] = p
				}
			}
		}
		name, ok := plainField(arg)
		if !ok || i >= len(conversions) {
			continue
		}
		p := printed[name]
		switch c := conversions[i]; {
		case len(c) == 2 && c[0] == 'p' && strings.IndexByte("SsFfB", c[1]) >= 0:
			p.symbol = true
		case c[0] == 'p', c == "x", c == "X":
			p.hex = true
		case c == "c":
			p.char = true
		}
		printed[name] = p
	}
	return printed
}

// parseConversions parses the string literals at the start of text. It returns one entry
// for each argument that they consume: the letter of the conversion, with the kernel's
// extensions after p (Documentation/core-api/printk-formats.rst).
func parseConversions(text string) (conversions []string, rest string) {
	for {
		text = strings.TrimLeft(text, " \t\n")
		if text == "" || text[0] != '"' {
			return conversions, text
		}
		end := quotedEnd(text)
		if end == 0 {
			return conversions, ""
		}
		conversions = appendConversions(conversions, text[1:end-1])
		text = text[end:]
	}
}

func appendConversions(list []string, s string) []string {
	for {
		_, after, ok := strings.Cut(s, "%")
		if !ok {
			return list
		}
		s = after
		for s != "" && strings.IndexByte("-+ #0123456789.*hlLqjzt", s[0]) >= 0 {
			if s[0] == '*' {
				list = append(list, "*")
			}
			s = s[1:]
		}
		if s == "" {
			return list
		}
		n := 1
		if s[0] == 'p' {
			for n < len(s) && s[n] != '_' && isWord(s[n]) {
				n++
			}
		}
		if s[0] != '%' {
			list = append(list, s[:n])
		}
		s = s[n:]
	}
}

// splitArguments splits s at commas outside brackets and quotes.
func splitArguments(s string) []string {
	var args []string
	depth, start := 0, -1
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			n := quotedEnd(s[i:])
			if n == 0 {
				return args
			}
			i += n - 1
		case '(', '{', '[':
			depth++
		case ')', '}', ']':
			depth--
		case ',':
			if depth != 0 {
				continue
			}
			if start >= 0 {
				args = append(args, strings.TrimSpace(s[start:i]))
			}
			start = i + 1
		}
	}
	if start >= 0 {
		args = append(args, strings.TrimSpace(s[start:]))
	}
	return args
}

// callArgument returns the identifier that the first call of a macro takes.
func callArgument(s, call string) (string, bool) {
	_, after, ok := strings.Cut(s, call)
	if !ok {
		return "", false
	}
	name, _, ok := strings.Cut(after, ")")
	name = strings.TrimSpace(name)
	return name, ok && isIdentifier(name)
}

// plainField returns the field in REC->field and REC->field[N], with or without
// parentheses and casts.
func plainField(s string) (string, bool) {
	for range 16 { // more casts and parentheses than macros expand to
		s = strings.TrimSpace(s)
		if name, ok := strings.CutPrefix(s, "REC->"); ok {
			if before, index, ok := strings.Cut(name, "["); ok && strings.HasSuffix(index, "]") && !strings.ContainsAny(index, " +-") {
				name = before
			}
			return name, isIdentifier(name)
		}
		if s == "" || s[0] != '(' {
			return "", false
		}
		end := closing(s)
		switch {
		case end < 0:
			return "", false
		case end == len(s)-1: // (expression)
			s = s[1:end]
		case isCast(s[1:end]):
			s = s[end+1:]
		default:
			return "", false
		}
	}
	return "", false
}

// closing returns the index of the parenthesis that closes the first byte, or -1.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// isCast reports whether the text in parentheses may be a type.
func isCast(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isWord(c) && c != ' ' && c != '*' {
			return false
		}
	}
	return strings.TrimSpace(s) != ""
}

// quotedEnd returns the length of the string literal at the start of s, or 0 if it is not
// closed.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// isIdentifier reports whether s is a C identifier.
func isIdentifier(s string) bool {
	for i := range len(s) {
		if !isWord(s[i]) {
			return false
		}
	}
	return s != "" && (s[0] < '0' || s[0] > '9')
}

// isWord reports whether c may be part of a C identifier.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}
