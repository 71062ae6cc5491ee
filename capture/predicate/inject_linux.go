package predicate

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"trapline/bpf"
	"trapline/capture/layout"
)

// predicateFunction is the function in bpf/filter.h whose body is replaced.
const predicateFunction = "predicate"

// Inject adds a filter to the spec of a program that is about to be loaded.
func Inject(spec *ebpf.CollectionSpec, program string, f *layout.Filter) error {
	compiled, err := compile(f)
	if err != nil {
		return err
	}
	var v bpf.HooksVariableSpecs
	if err := spec.Assign(&v); err != nil {
		return err
	}
	if err := v.WithFilter.Set(uint32(1)); err != nil {
		return err
	}
	if len(compiled.globs) > 0 {
		spec.Maps[globMap] = compiled.globSpec()
	}
	p := spec.Programs[program]
	if p.Instructions, err = replaceFunction(p.Instructions, predicateFunction, compiled.instructions); err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	return nil
}

// globSpec returns the spec of globMap.
func (c *compiled) globSpec() *ebpf.MapSpec {
	table := c.table()
	return &ebpf.MapSpec{Name: globMap, Type: ebpf.Array, KeySize: 4, ValueSize: uint32(len(table)), MaxEntries: 1,
		Contents: []ebpf.MapKV{{Key: uint32(0), Value: table}}}
}

// replaceFunction replaces the body of a function, which extends from the symbol of its
// name to the next symbol.
func replaceFunction(all asm.Instructions, name string, body asm.Instructions) (asm.Instructions, error) {
	var out asm.Instructions
	found, inside := false, false
	for _, ins := range all {
		if symbol := ins.Symbol(); symbol != "" && inside {
			inside = false
		} else if symbol == name {
			found, inside = true, true
			first := body[0]
			first.Metadata = ins.Metadata // the kernel requires its name, type and line
			out = append(append(out, first), body[1:]...)
		}
		if !inside {
			out = append(out, ins)
		}
	}
	if !found {
		return nil, fmt.Errorf("no function %s to replace by the filter", name)
	}
	return out, nil
}
