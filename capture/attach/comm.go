package attach

import (
	"errors"
	"fmt"

	"trapline/bpf"
	"trapline/internal/glob"
)

// commLength is the number of characters that the kernel keeps of a task's name
// (TASK_COMM_LEN in include/linux/sched.h, without the NUL).
const commLength = 15

// commPatterns compiles patterns of task names for bpf/comm.h.
func commPatterns(patterns []string) (*bpf.HooksCommPatterns, error) {
	parsed := make([]*glob.Pattern, len(patterns))
	for i, text := range patterns {
		var err error
		if parsed[i], err = commPattern(text); err != nil {
			return nil, fmt.Errorf("task name %q: %w", text, err)
		}
	}
	automaton, err := glob.Compile(parsed...)
	if err != nil {
		return nil, fmt.Errorf("task names: %w", err)
	}
	set := &bpf.HooksCommPatterns{Start: automaton.Start, Accept: automaton.Accept}
	for c, s := range automaton.Steps {
		set.Steps[c].Advance, set.Steps[c].Stay = s.Advance, s.Stay
	}
	return set, nil
}

func commPattern(text string) (*glob.Pattern, error) {
	if text == "" {
		return nil, errors.New("it is empty")
	}
	p, err := glob.Parse(text)
	if err != nil {
		return nil, err
	}
	if p.Length() > commLength {
		return nil, fmt.Errorf("the kernel keeps %d characters of a name: put * after at most %d", commLength, commLength)
	}
	return p, nil
}
