package event

import "strings"

// module cuts MODULE: off the front. A number after the last colon is a line, so the text
// before it is not a module.
func (p *parser) module(e *Event, at int, text string) (int, string, error) {
	e.Module = p.context.Module
	module, function, ok := strings.Cut(text, ":")
	if !ok || strings.HasPrefix(text, "~/") || isNumber(function) {
		return at, text, nil
	}
	for i := range len(module) {
		if !isNameByte(module[i]) && module[i] != '-' {
			return 0, "", p.fail(at+i, "not a character of module names")
		}
	}
	if module == "" {
		return 0, "", p.fail(at, "empty module name")
	}
	e.Module = module
	return at + len(module) + 1, function, nil
}

// binary parses the name of a program or library, quoted or up to the colon, and returns
// its length.
func (p *parser) binary(e *Event, at int, text string) (end int, err error) {
	if end = quotedEnd(text); end == 0 {
		if end = strings.IndexByte(text, ':'); end < 0 {
			end = len(text)
		}
	}
	e.Binary, _ = unquote(text[:end])
	if e.Binary == "" {
		return 0, p.fail(at, "expected a program or library")
	}
	if text[0] != '"' && strings.IndexByte(e.Binary, '"') >= 0 {
		return 0, p.fail(at+strings.IndexByte(text, '"'), "quotes must enclose the whole name")
	}
	return end, nil
}

func (p *parser) kernelName(at int, name, what string) error {
	if name == "" {
		return p.fail(at, "expected the name of "+what)
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c == ':':
			return p.fail(at+i, "modifiers are not supported: choose stacks and rates with [stack=k,rate=100/s]")
		case c == '/':
			return p.fail(at+i, "the predicate is not closed: expected /CONDITION/")
		case !isNameByte(c):
			return p.fail(at+i, "not a character of names of "+strings.TrimPrefix(what, "a ")+"s")
		}
	}
	return nil
}
