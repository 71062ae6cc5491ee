package probe

import (
	"debug/elf"
	"fmt"
	"path"

	"trapline/internal/symbol"
)

func (r *Resolver) resolveUprobe(ev *Event) ([]Probe, error) {
	if !r.havePMU("uprobe") {
		return nil, &UnsupportedError{ev.Text, "uprobes", "this kernel was built without CONFIG_UPROBE_EVENTS", "use a tracepoint (record -l lists them)"}
	}
	b, err := r.binary(ev)
	if err != nil {
		return nil, err
	}
	if b.machine == elf.EM_386 && len(ev.Args) > 0 {
		return nil, &UnsupportedError{ev.Text, "arguments of 32-bit programs", "they are not in registers", "record without arguments"}
	}
	if ev.Line > 0 {
		return r.resolveLine(ev, b)
	}
	if ev.Name == "" {
		if !b.holdsCode(ev.Offset) {
			return nil, &InvalidError{ev.Text, fmt.Sprintf("file offset 0x%x is not in the code of %s", ev.Offset, b.path.resolved)}
		}
		if err := b.checkOffset(ev); err != nil {
			return nil, err
		}
		p, err := userProbe(ev, b, fmt.Sprintf("0x%x", ev.Offset), ev.Offset)
		return one(p, err)
	}
	if ev.Match != MatchExact {
		return r.resolveUserPattern(ev, b)
	}
	functions, err := b.find(ev.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ev.Text, err)
	}
	var variants []symbol.Function
	if ev.joinsVariants() {
		variants = b.variantsOf(ev.Name)
	}
	if ev.Source != "" {
		err := b.withDebugInfo(ev, func(e *symbol.ELF) (err error) {
			functions, err = b.inSource(ev, e, functions)
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
		return nil, b.noFunction(ev)
	}
	return probes, nil
}

// binary finds and opens the file that an event names, once.
func (r *Resolver) binary(ev *Event) (*binaryFile, error) {
	p, err := r.findBinary(ev)
	if err != nil {
		return nil, err
	}
	if b := r.binaries[p.open]; b != nil {
		return b, nil
	}
	b, err := openBinary(p)
	if err != nil {
		return nil, binaryError(ev, err)
	}
	b.taskComm = r.taskComm
	r.binaries[p.open] = b
	return b, nil
}

// check says why a function cannot be probed as asked.
func (b *binaryFile) check(ev *Event, f *symbol.Function) error {
	switch {
	case ev.Offset > 0 && ev.Offset >= f.Size:
		return &InvalidError{ev.Text, fmt.Sprintf("offset 0x%x is outside the function, which is 0x%x bytes long", ev.Offset, f.Size)}
	}
	return b.checkInstruction(ev, f, ev.Offset)
}

// userProbe makes the probe of an instruction, whose arguments are those of the
// function that it is in.
func userProbe(ev *Event, b *binaryFile, name string, offset uint64) (*Probe, error) {
	p := &Probe{Kind: ev.Kind, Name: ev.Kind.String() + ":" + path.Base(b.path.shown) + ":" + name,
		Path: b.path.open, Offset: offset, RecordSize: commonSize}
	sc, err := b.scope(ev, offset)
	if err != nil && len(ev.Args) > 0 {
		return nil, &InvalidError{ev.Text, err.Error()}
	}
	return p, sc.fetchArguments(p)
}
