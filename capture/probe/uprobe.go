package probe

import (
	"debug/elf"
	"fmt"
	"path"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/locate"
	"trapline/capture/program"
	"trapline/capture/value"
	"trapline/format"
	"trapline/internal/symbol"
)

const asStableAsProgram = "as stable as the program: what a library exports is, what is its own is not"

func init() {
	Register(&Kind{
		Syntax: event.Syntax{Kind: format.ProbeUprobe, Spellings: []string{"uprobe", "u"}, Form: event.FormUserFunction,
			InPrograms: true, Arguments: true, Registers: true, Offsets: true},
		What:      "function of a program, or an instruction in it",
		Stability: asStableAsProgram,

		Program:  bpf.HooksProgOnRegisters,
		Backends: []Backend{UprobeMulti, UprobeEvent},
		Sharing:  sharedInProgram,
		Needs: []Need{
			{Name: "uprobe", Backend: UprobeEvent, Config: []string{"CONFIG_UPROBE_EVENTS"}, Source: "uprobe", SysAdmin: true, Remedy: "where there is uprobe.multi, record uses that"},
			{Name: "uprobe.multi", Backend: UprobeMulti, Config: []string{"CONFIG_UPROBE_EVENTS"}, Since: "6.6", Remedy: "uprobes are attached one by one"},
		},

		Resolve:  (*Resolver).resolveUprobes,
		List:     (*Resolver).listUserFunctions,
		ListRank: 7,
	})
	Register(&Kind{
		Syntax: event.Syntax{Kind: format.ProbeUretprobe, Spellings: []string{"uretprobe", "ur"}, Form: event.FormUserFunction, ReturnOf: format.ProbeUprobe,
			InPrograms: true, Registers: true},
		What:      "return of a program's function",
		Stability: asStableAsProgram,

		Program:      bpf.HooksProgOnRegisters,
		EntryProgram: bpf.HooksProgOnCallRegisters,
		Backends:     []Backend{UprobeMulti, UprobeEvent},
		Sharing:      sharedInProgram,

		Resolve: (*Resolver).resolveUprobes,
		List:    (*Resolver).listUserFunctions,
	})
}

// sharedInProgram: one program serves places in one file.
func sharedInProgram(p *Probe, s *Site) string {
	return fmt.Sprintf("%q %t %v", p.Path, p.AtReturns, s.Fetch)
}

func (r *Resolver) resolveUprobes(ev *event.Event) ([]Probe, error) {
	if ev.Binary == "*" {
		return r.resolveInProcess(ev)
	}
	probes, err := r.resolveUprobe(ev)
	return probes, r.hintUSDT(ev, err)
}

func (r *Resolver) resolveUprobe(ev *event.Event) ([]Probe, error) {
	if !r.havePMU("uprobe") {
		return nil, &event.UnsupportedError{Event: ev.Text, Feature: "uprobes", Reason: "this kernel was built without CONFIG_UPROBE_EVENTS", Remedy: "use a tracepoint (record -l lists them)"}
	}
	b, err := r.binary(ev)
	if err != nil {
		return nil, err
	}
	if b.Machine == elf.EM_386 && len(ev.Args) > 0 {
		return nil, &event.UnsupportedError{Event: ev.Text, Feature: "arguments of 32-bit programs", Reason: "they are not in registers", Remedy: "record without arguments"}
	}
	if ev.Line > 0 {
		return r.resolveLine(ev, b)
	}
	if ev.Name == "" {
		if !b.HoldsCode(ev.Offset) {
			return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("file offset 0x%x is not in the code of %s", ev.Offset, b.Path.Resolved)}
		}
		if err := b.CheckOffset(ev.Offset); err != nil {
			return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
		}
		p, err := r.userProbe(ev, b, fmt.Sprintf("0x%x", ev.Offset), ev.Offset)
		return one(p, err)
	}
	if ev.Match != event.MatchExact {
		return r.resolveUserPattern(ev, b)
	}
	functions, err := b.Find(ev.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ev.Text, err)
	}
	var variants []symbol.Function
	if joinsVariants(ev) {
		variants = b.Variants(ev.Name)
	}
	if ev.Source != "" {
		err := r.lines(ev, b, func(e *symbol.ELF) (err error) {
			functions, err = inSource(ev, e, functions)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var probes []Probe
	if len(functions)+len(variants) > 0 {
		if probes, err = r.functionProbes(ev, b, functions, variants); err != nil {
			return nil, err
		}
	}
	if r.opt.Inlined {
		if probes, err = r.withInlined(ev, b, probes); err != nil {
			return nil, err
		}
	}
	if len(probes) == 0 {
		return nil, noFunction(ev, b)
	}
	return probes, nil
}

// binary finds and opens the file that an event names, once.
func (r *Resolver) binary(ev *event.Event) (*program.File, error) {
	file, err := r.files.Find(ev.Binary)
	if err != nil {
		return nil, event.About(ev.Text, err)
	}
	if b := r.programs[file.Open]; b != nil {
		return b, nil
	}
	b, err := program.Open(file)
	if err != nil {
		return nil, event.About(ev.Text, locate.ReadError(err))
	}
	r.programs[file.Open] = b
	return b, nil
}

// userProbe makes the probe of an instruction, whose arguments are those of the
// function that it is in.
func (r *Resolver) userProbe(ev *event.Event, b *program.File, name string, offset uint64) (*Probe, error) {
	p := &Probe{Kind: ev.Syntax.Kind, Name: ev.Syntax.Name() + ":" + path.Base(b.Path.Shown) + ":" + name,
		Path: b.Path.Open, Offset: offset, Record: layout.Record{RecordSize: layout.CommonSize}}
	sc, err := r.kernel.AtUprobe(ev, value.Place{File: b, Offset: offset})
	if err != nil && len(ev.Args) > 0 {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	return p, sc.Fetch(&p.Record)
}
