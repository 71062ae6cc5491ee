package probe

import (
	"debug/elf"
	"errors"
	"fmt"
	"slices"

	"trapline/capture/event"
	"trapline/capture/usdt"
	"trapline/internal/symbol"
)

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

// hintUSDT adds to an error about a missing function that a USDT probe has the name,
// which is what u:LIBRARY:NAME means in bcc.
func (r *Resolver) hintUSDT(ev *event.Event, err error) error {
	var missing *event.NotFoundError
	if !errors.As(err, &missing) || ev.Match != event.MatchExact || ev.Name == "" {
		return err
	}
	b, openErr := r.binary(ev)
	if openErr != nil {
		return err
	}
	declared, noteErr := b.USDT()
	if noteErr != nil {
		return err
	}
	if slices.ContainsFunc(declared, func(u usdt.Probe) bool { return u.Name == ev.Name }) {
		missing.Reason += ", but there is a USDT probe with this name: write usdt:" + event.QuoteBinary(ev.Binary) + ":" + ev.Name
	}
	return err
}
