package probe

import (
	"strings"

	"trapline/format"
)

func (p *parser) kernelFunction(e *Event, at int, text string) error {
	if module, function, ok := strings.Cut(text, ":"); ok {
		e.Module = module
		for i := range len(module) {
			if !isNameByte(module[i]) && module[i] != '-' {
				return p.fail(at+i, "not a character of module names")
			}
		}
		if module == "" {
			return p.fail(at, "empty module name")
		}
		at, text = at+len(module)+1, function
	}
	name, err := p.cutOffset(e, at, text)
	if err != nil {
		return err
	}
	if startsWithDigit(name) {
		return p.fail(at, "addresses cannot be probed: write FUNCTION+OFFSET")
	}
	e.Name = name
	return p.kernelName(at, name, "a kernel function")
}

// cutOffset takes +OFFSET off the end of a function's name.
func (p *parser) cutOffset(e *Event, at int, text string) (string, error) {
	plus := strings.LastIndexByte(text, '+')
	if plus < 0 || plus+1 < len(text) && !startsWithDigit(text[plus+1:]) || plus+1 == len(text) && e.inUserSpace() {
		return text, nil // operator+, operator++
	}
	offset, ok := parseNumber(text[plus+1:])
	if !ok {
		return "", p.fail(at+plus+1, "not an offset: expected a number, such as 16 or 0x10")
	}
	if offset != 0 && e.Kind != format.ProbeKprobe && e.Kind != format.ProbeUprobe {
		return "", p.fail(at+plus, e.Kind.String()+" takes no offset")
	}
	e.Offset = offset
	return text[:plus], nil
}

func (p *parser) kernelName(at int, name, what string) error {
	if name == "" {
		return p.fail(at, "expected the name of "+what)
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c == ':':
			return p.fail(at+i, "modifiers are not supported")
		case c == '/':
			return p.fail(at+i, "filters are not supported")
		case strings.IndexByte("*?[{", c) >= 0:
			return p.fail(at+i, "globs are supported in tracepoints only")
		case !isNameByte(c):
			return p.fail(at+i, "not a character of names of "+strings.TrimPrefix(what, "a ")+"s")
		}
	}
	return nil
}

func (p *parser) userFunction(e *Event, at int, text string) error {
	end := quotedEnd(text)
	if end == 0 {
		if end = strings.IndexByte(text, ':'); end < 0 {
			end = len(text)
		}
	}
	e.Binary, _ = unquote(text[:end])
	if e.Binary == "" {
		return p.fail(at, "expected a program or library")
	}
	function, ok := strings.CutPrefix(text[end:], ":")
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
	quotes := quotedEnd(function)
	rest, err := p.cutOffset(e, at+quotes, function[quotes:])
	if err != nil {
		return err
	}
	if quotes > 0 {
		if rest != "" {
			return p.fail(at+quotes, "expected +OFFSET or the end of the probe")
		}
		if e.Name, _ = unquote(function[:quotes]); e.Name == "" {
			return p.fail(at, "expected a function")
		}
		return nil
	}
	if rest == "" {
		return p.fail(at, "expected a function")
	}
	if i := strings.IndexAny(rest, "*?"); i >= 0 && !strings.Contains(rest, "(") {
		return p.fail(at+i, "globs are supported in tracepoints only")
	}
	if i := strings.IndexByte(rest, '"'); i >= 0 {
		return p.fail(at+i, "quotes must stand around the whole name")
	}
	e.Name = rest
	return nil
}
