package probe

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"strings"

	"trapline/capture/unwind"
	"trapline/internal/symbol"
)

// unknownScope is what can be asked for at code that nothing is known of.
func (b *binaryFile) unknownScope(ev *Event) *scope {
	sc := &scope{ev: ev, space: UserMemory, registers: true, comm: b.taskComm, arg: func(i int) (place, error) { return plainArgument(ev, i, UserMemory) }}
	sc.symbol = func(string) (place, error) {
		return place{}, errors.New("is not known: the program is not")
	}
	if ev.atReturn() {
		sc.result = func() (place, error) { return returned(nil, UserMemory) }
	}
	return sc
}

// scope is what can be asked for at an address of the program: by name what debug
// information describes, and without it arguments as words.
func (b *binaryFile) scope(ev *Event, offset uint64) (*scope, error) {
	sc := b.unknownScope(ev)
	pc, ok := b.address(offset)
	if !ok || b.machine != elf.EM_X86_64 {
		return sc, nil
	}
	sc.symbol = func(name string) (place, error) { return b.symbolPlace(ev, name, pc) }
	if b.isGo && strings.Contains(ev.Name, ".") {
		sc.arg = func(int) (place, error) {
			return place{}, errors.New("cannot be found: Go has a calling convention of its own, and the program has no debug information (it was linked with -w)")
		}
	}
	d, err := b.debugData()
	if err != nil || d == nil {
		return sc, err
	}
	f, err := findDwarfFunction(d, pc)
	if err != nil || f == nil || f.unit.language == languageAssembler {
		return sc, err // assemblers describe functions without their parameters
	}
	v := &dwarfScope{scope: sc, binary: b, function: f, pc: pc, offset: offset}
	v.fill()
	return sc, nil
}

// symbolPlace finds a variable of the program. Where the program was loaded is known
// from where it is now, which is not so once it has returned.
func (b *binaryFile) symbolPlace(ev *Event, name string, pc uint64) (place, error) {
	address, ok := b.symbolAddress(name)
	switch {
	case !ok:
		return place{}, fmt.Errorf("is no symbol of %s", b.path.shown)
	case ev.atReturn() && !b.isGo:
		return place{}, errors.New("cannot be found at return: read it at entry")
	}
	return staticPlace(address, pc), nil
}

// staticPlace is memory of the program's file.
func staticPlace(address, pc uint64) place {
	return place{memory: true, space: UserMemory, fetch: Fetch{Word: wordIP, Constant: address - pc}}
}

// maxDebugInfo bounds the debug information that is read for arguments, in bytes.
const maxDebugInfo = 512 << 20

// readDebugData reads the debug information of the program or of its debug file.
func (b *binaryFile) readDebugData() (*symbol.DebugData, error) {
	f, err := os.Open(b.path.open)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	e, err := symbol.NewELF(f, b.path.symbolOptions())
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.DebugData(maxDebugInfo)
}

// address returns where the byte at a file offset is linked to lie.
func (b *binaryFile) address(offset uint64) (uint64, bool) {
	for _, p := range b.loaded {
		if offset >= p.Off && offset-p.Off < p.Filesz {
			return p.Vaddr + offset - p.Off, true
		}
	}
	return 0, false
}

// A dwarfScope fills a scope with what debug information says.
type dwarfScope struct {
	*scope
	binary     *binaryFile
	function   *dwarfFunction
	pc, offset uint64 // address and file offset
}

func (v *dwarfScope) fill() {
	f := v.function
	if v.ev.atReturn() {
		v.fillResult()
		return
	}
	l := &locator{function: f.base, cfa: v.cfa, addresses: f.unit.address,
		static: func(address uint64) place { return staticPlace(address, v.pc) }}
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

// inOrder returns the indices of the variables that a call has, parameters first: argN
// are those.
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

// passed is where the calling convention passes the parameters.
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
		// The address of where the result is to go comes first.
		return passArguments(append([]*valueType{{kind: kindPointer, size: 8}}, types...), UserMemory)[1:]
	}
	return passArguments(types, UserMemory)
}

// byConvention reports whether a parameter at the first instruction is where the
// calling convention says, not where debug information does: without optimization
// that is the place in the function's frame that it is going to be copied to.
func (v *dwarfScope) byConvention(d *dwarfVariable, at place) bool {
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
		return at.add < 8 // what the caller pushed is above the return address, and there
	}
	return true
}

// cfa is the canonical frame address: the stack pointer before the call.
func (v *dwarfScope) cfa() frameBase {
	if v.pc == v.function.entry {
		return frameBase{word: wordSP, add: 8}
	}
	rule := v.binary.unwindRule(v.offset)
	if rule.Kind != unwind.RuleStep || rule.Deref {
		return frameBase{err: errors.New("is in the function's frame, and where that is here is not described")}
	}
	w, err := dwarfWord(uint64(rule.Base))
	return frameBase{word: w, add: int64(rule.CFA), err: err}
}

// unwindRule finds how the frame at a file offset is unwound.
func (b *binaryFile) unwindRule(offset uint64) unwind.Rule {
	f, err := os.Open(b.path.open)
	if err != nil {
		return unwind.Rule{}
	}
	defer f.Close()
	m, err := unwind.ReadImage(f)
	if err != nil {
		return unwind.Rule{}
	}
	return m.Rule(offset)
}

func (v *dwarfScope) fillResult() {
	f := v.function
	if f.unit.language == languageGo {
		v.goResults()
		return
	}
	v.result = func() (place, error) {
		if f.result == nil {
			return place{}, errNoResult
		}
		return returned(f.result, UserMemory)
	}
}

// goResults are the results of a Go function at a return instruction.
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
		results[i].hidden = i == 0 // that is retval
	}
	v.params, v.typed = results, true
	v.result = func() (place, error) {
		if len(results) == 0 {
			return place{}, errNoResult
		}
		return results[0].at, results[0].err
	}
	v.goroutine()
}

// goroutine adds goid, the number of the goroutine: field goid of the runtime.g that
// a register points to in Go's calling convention, from Go 1.17 on.
func (v *dwarfScope) goroutine() {
	v.params = append(v.params, param{name: "goid", hidden: true, find: func() (place, error) {
		g := v.binary.goStructure("runtime.g")
		if g == nil {
			return place{}, errors.New("cannot be found: the program does not describe runtime.g")
		}
		return place{typ: g, memory: true, space: UserMemory, fetch: Fetch{Word: goG}}.field("goid")
	}})
}
