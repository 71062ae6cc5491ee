package value

import (
	"fmt"
	"math/bits"
	"runtime"

	"trapline/capture/event"
	"trapline/capture/program"
)

// registerWords are the words of struct pt_regs by register.
var registerWords = map[string]uint8{
	"r15": 0, "r14": 1, "r13": 2, "r12": 3, "rbp": 4, "rbx": 5, "r11": 6, "r10": 7, "r9": 8, "r8": 9,
	"rax": 10, "rcx": 11, "rdx": 12, "rsi": 13, "rdi": 14, "rip": wordIP, "rsp": wordSP,
}

// fetch says how a program reads an argument at the instruction at pc; symbol finds
// addresses of symbols of the program.
func (a *usdtArgument) fetch(pc uint64, symbol func(name string) (uint64, bool)) (Fetch, error) {
	f := Fetch{}
	switch a.kind {
	case operandConstant:
		f.Base, f.Constant = FetchConstant, uint64(a.value)
		f.narrow(a.size, a.signed, false)
	case operandRegister:
		f.Word = registerWords[a.register.name]
		f.narrow(a.size, a.signed, false)
		f.Left -= uint8(a.register.shift)
	case operandMemory:
		if a.value != int64(int32(a.value)) && a.base != "" {
			return f, fmt.Errorf("the displacement %d is too large", a.value)
		}
		f.Constant = uint64(a.value)
		if a.symbol != "" {
			address, ok := symbol(a.symbol)
			if !ok {
				return f, fmt.Errorf("symbol %s is not in the program's symbol table", a.symbol)
			}
			// Where the program was loaded is known from where it is now.
			f.Constant += address - pc
			f.Word = wordIP
		} else if a.base == "" {
			f.Base = FetchConstant
		} else {
			f.Word = registerWords[a.base]
		}
		if a.index != "" {
			f.Indexed, f.Index, f.Scale = true, registerWords[a.index], uint8(bits.TrailingZeros(uint(a.scale)))
		}
		f.Steps = []FetchStep{{Space: UserMemory, Size: uint8(a.size)}}
		f.narrow(a.size, a.signed, false)
	}
	return f, nil
}

// AtUSDT fetches what an event asks for, or all that can be fetched if it asks for
// nothing, at every place of a USDT probe. Compilers choose other operands, sizes even,
// at each. It returns the record, what is fetched at each place, and what a user would
// not expect.
func (k *Kernel) AtUSDT(ev *event.Event, u *program.USDT) (rec Record, sites [][]Fetch, notes []string, err error) {
	places := make([]usdtPlace, len(u.Notes))
	count := maxUSDTArguments
	for i := range u.Notes {
		places[i] = usdtArgumentsAt(u.File, &u.Notes[i])
		count = min(count, len(places[i].fetch))
	}
	for i := range count {
		if err := firstError(places, i); err != nil && len(ev.Args) == 0 {
			notes = append(notes, fmt.Sprintf("without arg%d: %v", i, err))
		}
	}
	named := *ev
	named.Match = event.MatchExact // those of a pattern have a program each, so their arguments cost nothing
	for site := range places {
		at := Record{RecordSize: CommonSize}
		sc := k.inProgram(&named)
		sc.typed, sc.count = true, count
		for i := range count {
			sc.params = append(sc.params, usdtParam(places, site, i))
		}
		if err := sc.Fetch(&at); err != nil {
			return rec, nil, nil, err
		}
		sites = append(sites, at.Fetch)
		if site == 0 {
			rec = at
		}
	}
	return rec, sites, notes, nil
}

// usdtParam is an argument at one place, of the type that it has at all of them.
func usdtParam(places []usdtPlace, site, arg int) param {
	t := &valueType{kind: kindInteger, name: "unsigned"}
	for i := range places {
		a := &places[i].args[arg]
		t.size = max(t.size, a.size)
		if a.signed {
			t.signed, t.name = true, "signed"
		}
	}
	at := location{typ: t, space: UserMemory, exact: true, pieces: []Fetch{places[site].fetch[arg]}}
	return param{at: at, err: firstError(places, arg)}
}

// usdtPlace are the arguments at one place.
type usdtPlace struct {
	args  []usdtArgument
	fetch []Fetch
	errs  []error
}

func usdtArgumentsAt(f *program.File, n *program.USDTNote) usdtPlace {
	var a usdtPlace
	a.args, a.errs = parseUSDTArguments(n.Arguments)
	a.fetch = make([]Fetch, len(a.args))
	for i := range a.args {
		if runtime.GOARCH != "amd64" {
			a.errs[i] = fmt.Errorf("operands of %s are not known", runtime.GOARCH)
		}
		if a.errs[i] == nil {
			a.fetch[i], a.errs[i] = a.args[i].fetch(n.Address, f.SymbolAddress)
		}
	}
	return a
}

func firstError(places []usdtPlace, arg int) error {
	for i := range places {
		if err := places[i].errs[arg]; err != nil {
			return err
		}
	}
	return nil
}
