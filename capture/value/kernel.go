package value

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

// A Kernel provides what arguments need to know about the kernel.
type Kernel struct {
	Types *btf.Spec // nil if the kernel has no BTF
	// Module returns the types of a module, or nil if there are none.
	Module func(name string) *btf.Spec
	// Symbol returns the address of a function or variable. Its errors complete a
	// sentence that starts with the name.
	Symbol func(name string) (uint64, error)
	// SystemCall returns the arguments of a system call without its number, or nil if
	// they are not known.
	SystemCall func(name string) []layout.Field
}

// Function returns the types of a function, or nil if BTF does not describe it.
func (k *Kernel) Function(module, name string) *Signature {
	spec := k.Types
	if module != "" && spec != nil {
		spec = k.Module(module)
	}
	if spec == nil {
		return nil
	}
	var f *btf.Func
	if err := spec.TypeByName(name, &f); err != nil {
		return nil
	}
	if proto, ok := f.Type.(*btf.FuncProto); ok {
		return newSignature(proto)
	}
	return nil
}

// RawTracepoint returns the arguments of a tracepoint, given the type of its callbacks,
// whose first parameter is the callback's own data. Function types have no parameter
// names. They come from the function that iterates over the callbacks.
func (k *Kernel) RawTracepoint(name string, callback *btf.FuncProto) *Signature {
	args := *callback
	args.Params = append([]btf.FuncParam(nil), callback.Params[1:]...)
	if named := k.Function("", "__traceiter_"+name); named != nil && len(named.params) == len(callback.Params) {
		for i := range args.Params {
			args.Params[i].Name = named.params[i+1].name
		}
	}
	return newSignature(&args)
}

// AtKprobe returns the scope at a kprobe, whose context is the registers.
func (k *Kernel) AtKprobe(ev *event.Event, module string) *Scope {
	sc := &Scope{ev: ev, space: layout.KernelMemory, registers: true, arg: func(i int) (location, error) { return plainArgument(ev, i, layout.KernelMemory) }}
	s := k.Function(module, ev.Name)
	switch {
	case ev.Syntax.AtReturn():
		sc.result = func() (location, error) {
			if s == nil {
				return returned(nil, layout.KernelMemory)
			}
			if s.result == nil {
				return location{}, errNoResult
			}
			return returned(resultType(s.result), layout.KernelMemory)
		}
	case s != nil && ev.Offset == 0: // after the first instruction, registers may not hold the arguments any more
		sc.params, sc.typed = passArguments(s.types(), layout.KernelMemory), true
		for i := range sc.params {
			sc.params[i].name = s.params[i].name
		}
		sc.count = len(sc.params)
	}
	k.names(sc, ev.Name)
	return sc
}

// AtTracing returns the scope at a raw tracepoint, fentry or fexit, whose context is the
// arguments. function is the name of the kernel function, or "" for tracepoints.
func (k *Kernel) AtTracing(ev *event.Event, s *Signature, function string) *Scope {
	sc := s.inContext(ev)
	k.names(sc, function)
	return sc
}

// plainArgument returns an argument of unknown type, which is an integer or an address.
func plainArgument(ev *event.Event, i int, space layout.Space) (location, error) {
	if i < argumentRegisters() {
		return inRegister(nil, space, argumentWord(i)), nil
	}
	if ev.Offset > 0 {
		return location{}, fmt.Errorf("is not in a register: the first %d arguments can be read", argumentRegisters())
	}
	word := &valueType{kind: kindInteger, name: "unsigned long", size: 8}
	types := make([]*valueType, i+1)
	for j := range types {
		types[j] = word
	}
	p := passArguments(types, space)[i]
	p.at.typ = nil
	return p.at, p.err
}

// names adds what exists at every kernel probe: symbols, the name of the current task
// and, at the entry of a system call, its arguments.
func (k *Kernel) names(sc *Scope, function string) {
	sc.symbol = k.symbol
	sc.comm = k.taskComm
	if !sc.ev.Syntax.AtReturn() || !sc.registers {
		k.systemCallArguments(sc, function)
	}
}

// symbol returns the location of a function or variable.
func (k *Kernel) symbol(name string) (location, error) {
	address, err := k.Symbol(name)
	if err != nil {
		return location{}, err
	}
	return location{memory: true, space: layout.KernelMemory, fetch: layout.Fetch{Base: layout.FetchConstant, Constant: address}}, nil
}

// taskComm returns the location of the current task's name: task_struct.comm.
func (k *Kernel) taskComm() (location, error) {
	at := location{memory: true, space: layout.KernelMemory, fetch: layout.Fetch{Base: layout.FetchTask}}
	var task *btf.Struct
	if k.Types == nil || k.Types.TypeByName("task_struct", &task) != nil {
		return at, errors.New("cannot be found: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF); each hit has the task's name anyway")
	}
	at.typ = btfType(task)
	return at.field("comm")
}

// systemCallPrefix is the prefix of functions that take the arguments of a system call as
// the registers of user space: __SYSCALL_DEFINEx in
// arch/x86/include/asm/syscall_wrapper.h.
const systemCallPrefix = "__x64_sys_"

// systemCallArguments adds the arguments of a system call under the names of its
// tracepoint. They are in the struct pt_regs that the function's argument points to.
func (k *Kernel) systemCallArguments(sc *Scope, function string) {
	name, ok := strings.CutPrefix(function, systemCallPrefix)
	if !ok || len(sc.params) != 1 {
		return
	}
	fields := k.SystemCall(name)
	regs, err := sc.params[0].at.value()
	if err != nil || len(fields) == 0 {
		return
	}
	words := []uint8{wordDI, wordSI, wordDX, wordR10, wordR8, wordR9}
	sc.params[0].hidden = true
	for i, f := range fields {
		if i >= len(words) {
			break
		}
		t := &valueType{kind: kindInteger, name: f.CType, size: int(f.Size), signed: f.Type == format.FieldInt}
		if f.Type == format.FieldPointer {
			t = spelledType(k.Types, f.CType)
		}
		step := layout.FetchStep{Add: 8 * int32(words[i]), Space: layout.KernelMemory, Size: 8}
		at := location{typ: t, space: layout.UserMemory, pieces: []layout.Fetch{{Base: regs.Base, Word: regs.Word, Steps: []layout.FetchStep{step}}}}
		sc.params = append(sc.params, param{name: f.Name, at: at})
	}
}
