package probe

import (
	"fmt"
	"math/bits"
	"runtime"

	"trapline/format"
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
	args := ev.Args
	if len(args) == 0 {
		for i := range count {
			if err := firstError(places, i); err != nil {
				p.Notes = append(p.Notes, fmt.Sprintf("without arg%d: %v", i, err))
				continue
			}
			value := Expr{Op: OpArg, Index: i}
			args = append(args, Arg{Name: value.String(), Value: value})
		}
	}
	for i := range args {
		n := args[i].Value.leaf().Index
		if args[i].Value.Op != OpArg {
			return &InvalidError{ev.Text, args[i].Value.String() + " cannot be recorded of a USDT probe: its arguments are arg0 to argN"}
		}
		if n >= count {
			return &InvalidError{ev.Text, fmt.Sprintf("%s does not exist: the probe has %s", args[i].Value.String(), counted(count, "argument"))}
		}
		if err := firstError(places, n); err != nil {
			return &UnsupportedError{Event: ev.Text, Reason: args[i].Value.String() + ": " + err.Error()}
		}
	}
	for site := range p.Sites {
		at := Probe{Kind: p.Kind}
		for i := range args {
			n := args[i].Value.Index
			operand := &places[site].fetch[n]
			at.add(&args[i], *operand, usdtField(args[i].Name, places, n))
			f := &at.Fetch[i]
			if f.As != FetchNumber && places[site].args[n].size != 8 {
				return &InvalidError{ev.Text, args[i].Value.String() + " is not an address: it is narrower"}
			}
			// All bits of the slot are the operand's; the field takes those that it shows.
			f.Signed, f.Left, f.Right = operand.Signed, operand.Left, operand.Right
		}
		p.Sites[site].Fetch = at.Fetch
		if site == 0 {
			p.Fetch, p.Fields = at.Fetch, at.Fields
		}
	}
	return nil
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

// usdtField holds what any of the places may have.
func usdtField(name string, places []usdtPlaceArguments, arg int) Field {
	f := Field{Name: name, Type: format.FieldUint, Count: 1}
	for i := range places {
		a := &places[i].args[arg]
		f.Size = max(f.Size, uint16(a.size))
		if a.signed {
			f.Type = format.FieldInt
		}
	}
	return f
}
