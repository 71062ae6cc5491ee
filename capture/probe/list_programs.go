package probe

import (
	"maps"
	"path"
	"slices"
	"strings"

	"trapline/format"
	"trapline/internal/symbol"
)

// listPrograms lists USDT probes or functions: of one program or library, for
// BINARY:GLOB, or of all that the process has mapped, for *:GLOB and for patterns that
// name no kind.
func (r *Resolver) listPrograms(s *Selection, yield func(Listing) bool) error {
	kind := s.Kind.Kind
	ev := Event{Kind: kind, Text: s.Kind.Name() + ":" + s.text, Binary: "*"}
	match := s.match
	if !s.asked {
		if r.opt.PID == 0 {
			return nil // every program there is
		}
	} else {
		pattern := s.text
		if end := quotedEnd(pattern); end > 0 {
			ev.Binary, _ = unquote(pattern[:end])
			pattern = strings.TrimPrefix(pattern[end:], ":")
		} else {
			ev.Binary, pattern, _ = strings.Cut(pattern, ":")
		}
		if ev.Binary == "*" && r.opt.PID == 0 {
			return &InvalidError{ev.Text, "give a program or library, " + s.Kind.Name() + ":BINARY:GLOB, or a process (-p)"}
		}
		if pattern == "" {
			pattern = "*"
		}
		var err error
		if match, err = listMatcher(pattern); err != nil {
			return &SyntaxError{Text: ev.Text, Pos: strings.LastIndex(ev.Text, pattern), Reason: err.Error()}
		}
	}
	binaries, err := r.usdtBinaries(&ev)
	if err != nil {
		return err
	}
	for _, b := range binaries {
		shown := path.Base(b.path.shown)
		if strings.Contains(ev.Binary, "/") || ev.Binary == "*" {
			shown = b.path.shown
		}
		list := func(ev *Event, match matcher, verbose bool, yield func(Listing) bool) (bool, error) {
			return r.listProgramFunctions(ev, b, match, verbose, yield)
		}
		if kind == format.ProbeUSDT {
			list = b.listUSDT
		}
		more, err := list(&ev, match, s.Verbose, func(l Listing) bool {
			l.Kind, l.Name = kind, s.Kind.Name()+":"+quoteBinary(shown)+":"+l.Name
			return yield(l)
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// listProgramFunctions lists a program's functions by the names that people know.
func (r *Resolver) listProgramFunctions(ev *Event, b *binaryFile, match matcher, verbose bool, yield func(Listing) bool) (more bool, err error) {
	functions, err := b.functions()
	if err != nil {
		return false, err
	}
	named := make(map[string]*symbol.Function)
	for i := range functions {
		f := &functions[i]
		if !b.mayBeProbed(f) {
			continue
		}
		if name := displayName(f, false); named[name] == nil && match(name) {
			named[name] = f
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		l := Listing{Name: quoteFunction(name)}
		if verbose {
			if p, err := r.functionProbe(ev, b, named[name], name); err == nil {
				l.Fields = p.listed()
			}
		}
		if !yield(l) {
			return false, nil
		}
	}
	return true, nil
}

// listUSDT lists a program's USDT probes, by NAME or PROVIDER:NAME.
func (b *binaryFile) listUSDT(ev *Event, match matcher, verbose bool, yield func(Listing) bool) (more bool, err error) {
	probes, err := b.usdtProbes()
	if err != nil {
		return false, err
	}
	for i := range probes {
		u := &probes[i]
		l := Listing{Name: u.provider + ":" + u.name}
		if !match(u.name) && !match(l.Name) {
			continue
		}
		if verbose {
			if p, err := u.probe(ev); err == nil {
				l.Fields = p.listed()
			}
		}
		if !yield(l) {
			return false, nil
		}
	}
	return true, nil
}

// listed returns the fields as a resolved probe has them.
func (p *Probe) listed() []Field {
	if len(p.Fetch) > 0 {
		p.layOut()
	}
	return p.Fields
}
