package event

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"trapline/internal/glob"
)

// kernelFunction parses [MODULE:]FUNCTION[@FILE][:LINE|+OFFSET] or an address.
func (p *parser) kernelFunction(e *Event, at int, text string) error {
	at, text, err := p.module(e, at, text)
	if err != nil {
		return err
	}
	if startsWithDigit(text) {
		address, ok := parseNumber(text)
		switch {
		case !ok || address == 0:
			return p.fail(at, "not an address: expected a number, such as 0xffffffff81234567")
		case !e.Syntax.Addresses:
			return p.fail(at, e.Syntax.Name()+" takes no address: write a function")
		case e.Module != "":
			return p.fail(at, "an address has no module")
		}
		e.Offset = address
		return nil
	}
	if isRegexp, err := p.regexp(e, at, text); isRegexp || err != nil {
		return err
	}
	name, err := p.suffixes(e, at, text)
	if err != nil {
		return err
	}
	e.Name = name
	if glob.HasMeta(name) {
		e.Match = MatchGlob
		if e.Offset != 0 || e.Line != 0 {
			return p.fail(at, "a pattern of functions takes no offset and no line")
		}
		return p.pattern(at, name, "kernel function")
	}
	return p.kernelName(at, name, "a kernel function")
}

// userProbe parses BINARY:FUNCTION…, BINARY:OFFSET or BINARY@FILE:LINE.
func (p *parser) userProbe(e *Event, at int, text string) error {
	end, err := p.binary(e, at, text)
	if err != nil {
		return err
	}
	rest := text[end:]
	if i := strings.LastIndexByte(text[:end], '@'); i > 0 && text[0] != '"' && isNumber(strings.TrimPrefix(rest, ":")) {
		e.Binary = text[:i]
		rest, end = text[i:], i
	}
	if file, line, ok := cutLine(rest); ok && strings.HasPrefix(file, "@") {
		return p.sourceLine(e, at+end+1, file[1:], at+end+len(file)+1, line)
	}
	function, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return p.fail(at+end, "expected \":\" and a function or a file offset")
	}
	at += end + 1
	if function == "" {
		return p.fail(at, "expected a function or a file offset")
	}
	if startsWithDigit(function) {
		offset, ok := parseNumber(function)
		if !ok {
			return p.fail(at, "not a file offset: expected a number, such as 0x1040")
		}
		e.Offset = offset
		return nil
	}
	if cpp, ok := strings.CutPrefix(function, "cpp:"); ok && !strings.HasPrefix(cpp, ":") {
		at, function = at+len("cpp:"), cpp // bpftrace's marker for C++ names
	}
	return p.userFunction(e, at, function)
}

// sourceLine takes FILE:LINE.
func (p *parser) sourceLine(e *Event, at int, file string, lineAt int, line string) error {
	if err := p.sourceFile(e, at, file); err != nil {
		return err
	}
	n, err := strconv.Atoi(line)
	if err != nil || n < 1 || n > maxLine {
		return p.fail(lineAt, "lines count from 1")
	}
	if e.Syntax.AtReturn() {
		return p.fail(lineAt, e.Syntax.Name()+" takes no line")
	}
	e.Line = n
	return nil
}

func (p *parser) sourceFile(e *Event, at int, file string) error {
	for i := range len(file) {
		if !isNameByte(file[i]) && file[i] != '/' && file[i] != '-' {
			return p.fail(at+i, "not a character of names of source files")
		}
	}
	if file == "" {
		return p.fail(at, "expected the name of a source file")
	}
	e.Source = file
	return nil
}

// goReceiver matches the pointer type in the name of a Go method: main.(*T).Run.
var goReceiver = regexp.MustCompile(`\(\*[\w.]+(\[[^]]*\])?\)`)

// characterClass matches a class of characters that cannot be part of a name. The types
// in brackets of Go's generic functions contain no hyphen and do not start with ! or ^.
var characterClass = regexp.MustCompile(`\[([!^][^\]]+|\w-\w[\w-]*)\]`)

// isUserPattern reports whether the name of a user program's function is a glob. Stars in
// the parameters of C++ functions and in Go receivers do not make it one. Quoted names
// are never globs.
func isUserPattern(name string) bool {
	name = goReceiver.ReplaceAllString(name, "")
	if strings.Contains(name, "(") {
		return false
	}
	open := strings.IndexByte(name, '{')
	return strings.ContainsAny(name, `*?\`) || characterClass.MatchString(name) || open >= 0 && strings.Contains(name[open:], ",")
}

// userFunction parses FUNCTION[@FILE][:LINE|+OFFSET].
func (p *parser) userFunction(e *Event, at int, text string) error {
	if isRegexp, err := p.regexp(e, at, text); isRegexp || err != nil {
		return err
	}
	quotes := quotedEnd(text)
	rest, err := p.suffixes(e, at+quotes, text[quotes:])
	if err != nil {
		return err
	}
	if quotes > 0 {
		if rest != "" {
			return p.fail(at+quotes, "expected +OFFSET or the end of the probe")
		}
		if e.Name, _ = unquote(text[:quotes]); e.Name == "" {
			return p.fail(at, "expected a function")
		}
		return nil
	}
	if rest == "" {
		return p.fail(at, "expected a function")
	}
	if i := strings.IndexByte(rest, '"'); i >= 0 {
		return p.fail(at+i, "quotes must enclose the whole name")
	}
	if rest[0] == '/' {
		return p.fail(at, "expected a function, not a path: a path goes before the colon")
	}
	e.Name = rest
	if !isUserPattern(rest) {
		return nil
	}
	e.Match = MatchGlob
	if e.Offset != 0 || e.Line != 0 {
		return p.fail(at, "a pattern of functions takes no offset and no line: quote the name if it is not a pattern")
	}
	if again, err := p.suffixes(&Event{Syntax: e.Syntax}, at, rest); err != nil || again != rest {
		return p.fail(at, "a pattern cannot end like this")
	}
	if _, err := glob.Parse(rest); err != nil {
		return p.fail(at, err.Error())
	}
	return nil
}

// regexp parses ~/REGEXP/.
func (p *parser) regexp(e *Event, at int, text string) (bool, error) {
	if !strings.HasPrefix(text, "~/") {
		return false, nil
	}
	end := regexpEnd(text)
	if end < 0 {
		return true, p.fail(at, "the regular expression is not closed: expected ~/REGEXP/")
	}
	if end != len(text) {
		return true, p.fail(at+end, "expected the end of the probe")
	}
	e.Match = MatchRegexp
	e.Name = strings.ReplaceAll(text[2:end-1], `\/`, "/")
	if e.Name == "" {
		return true, p.fail(at, "the regular expression is empty")
	}
	if _, err := regexp.Compile(e.Name); err != nil {
		return true, p.fail(at+2, err.Error())
	}
	return true, nil
}

// maxLine bounds line numbers.
const maxLine = 1 << 30

// suffixes cuts [@FILE][:LINE|+OFFSET] off a function's name.
func (p *parser) suffixes(e *Event, at int, text string) (string, error) {
	text, err := p.cutOffset(e, at, text)
	if err != nil {
		return "", err
	}
	if function, line, ok := cutLine(text); ok {
		n, err := strconv.Atoi(line)
		switch {
		case err != nil || n > maxLine:
			return "", p.fail(at+len(function)+1, "the line is too large")
		case e.Offset != 0 || e.Syntax.AtReturn():
			return "", p.fail(at+len(function), "a line takes no offset and no return")
		}
		text, e.Line = function, n
	}
	if i := strings.LastIndexByte(text, '@'); i >= 0 && looksLikeSource(text[i+1:]) {
		if err := p.sourceFile(e, at+i+1, text[i+1:]); err != nil {
			return "", err
		}
		text = text[:i]
	}
	return text, nil
}

// cutOffset cuts +OFFSET off a function's name.
func (p *parser) cutOffset(e *Event, at int, text string) (string, error) {
	plus := strings.LastIndexByte(text, '+')
	if plus < 0 || plus+1 < len(text) && !startsWithDigit(text[plus+1:]) || plus+1 == len(text) && e.Syntax.InPrograms {
		return text, nil // operator+, operator++
	}
	offset, ok := parseNumber(text[plus+1:])
	if !ok {
		return "", p.fail(at+plus+1, "not an offset: expected a number, such as 16 or 0x10")
	}
	if offset != 0 && !e.Syntax.Offsets {
		return "", p.fail(at+plus, e.Syntax.Name()+" takes no offset")
	}
	e.Offset = offset
	return text[:plus], nil
}

// cutLine splits text at its last colon if a number follows. The :: of C++ does not
// count.
func cutLine(text string) (before, line string, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i < 0 || i > 0 && text[i-1] == ':' || !isNumber(text[i+1:]) {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// sourceSuffixes distinguish source files from symbol versions and Go methods.
var sourceSuffixes = []string{"c", "cc", "cpp", "cxx", "C", "h", "hh", "hpp", "hxx", "inc", "ipp", "tcc", "go", "rs", "s", "S", "m", "mm", "d", "zig", "y", "l", "f", "f90", "pas", "adb"}

func looksLikeSource(s string) bool {
	if strings.ContainsAny(s, "(<\"@") {
		return false
	}
	i := strings.LastIndexByte(s, '.')
	return i > 0 && slices.Contains(sourceSuffixes, s[i+1:]) || strings.Contains(s, "/") && !strings.ContainsAny(s, ".:")
}
