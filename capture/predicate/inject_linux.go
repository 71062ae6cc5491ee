package predicate

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"trapline/bpf"
	"trapline/capture/layout"
)

// predicateFunction is the function of bpf/filter.h whose body the predicate becomes.
const predicateFunction = "predicate"

// Inject makes a filter part of a program that is about to be loaded.
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

// globSpec describes the map that the instructions refer to for patterns.
func (c *compiled) globSpec() *ebpf.MapSpec {
	table := c.table()
	return &ebpf.MapSpec{Name: globMap, Type: ebpf.Array, KeySize: 4, ValueSize: uint32(len(table)), MaxEntries: 1,
		Contents: []ebpf.MapKV{{Key: uint32(0), Value: table}}}
}

// replaceFunction exchanges the body of a function, which begins at the symbol of its
// name and ends at that of the next one.
func replaceFunction(all asm.Instructions, name string, body asm.Instructions) (asm.Instructions, error) {
	var out asm.Instructions
	found, inside := false, false
	for _, ins := range all {
		if symbol := ins.Symbol(); symbol != "" && inside {
			inside = false
		} else if symbol == name {
			found, inside = true, true
			first := body[0]
			first.Metadata = ins.Metadata // its name, type and line, without which the kernel takes no function
			out = append(append(out, first), body[1:]...)
		}
		if !inside {
			out = append(out, ins)
		}
	}
	if !found {
		return nil, fmt.Errorf("there is no function %s to put the filter into", name)
	}
	return out, nil
}
