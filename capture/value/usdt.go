package value

import (
	"fmt"
	"math/bits"
	"runtime"

	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/program"
	"trapline/capture/usdt"
)

// registerWords maps registers to words of struct pt_regs.
var registerWords = map[string]uint8{
	"r15": 0, "r14": 1, "r13": 2, "r12": 3, "rbp": 4, "rbx": 5, "r11": 6, "r10": 7, "r9": 8, "r8": 9,
	"rax": 10, "rcx": 11, "rdx": 12, "rsi": 13, "rdi": 14, "rip": wordIP, "rsp": wordSP,
}

// operandFetch returns how to fetch an argument at the instruction at pc. symbol returns
// the addresses of the program's symbols.
func operandFetch(a *usdt.Argument, pc uint64, symbol func(name string) (uint64, bool)) (layout.Fetch, error) {
	f := layout.Fetch{}
	switch a.Kind {
	case usdt.Constant:
		f.Base, f.Constant = layout.FetchConstant, uint64(a.Value)
		f.Narrow(a.Size, a.Signed, false)
	case usdt.InRegister:
		f.Word = registerWords[a.Register.Name]
		f.Narrow(a.Size, a.Signed, false)
		f.Left -= uint8(a.Register.Shift)
	case usdt.InMemory:
		if a.Value != int64(int32(a.Value)) && a.Base != "" {
			return f, fmt.Errorf("the displacement %d is too large", a.Value)
		}
		f.Constant = uint64(a.Value)
		if a.Symbol != "" {
			address, ok := symbol(a.Symbol)
			if !ok {
				return f, fmt.Errorf("symbol %s is not in the program's symbol table", a.Symbol)
			}
			// The load address is only known relative to the current instruction.
			f.Constant += address - pc
			f.Word = wordIP
		} else if a.Base == "" {
			f.Base = layout.FetchConstant
		} else {
			f.Word = registerWords[a.Base]
		}
		if a.Index != "" {
			f.Indexed, f.Index, f.Scale = true, registerWords[a.Index], uint8(bits.TrailingZeros(uint(a.Scale)))
		}
		f.Steps = []layout.FetchStep{{Space: layout.UserMemory, Size: uint8(a.Size)}}
		f.Narrow(a.Size, a.Signed, false)
	}
	return f, nil
}

// AtUSDT fetches what an event asks for, or every argument if it asks for none, at all
// places of a USDT probe. Compilers choose different operands, even of different sizes,
// at each place. AtUSDT returns the record, the fetches at each place, and notes about
// what a user may not expect.
func (k *Kernel) AtUSDT(ev *event.Event, file *program.File, u *usdt.Probe) (rec layout.Record, sites [][]layout.Fetch, notes []string, err error) {
	places := make([]usdtPlace, len(u.Notes))
	count := usdt.MaxArguments
	for i := range u.Notes {
		places[i] = usdtArgumentsAt(file, &u.Notes[i])
		count = min(count, len(places[i].fetch))
	}
	for i := range count {
		if err := firstError(places, i); err != nil && len(ev.Args) == 0 {
			notes = append(notes, fmt.Sprintf("without arg%d: %v", i, err))
		}
	}
	named := *ev
	named.Match = event.MatchExact // each probe of a pattern has its own program, so arguments cost nothing
	for site := range places {
		at := layout.Record{RecordSize: layout.CommonSize}
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

// usdtParam returns an argument at one place, with the type that fits all places.
func usdtParam(places []usdtPlace, site, arg int) param {
	t := &valueType{kind: kindInteger, name: "unsigned"}
	for i := range places {
		a := &places[i].args[arg]
		t.size = max(t.size, a.Size)
		if a.Signed {
			t.signed, t.name = true, "signed"
		}
	}
	at := location{typ: t, space: layout.UserMemory, exact: true, pieces: []layout.Fetch{places[site].fetch[arg]}}
	return param{at: at, err: firstError(places, arg)}
}

// A usdtPlace holds the arguments at one place.
type usdtPlace struct {
	args  []usdt.Argument
	fetch []layout.Fetch
	errs  []error
}

func usdtArgumentsAt(f *program.File, n *usdt.Note) usdtPlace {
	var a usdtPlace
	a.args, a.errs = usdt.ParseArguments(n.Arguments)
	a.fetch = make([]layout.Fetch, len(a.args))
	for i := range a.args {
		if runtime.GOARCH != "amd64" {
			a.errs[i] = fmt.Errorf("operands of %s are not known", runtime.GOARCH)
		}
		if a.errs[i] == nil {
			a.fetch[i], a.errs[i] = operandFetch(&a.args[i], n.Address, f.SymbolAddress)
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
