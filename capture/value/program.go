package value

import (
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"strings"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/program"
	"trapline/capture/unwind"
)

// A Place is a place in the code of a program.
type Place struct {
	File   *program.File
	Offset uint64 // file offset
}

// inProgram returns the scope at code that nothing is known about.
func (k *Kernel) inProgram(ev *event.Event) *Scope {
	sc := &Scope{ev: ev, space: layout.UserMemory, registers: true, comm: k.taskComm, arg: func(i int) (location, error) { return plainArgument(ev, i, layout.UserMemory) }}
	sc.symbol = func(string) (location, error) {
		return location{}, errors.New("cannot be found in this program")
	}
	if ev.Syntax.AtReturn() {
		sc.result = func() (location, error) { return returned(nil, layout.UserMemory) }
	}
	return sc
}

// AtUprobe returns the scope at a place in a program: the variables that debug
// information describes, or arguments as words. If it returns an error, the scope is what
// works without debug information.
func (k *Kernel) AtUprobe(ev *event.Event, at Place) (*Scope, error) {
	sc := k.inProgram(ev)
	pc, ok := at.File.Address(at.Offset)
	if !ok || at.File.Machine != elf.EM_X86_64 {
		return sc, nil
	}
	sc.symbol = func(name string) (location, error) { return at.symbol(ev, name, pc) }
	if at.File.IsGo && strings.Contains(ev.Name, ".") {
		sc.arg = func(int) (location, error) {
			return location{}, errors.New("cannot be found: Go has its own calling convention, and the program has no debug information (it was linked with -w)")
		}
	}
	d, err := at.File.DebugData()
	if err != nil || d == nil {
		return sc, err
	}
	f, err := findDwarfFunction(d, pc)
	if err != nil || f == nil || f.unit.language == languageAssembler {
		return sc, err // assemblers describe functions without parameters
	}
	v := &dwarfScope{Scope: sc, at: at, function: f, pc: pc}
	v.fill()
	return sc, nil
}

// symbol returns the location of a variable. It is relative to the current instruction,
// because the load address is not known otherwise. After a return, the instruction is not
// known either.
func (at Place) symbol(ev *event.Event, name string, pc uint64) (location, error) {
	address, ok := at.File.SymbolAddress(name)
	switch {
	case !ok:
		return location{}, fmt.Errorf("is not a symbol of %s", at.File.Path.Shown)
	case ev.Syntax.AtReturn() && !at.File.IsGo:
		return location{}, errors.New("cannot be found at return: read it at entry")
	}
	return staticLocation(address, pc), nil
}

// staticLocation returns the location of static data, relative to the current
// instruction.
func staticLocation(address, pc uint64) location {
	return location{memory: true, space: layout.UserMemory, fetch: layout.Fetch{Word: wordIP, Constant: address - pc}}
}

// A dwarfScope adds what debug information says to a scope.
type dwarfScope struct {
	*Scope
	at       Place
	function *dwarfFunction
	pc       uint64 // address of the place
}

func (v *dwarfScope) fill() {
	f := v.function
	if v.ev.Syntax.AtReturn() {
		v.fillResult()
		return
	}
	l := &evaluator{function: f.base, cfa: v.cfa, addresses: f.unit.address,
		static: func(address uint64) location { return staticLocation(address, v.pc) }}
	atEntry := v.pc == f.entry
	var abi []param
	if atEntry {
		abi = v.passed()
	}
	for i, n := range v.inOrder() {
		d := &f.variables[n]
		p := param{name: d.name, hidden: !d.parameter}
		p.at, p.err = l.locate(d.expression)
		switch {
		case d.parameter && i < len(abi) && v.byConvention(d, p.at):
			p.at, p.err = abi[i].at, abi[i].err
		case atEntry && p.err == nil && d.whole && !d.parameter && p.at.memory && p.at.fetch.Word != wordIP:
			p.err = errors.New("has no value yet: the probe is at the function's first instruction")
		}
		p.at.typ = d.typ
		v.params = append(v.params, p)
		if d.parameter {
			v.count++
		}
	}
	v.typed = true
	if f.unit.language == languageGo {
		v.goroutine()
	}
}

// inOrder returns the indices of the variables of a call, parameters first: they are
// argN.
func (v *dwarfScope) inOrder() []int {
	var order []int
	all := v.function.variables
	for _, parameters := range []bool{true, false} {
		for i := range all {
			if !all[i].result && all[i].parameter == parameters {
				order = append(order, i)
			}
		}
	}
	return order
}

// passed returns where the calling convention passes the parameters.
func (v *dwarfScope) passed() []param {
	var types []*valueType
	for i := range v.function.variables {
		if d := &v.function.variables[i]; d.parameter && !d.result {
			types = append(types, d.typ)
		}
	}
	if v.function.unit.language == languageGo {
		return goPlaces(types)
	}
	if t := v.function.result; t != nil && classify(t, max((t.size+7)/8, 1)) == nil {
		// The first argument is the address for the result.
		return passArguments(append([]*valueType{{kind: kindPointer, size: 8}}, types...), layout.UserMemory)[1:]
	}
	return passArguments(types, layout.UserMemory)
}

// byConvention reports whether a parameter at the first instruction is where the calling
// convention puts it, not where debug information says. Without optimization, debug
// information names the place in the frame that the parameter will be copied to.
func (v *dwarfScope) byConvention(d *dwarfVariable, at location) bool {
	if !d.whole || len(d.expression) == 0 {
		return false
	}
	op := d.expression[0]
	inFrame := op == opFbreg || op == opCallCFA || op >= opBreg0 && op <= opBreg31
	switch {
	case !inFrame:
		return false
	case v.function.unit.language == languageGo:
		return strings.Contains(v.function.producer, "regabi")
	case len(v.function.base) == 1 && v.function.base[0] == opCallCFA && op == opFbreg:
		return at.add < 8 // what the caller pushed is after the return address, and stays there
	}
	return true
}

// cfa returns the CFA: the stack pointer before the call.
func (v *dwarfScope) cfa() frameBase {
	if v.pc == v.function.entry {
		return frameBase{word: wordSP, add: 8}
	}
	rule := v.at.File.UnwindRule(v.at.Offset)
	if rule.Kind != unwind.RuleStep || rule.Deref {
		return frameBase{err: errors.New("is in the function's frame, whose location here is not described")}
	}
	w, err := dwarfWord(uint64(rule.Base))
	return frameBase{word: w, add: int64(rule.CFA), err: err}
}

func (v *dwarfScope) fillResult() {
	f := v.function
	if f.unit.language == languageGo {
		v.goResults()
		return
	}
	v.result = func() (location, error) {
		if f.result == nil {
			return location{}, errNoResult
		}
		return returned(f.result, layout.UserMemory)
	}
}

// goResults adds the results of a Go function at a return instruction.
func (v *dwarfScope) goResults() {
	var types []*valueType
	var names []string
	for i := range v.function.variables {
		if d := &v.function.variables[i]; d.result {
			types, names = append(types, d.typ), append(names, strings.TrimPrefix(d.name, "~"))
		}
	}
	results := goPlaces(types)
	for i := range results {
		results[i].name = names[i]
		results[i].hidden = i == 0 // it is retval
	}
	v.params, v.typed = results, true
	v.result = func() (location, error) {
		if len(results) == 0 {
			return location{}, errNoResult
		}
		return results[0].at, results[0].err
	}
	v.goroutine()
}

// goroutine adds goid, the number of the goroutine: field goid of the runtime.g that a
// register points to since Go 1.17.
func (v *dwarfScope) goroutine() {
	v.params = append(v.params, param{name: "goid", hidden: true, find: func() (location, error) {
		g := goStructure(v.at.File, "runtime.g")
		if g == nil {
			return location{}, errors.New("cannot be found: the program does not describe runtime.g")
		}
		return location{typ: g, memory: true, space: layout.UserMemory, fetch: layout.Fetch{Word: goG}}.field("goid")
	}})
}

// goStructure returns a structure of a Go program by its full name, or nil.
func goStructure(f *program.File, name string) (found *valueType) {
	// debug/dwarf may panic on damaged files.
	defer func() {
		if recover() != nil {
			found = nil
		}
	}()
	d, err := f.DebugData()
	if err != nil || d == nil {
		return nil
	}
	for r := d.Reader(); ; {
		e, err := r.Next()
		if err != nil || e == nil {
			return nil
		}
		switch {
		case e.Tag == dwarf.TagCompileUnit:
			continue // structures are its children
		case e.Tag == dwarf.TagStructType && e.Val(dwarf.AttrName) == name:
			t, err := d.Type(e.Offset)
			if err != nil {
				return nil
			}
			return dwarfType(t, languageGo)
		case e.Children:
			r.SkipChildren()
		}
	}
}
