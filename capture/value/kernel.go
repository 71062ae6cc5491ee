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

// A Kernel answers what arguments ask about the kernel.
type Kernel struct {
	Types *btf.Spec // nil: it has no BTF
	// Module returns the types of a module; nil: there are none.
	Module func(name string) *btf.Spec
	// Symbol returns the address of a function or variable. Its errors continue a
	// sentence about the symbol.
	Symbol func(name string) (uint64, error)
	// SystemCall returns the arguments of a system call, without its number; nil: they
	// are not known.
	SystemCall func(name string) []layout.Field
}

// Function returns a function's types; nil when BTF does not have them.
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
		return NewSignature(proto)
	}
	return nil
}

// RawTracepoint returns the arguments of a tracepoint whose callbacks have a type. The
// first parameter is the callback's own data. Function types have no names of
// parameters; the function that iterates over the callbacks has them.
func (k *Kernel) RawTracepoint(name string, callback *btf.FuncProto) *Signature {
	args := *callback
	args.Params = append([]btf.FuncParam(nil), callback.Params[1:]...)
	if named := k.Function("", "__traceiter_"+name); named != nil && len(named.params) == len(callback.Params) {
		for i := range args.Params {
			args.Params[i].Name = named.params[i+1].name
		}
	}
	return NewSignature(&args)
}

// AtKprobe returns what can be asked for at a kprobe, whose context is the registers.
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
	case s != nil && ev.Offset == 0: // behind it, registers need not hold the arguments any more
		sc.params, sc.typed = passArguments(s.types(), layout.KernelMemory), true
		for i := range sc.params {
			sc.params[i].name = s.params[i].name
		}
		sc.count = len(sc.params)
	}
	k.names(sc, ev.Name)
	return sc
}

// AtTracing returns what can be asked for at a raw tracepoint, fentry or fexit, whose
// context is the arguments. function is the kernel's function; "" for tracepoints.
func (k *Kernel) AtTracing(ev *event.Event, s *Signature, function string) *Scope {
	sc := s.inContext(ev)
	k.names(sc, function)
	return sc
}

// plainArgument is an argument whose type is not known: a whole number or an address.
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

// names adds what is there at every kernel probe: symbols, the current task's
// name, and, where the function is the entry of a system call, its arguments.
func (k *Kernel) names(sc *Scope, function string) {
	sc.symbol = k.symbol
	sc.comm = k.taskComm
	if !sc.ev.Syntax.AtReturn() || !sc.registers {
		k.systemCallArguments(sc, function)
	}
}

// symbol finds a function or variable.
func (k *Kernel) symbol(name string) (location, error) {
	address, err := k.Symbol(name)
	if err != nil {
		return location{}, err
	}
	return location{memory: true, space: layout.KernelMemory, fetch: layout.Fetch{Base: layout.FetchConstant, Constant: address}}, nil
}

// taskComm is where the current task's name is: task_struct.comm.
func (k *Kernel) taskComm() (location, error) {
	at := location{memory: true, space: layout.KernelMemory, fetch: layout.Fetch{Base: layout.FetchTask}}
	var task *btf.Struct
	if k.Types == nil || k.Types.TypeByName("task_struct", &task) != nil {
		return at, errors.New("cannot be found: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF); each hit has the task's name anyway")
	}
	at.typ = btfType(task)
	return at.field("comm")
}

// systemCallPrefix begins the names of the functions that take a system call's
// arguments as the registers of user space: __SYSCALL_DEFINEx in
// arch/x86/include/asm/syscall_wrapper.h.
const systemCallPrefix = "__x64_sys_"

// systemCallArguments adds the arguments of a system call by the names of its
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
