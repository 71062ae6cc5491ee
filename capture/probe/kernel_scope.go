package probe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"

	"trapline/format"
)

// registerScope is what can be asked for at a kprobe, whose context is the registers.
func (r *Resolver) registerScope(ev *Event, module string) *scope {
	sc := &scope{ev: ev, space: KernelMemory, registers: true, arg: func(i int) (place, error) { return plainArgument(ev, i, KernelMemory) }}
	s := r.functionSignature(module, ev.Name)
	switch {
	case ev.atReturn():
		sc.result = func() (place, error) {
			if s == nil {
				return returned(nil, KernelMemory)
			}
			if s.result == nil {
				return place{}, errNoResult
			}
			return returned(resultType(s.result), KernelMemory)
		}
	case s != nil && ev.Offset == 0: // behind it, registers need not hold the arguments any more
		sc.params, sc.typed = passArguments(s.types(), KernelMemory), true
		for i := range sc.params {
			sc.params[i].name = s.params[i].name
		}
		sc.count = len(sc.params)
	}
	r.kernelNames(sc, ev.Name)
	return sc
}

// plainArgument is an argument whose type is not known: a whole number or an address.
func plainArgument(ev *Event, i int, space Space) (place, error) {
	if i < argumentRegisters() {
		return inRegister(nil, space, argumentWord(i)), nil
	}
	if ev.Offset > 0 {
		return place{}, fmt.Errorf("is not in a register: the first %d arguments can be read", argumentRegisters())
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

// kernelNames adds what is there at every kernel probe: symbols, the current task's
// name, and, where the function is the entry of a system call, its arguments.
func (r *Resolver) kernelNames(sc *scope, function string) {
	sc.symbol = r.kernelSymbol
	sc.comm = r.taskComm
	if !sc.ev.atReturn() || !sc.registers {
		r.systemCallArguments(sc, function)
	}
}

// kernelSymbol finds a function or variable of the kernel. Those of modules do too.
func (r *Resolver) kernelSymbol(name string) (place, error) {
	var found []string
	err := readLines(r.path("/proc/kallsyms"), func(line string) bool {
		fields := strings.Fields(line)
		if len(fields) >= 3 && fields[2] == name {
			found = append(found, fields[0])
		}
		return len(found) < 2
	})
	switch {
	case err != nil:
		return place{}, err
	case len(found) == 0:
		return place{}, errors.New("is no symbol of the kernel (variables are listed in /proc/kallsyms with CONFIG_KALLSYMS_ALL)")
	case len(found) > 1:
		return place{}, errors.New("is the name of several symbols: give the address, as in @0xffffffff82000000")
	}
	address, err := strconv.ParseUint(found[0], 16, 64)
	if err != nil || address == 0 {
		return place{}, errors.New("has an address that is hidden (kernel.kptr_restrict): run as root or with CAP_SYSLOG")
	}
	return place{memory: true, space: KernelMemory, fetch: Fetch{Base: FetchConstant, Constant: address}}, nil
}

// taskComm is where the current task's name is: task_struct.comm.
func (r *Resolver) taskComm() (place, error) {
	at := place{memory: true, space: KernelMemory, fetch: Fetch{Base: FetchTask}}
	var task *btf.Struct
	if r.opt.BTF == nil || r.opt.BTF.TypeByName("task_struct", &task) != nil {
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
func (r *Resolver) systemCallArguments(sc *scope, function string) {
	name, ok := strings.CutPrefix(function, systemCallPrefix)
	if !ok || len(sc.params) != 1 || r.opt.TraceFS == "" {
		return
	}
	var fields []Field
	if text, err := os.ReadFile(filepath.Join(r.opt.TraceFS, "events", systemCallGroup, "sys_enter_"+name, "format")); err == nil {
		if f, err := parseFormat(systemCallGroup, string(text)); err == nil {
			fields = f.fields
		}
	}
	regs, err := sc.params[0].at.value()
	if err != nil || len(fields) == 0 {
		return
	}
	words := []uint8{wordDI, wordSI, wordDX, wordR10, wordR8, wordR9}
	sc.params[0].hidden = true
	for i, f := range fields[1:] { // behind the number of the call
		if i >= len(words) {
			break
		}
		t := &valueType{kind: kindInteger, name: f.CType, size: int(f.Size), signed: f.Type == format.FieldInt}
		if f.Type == format.FieldPointer {
			t = r.spelledType(f.CType)
		}
		step := FetchStep{Add: 8 * int32(words[i]), Space: KernelMemory, Size: 8}
		at := place{typ: t, space: UserMemory, pieces: []Fetch{{Base: regs.Base, Word: regs.Word, Steps: []FetchStep{step}}}}
		sc.params = append(sc.params, param{name: f.Name, at: at})
	}
}
