package probe

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"trapline/capture/event"
	"trapline/capture/program"
	"trapline/internal/nearest"
	"trapline/internal/symbol"
)

// lines lets ask use the source lines of a program.
func (r *Resolver) lines(ev *event.Event, b *program.File, ask func(*symbol.ELF) error) error {
	return event.About(ev.Text, b.Lines(ask))
}

// resolveLine returns the probe of a source line: FILE:LINE, or FUNCTION:LINE, which
// counts from the function's declaration. Its sites are all places where code of the line
// begins, including inlined copies.
func (r *Resolver) resolveLine(ev *event.Event, b *program.File) ([]Probe, error) {
	if ev.Syntax.AtReturn() {
		return nil, &event.InvalidError{Event: ev.Text, Reason: "a line does not return: use a uprobe"}
	}
	if err := onlyAtEntry(ev); err != nil {
		return nil, err
	}
	var found *symbol.SourceLine
	line := ev.Line
	err := r.lines(ev, b, func(e *symbol.ELF) (err error) {
		source, within := ev.Source, ""
		if ev.Name != "" {
			var declared int
			if source, declared, within, err = declaration(ev, b, e); err != nil {
				return err
			}
			line += declared
		}
		if found, err = e.Source(source, line); err != nil {
			return err
		}
		if within != "" {
			found.Places = slices.DeleteFunc(found.Places, func(p symbol.Place) bool { return !slices.Contains(p.Functions, within) })
		}
		return noCode(ev, b, e, found, source, line)
	})
	if err != nil {
		return nil, err
	}
	p, err := r.placesProbe(ev, b, "", found.Places)
	if err != nil {
		return nil, err
	}
	p.Name = fmt.Sprintf("%s:%s@%s:%d", ev.Syntax.Name(), path.Base(b.Path.Shown), path.Base(found.Files[0]), line)
	return one(p, nil)
}

// placesProbe returns one probe with several places and names them in its notes. The
// arguments must be the same at all places but may be in different locations.
func (r *Resolver) placesProbe(ev *event.Event, b *program.File, name string, places []symbol.Place) (*Probe, error) {
	var p *Probe
	sites := make([]Site, len(places))
	for i, at := range places {
		here, err := r.userProbe(ev, b, name, at.Offset)
		switch {
		case err != nil:
			return nil, err
		case p == nil:
			p = here
		case !slices.Equal(p.Fields, here.Fields):
			return nil, &event.InvalidError{Event: ev.Text, Reason: "the arguments have different types at different places of the line: " + describePlaces(places)}
		}
		sites[i] = Site{Offset: at.Offset, Fetch: here.Fetch}
		if n := len(at.Functions); n > 0 {
			sites[i].Function = at.Functions[n-1]
		}
	}
	p.Sites, p.Function = sites, sites[0].Function
	if len(places) > 1 || len(places[0].Functions) > 1 {
		p.Notes = append(p.Notes, "probed at "+event.Counted(len(places), "place")+": "+describePlaces(places))
	}
	return p, nil
}

// onlyAtEntry rejects argN at places that are not function entries.
func onlyAtEntry(ev *event.Event) error {
	for i := range ev.Args {
		if ev.Args[i].Value.Leaf().Op == event.OpArg {
			return &event.InvalidError{Event: ev.Text, Reason: ev.Args[i].Value.String() + " is in its register only at the function's entry: record it there, or name a register"}
		}
	}
	return nil
}

// noCode explains why no place of a line was found. It returns nil if one was.
func noCode(ev *event.Event, b *program.File, e *symbol.ELF, s *symbol.SourceLine, source string, line int) error {
	switch {
	case len(s.Files) > 1:
		return &event.InvalidError{Event: ev.Text, Reason: "several files have this name: " + strings.Join(s.Files, ", ") + "; give more of the path"}
	case len(s.Places) > 0:
		return nil
	case len(s.Files) == 0:
		nf := &event.NotFoundError{Event: ev.Text, Reason: fmt.Sprintf("no code of a file %s in %s", source, b.Path.Resolved)}
		near := nearest.To(path.Base(source))
		if files, err := e.SourceFiles(); err == nil {
			for _, f := range files {
				near.Add(path.Base(f))
			}
		}
		nf.Nearest = near.Names()
		return nf
	}
	var near []string
	for _, n := range []int{s.Before, s.After} {
		if n > 0 {
			near = append(near, fmt.Sprint(n))
		}
	}
	reason := fmt.Sprintf("line %d of %s has no code", line, path.Base(s.Files[0]))
	if ev.Name != "" {
		reason += " in " + ev.Name
	}
	return &event.NotFoundError{Event: ev.Text, Reason: reason, Nearest: near}
}

// declaration returns where the function of an event is declared, and its linkage name.
func declaration(ev *event.Event, b *program.File, e *symbol.ELF) (file string, line int, name string, err error) {
	functions, err := b.Find(ev.Name)
	if err != nil {
		return "", 0, "", err
	}
	if functions, err = inSource(ev, e, functions); err != nil {
		return "", 0, "", err
	}
	if len(functions) == 0 {
		return "", 0, "", noFunction(ev, b)
	}
	for i := range functions {
		f, n, ok := e.Declaration(functions[i].Offset)
		if !ok {
			return "", 0, "", &event.UnsupportedError{Event: ev.Text, Feature: "lines of " + ev.Name, Reason: "the debug information does not say where it is declared", Remedy: "give FILE:LINE"}
		}
		if i > 0 && (f != file || n != line) {
			return "", 0, "", &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("%d functions have this name: write FUNCTION@FILE:LINE", len(functions))}
		}
		file, line = f, n
	}
	return file, line, functions[0].Name, nil
}

// inSource returns the functions that are declared in the event's source file.
func inSource(ev *event.Event, e *symbol.ELF, functions []symbol.Function) ([]symbol.Function, error) {
	if ev.Source == "" {
		return functions, nil
	}
	var kept []symbol.Function
	var files []string
	for _, f := range functions {
		file, _, ok := e.Declaration(f.Offset)
		if ok && (file == ev.Source || strings.HasSuffix(file, "/"+ev.Source)) {
			kept = append(kept, f)
		} else if ok {
			files = append(files, ev.Name+"@"+path.Base(file))
		}
	}
	if len(kept) == 0 && len(functions) > 0 {
		return nil, &event.NotFoundError{Event: ev.Text, Reason: "the function is not declared in " + ev.Source, Nearest: files[:min(len(files), nearest.Max)]}
	}
	return kept, nil
}
