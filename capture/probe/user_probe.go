package probe

import (
	"debug/elf"
	"fmt"
	"path"
	"strings"

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
	if ev.Name == "" {
		if !b.holdsCode(ev.Offset) {
			return nil, &InvalidError{ev.Text, fmt.Sprintf("file offset 0x%x is not in the code of %s", ev.Offset, b.path.resolved)}
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
	if len(functions) == 0 && len(variants) == 0 {
		e := &NotFoundError{Event: ev.Text, Reason: "no such function in " + b.path.resolved, Nearest: b.nearest(ev.Name)}
		if all, err := b.functions(); err == nil && len(all) == 0 {
			e.Reason = "no function names in " + b.path.resolved + ": it is stripped, so give a file offset or install its debug symbols"
		}
		return nil, e
	}
	return r.functionProbes(ev, b, functions, variants)
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
	r.binaries[p.open] = b
	return b, nil
}

// check says why a function cannot be probed as asked.
func (b *binaryFile) check(ev *Event, f *symbol.Function) error {
	switch {
	case b.indirect[f.Address]:
		e := &UnsupportedError{ev.Text, "",
			f.Name + " is an IFUNC: a function that runs once, to choose the implementation that calls go to",
			"install debug symbols of " + path.Base(b.path.shown) + " and probe the implementation by its name"}
		if names := b.implementations(f.Name); len(names) > 0 {
			e.Remedy = "probe the implementation that this CPU uses, one of " + strings.Join(names, ", ")
		}
		return e
	case ev.Offset > 0 && ev.Offset >= f.Size:
		return &InvalidError{ev.Text, fmt.Sprintf("offset 0x%x is outside the function, which is 0x%x bytes long", ev.Offset, f.Size)}
	}
	return nil
}

// maxImplementations is how many of an IFUNC's implementations an error names.
const maxImplementations = 12

// implementations guesses an IFUNC's by their names, as glibc forms them:
// __strlen_avx2.
func (b *binaryFile) implementations(name string) []string {
	all, err := b.functions()
	if err != nil {
		return nil
	}
	var names []string
	for i := range all {
		if strings.HasPrefix(all[i].Name, "__"+name+"_") && len(names) < maxImplementations {
			names = append(names, all[i].Name)
		}
	}
	return names
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
