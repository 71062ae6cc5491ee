package probe

import (
	"fmt"
	"math/bits"
	"runtime"
)

// registerWords are the words of struct pt_regs by register.
var registerWords = map[string]uint8{
	"r15": 0, "r14": 1, "r13": 2, "r12": 3, "rbp": 4, "rbx": 5, "r11": 6, "r10": 7, "r9": 8, "r8": 9,
	"rax": 10, "rcx": 11, "rdx": 12, "rsi": 13, "rdi": 14, "rip": wordIP, "rsp": wordSP,
}

// fetch says how a program reads an argument at the instruction at pc; symbol finds
// addresses of symbols of the program.
func (a *sdtArgument) fetch(pc uint64, symbol func(name string) (uint64, bool)) (Fetch, error) {
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

// addArguments fetches what an event asks for, all that can be if it asks for nothing,
// at every place. Compilers choose other operands, sizes even, at each.
func (u *usdtProbe) addArguments(ev *Event, p *Probe) error {
	places := make([]usdtPlaceArguments, len(p.Sites))
	count := maxSDTArguments
	for i := range p.Sites {
		places[i] = u.arguments(&u.places[i])
		count = min(count, len(places[i].fetch))
	}
	for i := range count {
		if err := firstError(places, i); err != nil && len(ev.Args) == 0 {
			p.Notes = append(p.Notes, fmt.Sprintf("without arg%d: %v", i, err))
		}
	}
	named := *ev
	named.Match = MatchExact // those of a pattern have a program each, so their arguments cost nothing
	for site := range p.Sites {
		at := Probe{Kind: p.Kind}
		sc := u.binary.unknownScope(&named)
		sc.typed, sc.count = true, count
		for i := range count {
			sc.params = append(sc.params, usdtParam(places, site, i))
		}
		var err error
		if len(ev.Args) == 0 {
			err = sc.fetchAll(&at)
		} else {
			err = sc.fetchArguments(&at)
		}
		if err != nil {
			return err
		}
		p.Sites[site].Fetch = at.Fetch
		if site == 0 {
			p.Fetch, p.Fields = at.Fetch, at.Fields
		}
	}
	return nil
}

// usdtParam is an argument at one place, of the type that it has at all of them.
func usdtParam(places []usdtPlaceArguments, site, arg int) param {
	t := &valueType{kind: kindInteger, name: "unsigned"}
	for i := range places {
		a := &places[i].args[arg]
		t.size = max(t.size, a.size)
		if a.signed {
			t.signed, t.name = true, "signed"
		}
	}
	at := place{typ: t, space: UserMemory, exact: true, pieces: []Fetch{places[site].fetch[arg]}}
	return param{at: at, err: firstError(places, arg)}
}

// usdtPlaceArguments are the arguments at one place.
type usdtPlaceArguments struct {
	args  []sdtArgument
	fetch []Fetch
	errs  []error
}

func (u *usdtProbe) arguments(n *sdtNote) usdtPlaceArguments {
	var a usdtPlaceArguments
	a.args, a.errs = parseSDTArguments(n.arguments)
	a.fetch = make([]Fetch, len(a.args))
	for i := range a.args {
		if runtime.GOARCH != "amd64" {
			a.errs[i] = fmt.Errorf("operands of %s are not known", runtime.GOARCH)
		}
		if a.errs[i] == nil {
			a.fetch[i], a.errs[i] = a.args[i].fetch(n.address, u.binary.symbolAddress)
		}
	}
	return a
}

func firstError(places []usdtPlaceArguments, arg int) error {
	for i := range places {
		if err := places[i].errs[arg]; err != nil {
			return err
		}
	}
	return nil
}
