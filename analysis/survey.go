package analysis

import "trapline/format"

// Survey reads what captures say about themselves: headers, accounts and damage.
// With stacks it also decodes the stack columns of the hits, and Result.Quality
// says how complete the stacks are. Without stacks it decodes no hits. The result
// has no probes, totals or samples. For errors see [Aggregate].
func Survey(inputs []*Input, stacks bool) (*Result, error) {
	s := &survey{stacks: stacks, result: &Result{}}
	s.result.Quality.Cut = make(map[format.StackCut]uint64)
	sc := scanner{visitor: s, account: !stacks, result: s.result}
	if err := sc.run(inputs); err != nil {
		return nil, err
	}
	return s.result, nil
}

// A survey is the state of a call of Survey.
type survey struct {
	stacks       bool
	result       *Result
	tally        stackTally // of the current segment
	kernel, user []uint32   // scratch
}

func (s *survey) probes(*format.Segment) {}

func (s *survey) hits(h *format.Hits, p *part) error {
	if !s.stacks {
		return nil
	}
	var err error
	if s.kernel, err = h.KernelStack(s.kernel); err == nil {
		s.user, err = h.UserStack(s.user)
	}
	if err != nil {
		s.result.Quality.Damage = append(s.result.Quality.Damage, damageOf(p.Input, err))
		return nil
	}
	s.tally.add(s.kernel, s.user, h.Segment.NumStacks())
	return nil
}

func (s *survey) endSegment(segment *format.Segment, p *part) error {
	if s.stacks {
		newSegment(nil, segment, p.boot).tally(&s.tally, &s.result.Quality)
		s.tally.reset()
	}
	return nil
}
