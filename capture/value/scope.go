package value

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"trapline/capture/event"
	"trapline/capture/layout"
)

// A Scope holds what arguments may refer to at the place of an event.
type Scope struct {
	ev     *event.Event
	space  layout.Space // memory that addresses point to by default
	params []param
	count  int                                 // number of params that are function arguments; they come first
	typed  bool                                // there are no other arguments than params
	arg    func(i int) (location, error)       // returns an argument that params lack
	result func() (location, error)            // nil if not at a return
	symbol func(name string) (location, error) // returns the location of a symbol
	comm   func() (location, error)

	registers bool // the context is a struct pt_regs
}

// A param is an argument or a variable with its name.
type param struct {
	name   string
	at     location
	err    error                    // why it is unavailable
	find   func() (location, error) // replaces at and err if finding it takes time
	hidden bool                     // recorded only if asked for
}

// locate returns the location of an expression's value. Its errors are whole sentences.
func (s *Scope) locate(e *event.Expr) (location, error) {
	var at location
	var err error
	switch e.Op {
	case event.OpDeref:
		return s.deref(e)
	case event.OpField, event.OpIndex:
		if at, err = s.locate(e.Of); err != nil {
			return at, err
		}
		if e.Op == event.OpField {
			at, err = at.field(e.Name)
		} else {
			at, err = at.index(e.Index)
		}
		e = e.Of
	default:
		at, err = s.start(e)
	}
	if err != nil {
		return at, fmt.Errorf("%s %w", e, err)
	}
	return at, nil
}

// start returns the location that a value starts from.
func (s *Scope) start(e *event.Expr) (location, error) {
	switch e.Op {
	case event.OpArg:
		return s.argument(e.Index)
	case event.OpName:
		return s.name(e.Name)
	case event.OpReturn:
		if s.result == nil {
			return location{}, fmt.Errorf("exists at return only")
		}
		return s.result()
	case event.OpRegister:
		return s.register(e.Name)
	case event.OpStack, event.OpStackPointer:
		if !s.registers {
			return location{}, fmt.Errorf("is unavailable here: there are no registers")
		}
		sp := inRegister(nil, s.space, stackPointerWord())
		if e.Op == event.OpStackPointer {
			return sp, nil
		}
		return location{memory: true, space: s.space, fetch: sp.pieces[0], add: 8 * int64(e.Index)}, nil
	case event.OpComm:
		return s.comm()
	case event.OpSymbol:
		if e.Name == "" {
			return location{memory: true, space: s.space, fetch: layout.Fetch{Base: layout.FetchConstant, Constant: uint64(e.Offset)}}, nil
		}
		at, err := s.symbol(e.Name)
		at.add += e.Offset
		return at, err
	}
	return location{}, errors.New("cannot be recorded as an argument")
}

// deref follows an address: ftrace's +OFFSET(VALUE).
func (s *Scope) deref(e *event.Expr) (location, error) {
	of, err := s.locate(e.Of)
	if err != nil {
		return of, err
	}
	f, err := of.value()
	if err != nil {
		return of, fmt.Errorf("%s %w", e.Of, err)
	}
	if e.Offset < math.MinInt32 || e.Offset > math.MaxInt32 {
		return of, fmt.Errorf("%s has an offset that is too large", e)
	}
	to := location{memory: true, space: of.space, fetch: f, add: e.Offset}
	if to.space == layout.NoMemory {
		to.space = s.space
	}
	if e.User {
		to.space = layout.UserMemory
	}
	return to, nil
}

func (s *Scope) argument(i int) (location, error) {
	if i < s.count {
		return s.params[i].at, s.params[i].err
	}
	if s.typed {
		return location{}, fmt.Errorf("does not exist: there are %s", event.Counted(s.count, "argument"))
	}
	return s.arg(i)
}

func (s *Scope) name(name string) (location, error) {
	var names []string
	for i := range s.params {
		p := &s.params[i]
		if p.name == name && p.find != nil {
			return p.find()
		}
		if p.name == name {
			return p.at, p.err
		}
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	if len(names) == 0 && s.typed {
		return location{}, fmt.Errorf("does not exist: there are no arguments here")
	}
	if len(names) == 0 {
		return location{}, fmt.Errorf("is not known here: there is no type information, so arguments are arg0, arg1, …")
	}
	return location{}, fmt.Errorf("is not an argument here: there are %s", strings.Join(names, ", "))
}

func (s *Scope) register(name string) (location, error) {
	if !s.registers {
		return location{}, fmt.Errorf("is unavailable here: there are no registers")
	}
	r, ok := findRegister(name)
	if !ok {
		return location{}, fmt.Errorf("is not a register: there are %s", registerNames())
	}
	at := inRegister(nil, s.space, r.word)
	if r.size < 8 {
		at.typ = &valueType{kind: kindInteger, name: name, size: int(r.size)}
	}
	return at, nil
}

// paramName returns the name of a parameter, or argN if it has none.
func paramName(params []param, i int) string {
	name := params[i].name
	for j := range i {
		if params[j].name == name {
			name = ""
		}
	}
	if name == "" {
		return fmt.Sprintf("arg%d", i)
	}
	return name
}
