package probe

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// A scope is what arguments may refer to where an event happens.
type scope struct {
	ev     *Event
	space  Space // memory that addresses belong to, unless said otherwise
	params []param
	count  int                              // of params that are the function's arguments, which come first
	typed  bool                             // params are all that there are
	arg    func(i int) (place, error)       // an argument that params do not have
	result func() (place, error)            // nil: not at a return
	symbol func(name string) (place, error) // what is at a symbol's address
	comm   func() (place, error)

	registers bool // the context is a struct pt_regs
}

// A param is an argument, or a variable, by name.
type param struct {
	name   string
	at     place
	err    error                 // why it cannot be had
	find   func() (place, error) // instead of at and err, where finding it takes time
	hidden bool                  // recorded only when it is asked for
}

// place finds where an expression's value is. Its errors are whole sentences.
func (s *scope) place(e *Expr) (place, error) {
	var at place
	var err error
	switch e.Op {
	case OpDeref:
		return s.deref(e)
	case OpField, OpIndex:
		if at, err = s.place(e.Of); err != nil {
			return at, err
		}
		if e.Op == OpField {
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

// start finds where a value starts.
func (s *scope) start(e *Expr) (place, error) {
	switch e.Op {
	case OpArg:
		return s.argument(e.Index)
	case OpName:
		return s.name(e.Name)
	case OpReturn:
		if s.result == nil {
			return place{}, fmt.Errorf("exists at return only")
		}
		return s.result()
	case OpRegister:
		return s.register(e.Name)
	case OpStack, OpStackPointer:
		if !s.registers {
			return place{}, fmt.Errorf("cannot be had here: there are no registers")
		}
		sp := inRegister(nil, s.space, stackPointerWord())
		if e.Op == OpStackPointer {
			return sp, nil
		}
		return place{memory: true, space: s.space, fetch: sp.pieces[0], add: 8 * int64(e.Index)}, nil
	case OpComm:
		return s.comm()
	case OpSymbol:
		if e.Name == "" {
			return place{memory: true, space: s.space, fetch: Fetch{Base: FetchConstant, Constant: uint64(e.Offset)}}, nil
		}
		at, err := s.symbol(e.Name)
		at.add += e.Offset
		return at, err
	}
	return place{}, errors.New("cannot be recorded as an argument")
}

// deref follows an address: ftrace's +OFFSET(VALUE).
func (s *scope) deref(e *Expr) (place, error) {
	of, err := s.place(e.Of)
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
	to := place{memory: true, space: of.space, fetch: f, add: e.Offset}
	if to.space == NoMemory {
		to.space = s.space
	}
	if e.User {
		to.space = UserMemory
	}
	return to, nil
}

func (s *scope) argument(i int) (place, error) {
	if i < s.count {
		return s.params[i].at, s.params[i].err
	}
	if s.typed {
		return place{}, fmt.Errorf("does not exist: there are %s", counted(s.count, "argument"))
	}
	return s.arg(i)
}

func (s *scope) name(name string) (place, error) {
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
		return place{}, fmt.Errorf("does not exist: there are no arguments here")
	}
	if len(names) == 0 {
		return place{}, fmt.Errorf("is not known here by name: there is no type information; arguments are arg0, arg1, …")
	}
	return place{}, fmt.Errorf("is no argument here: there are %s", strings.Join(names, ", "))
}

func (s *scope) register(name string) (place, error) {
	if !s.registers {
		return place{}, fmt.Errorf("cannot be had here: there are no registers")
	}
	r, ok := findRegister(name)
	if !ok {
		return place{}, fmt.Errorf("is not a register: there are %s", registerNames())
	}
	at := inRegister(nil, s.space, r.word)
	if r.size < 8 {
		at.typ = &valueType{kind: kindInteger, name: name, size: int(r.size)}
	}
	return at, nil
}
