package probe

import "errors"

// programScope is what can be asked for in a program of which nothing is known.
func programScope(ev *Event) *scope {
	sc := &scope{ev: ev, space: UserMemory, registers: true, arg: func(i int) (place, error) { return plainArgument(ev, i, UserMemory) }}
	sc.symbol = func(string) (place, error) {
		return place{}, errors.New("symbols of programs cannot be read as arguments")
	}
	if ev.atReturn() {
		sc.result = func() (place, error) { return returned(nil, UserMemory) }
	}
	return sc
}
