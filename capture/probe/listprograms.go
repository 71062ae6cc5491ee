package probe

import (
	"maps"
	"path"
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/program"
	"trapline/internal/symbol"
)

// A programLister lists the events of one program. It returns false for more if yield
// did.
type programLister func(ev *event.Event, b *program.File, match matcher, verbose bool, yield func(Listing) bool) (more bool, err error)

// listPrograms lists the events that list finds: in one program or library for
// BINARY:GLOB, or in all that the process has mapped for *:GLOB and for patterns without
// a kind.
func (r *Resolver) listPrograms(k *Kind, s *Selection, list programLister, yield func(Listing) bool) error {
	if !s.asked && r.opt.PID == 0 {
		return nil // that would be every program on the machine
	}
	ev := &event.Event{Syntax: &k.Syntax, Text: k.Name() + ":" + s.text, Binary: "*"}
	match := s.match
	if s.asked {
		binary, pattern := event.CutBinary(s.text)
		if binary == "*" && r.opt.PID == 0 {
			return &event.InvalidError{Event: ev.Text, Reason: "give a program or library, " + k.Name() + ":BINARY:GLOB, or a process (-p)"}
		}
		if pattern == "" {
			pattern = "*"
		}
		ev.Binary = binary
		var err error
		if match, err = listMatcher(pattern); err != nil {
			return &event.SyntaxError{Text: ev.Text, Pos: strings.LastIndex(ev.Text, pattern), Reason: err.Error()}
		}
	}
	binaries, err := r.usdtBinaries(ev)
	if err != nil {
		return err
	}
	for _, b := range binaries {
		shown := path.Base(b.Path.Shown)
		if strings.Contains(ev.Binary, "/") || ev.Binary == "*" {
			shown = b.Path.Shown
		}
		more, err := list(ev, b, match, s.Verbose, func(l Listing) bool {
			l.Kind, l.Name = k.Kind, k.Name()+":"+event.QuoteBinary(shown)+":"+l.Name
			return yield(l)
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (r *Resolver) listUserFunctions(k *Kind, s *Selection, yield func(Listing) bool) error {
	return r.listPrograms(k, s, r.listProgramFunctions, yield)
}

// listProgramFunctions lists the functions of a program by their source names.
func (r *Resolver) listProgramFunctions(ev *event.Event, b *program.File, match matcher, verbose bool, yield func(Listing) bool) (more bool, err error) {
	functions, err := b.Functions()
	if err != nil {
		return false, err
	}
	named := make(map[string]*symbol.Function)
	for i := range functions {
		f := &functions[i]
		if !b.MayBeProbed(f) {
			continue
		}
		if name := program.DisplayName(f, false); named[name] == nil && match(name) {
			named[name] = f
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		l := Listing{Name: event.QuoteFunction(name)}
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

// listed returns the fields of a resolved probe.
func (p *Probe) listed() []layout.Field {
	_ = p.layOut() // it can be listed even if it is too large to record
	return p.Fields
}
