package event

import (
	"strconv"
	"strings"
)

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// QuoteBinary quotes the name of a file if the grammar would split it.
func QuoteBinary(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"'\\,:;|=(){}<>[]@") {
		return s
	}
	return doubleQuoted(s)
}

// QuoteFunction quotes the name of a user program's function if the grammar would split
// it.
func QuoteFunction(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"'\\,:;|=(){}<>[]+/*?@%~") && !startsWithDigit(s) {
		return s
	}
	return doubleQuoted(s)
}

func doubleQuoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// parseNumber parses a decimal number, or a hexadecimal one with 0x.
func parseNumber(s string) (uint64, bool) {
	base := 10
	if digits, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = digits, 16
	}
	if strings.HasPrefix(s, "+") {
		return 0, false
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil
}

// isNameByte reports whether c may be part of a kernel symbol or tracepoint name.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '$'
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) || s[i] == '.' || s[i] == '$' {
			return false
		}
	}
	return s != "" && !startsWithDigit(s)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// CutBinary splits BINARY:REST. The binary may be quoted.
func CutBinary(text string) (binary, rest string) {
	end := quotedEnd(text)
	if end == 0 {
		binary, rest, _ = strings.Cut(text, ":")
		return binary, rest
	}
	binary, _ = unquote(text[:end])
	return binary, strings.TrimPrefix(text[end:], ":")
}

// unquote returns the text of a quoted name, and any other text unchanged. The scanner
// has checked that quotes are closed.
func unquote(s string) (text string, quoted bool) {
	if len(s) < 2 || s[0] != '"' {
		return s, false
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i+1 < len(s)-1 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

// quotedEnd returns the length of the quoted name at the start of s, or 0.
func quotedEnd(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
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

// regexpEnd returns the length of the ~/REGEXP/ at the start of text, or -1 if it is not
// closed.
func regexpEnd(text string) int {
	for i := 2; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '/':
			return i + 1
		}
	}
	return -1
}

const identifierBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
