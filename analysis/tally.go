package analysis

import "trapline/format"

// A stackTally counts hits by StackID, before any filter.
type stackTally struct {
	kernel, user []uint64
}

// add counts the stacks of a block. It ignores undefined IDs, which are above
// highest.
func (t *stackTally) add(kernel, user []uint32, highest int) {
	tally(&t.kernel, kernel, highest)
	tally(&t.user, user, highest)
}

func tally(counts *[]uint64, ids []uint32, highest int) {
	if n := highest + 1 - len(*counts); n > 0 {
		*counts = append(*counts, make([]uint64, n)...)
	}
	for _, id := range ids {
		if int(id) <= highest {
			(*counts)[id]++
		}
	}
}

func (t *stackTally) merge(o *stackTally) {
	t.kernel, t.user = addAll(t.kernel, o.kernel), addAll(t.user, o.user)
}

func (t *stackTally) reset() {
	t.kernel, t.user = t.kernel[:0], t.user[:0]
}

func addAll(sum, counts []uint64) []uint64 {
	if n := len(counts) - len(sum); n > 0 {
		sum = append(sum, make([]uint64, n)...)
	}
	for i, n := range counts {
		sum[i] += n
	}
	return sum
}

// tally adds the stacks of a segment to the quality.
func (s *segment) tally(t *stackTally, q *Quality) {
	for id, hits := range t.kernel {
		if id > 0 && hits > 0 {
			q.KernelStacks += hits
			s.tallyStack(format.StackID(id), hits, q)
		}
	}
	for id, hits := range t.user {
		if id > 0 && hits > 0 {
			q.UserStacks += hits
			s.tallyStack(format.StackID(id), hits, q)
		}
	}
}

func (s *segment) tallyStack(id format.StackID, hits uint64, q *Quality) {
	st, ok := s.source.Stack(id)
	if !ok {
		return
	}
	if st.Cut != format.CutNone {
		q.Cut[st.Cut] += hits
	}
	guessed := false
	for _, id := range st.Frames {
		q.Frames += hits
		if !s.named(id) {
			q.Unnamed += hits
		}
		f, _ := s.source.Frame(id)
		guessed = guessed || f.Flags&format.FrameGuessed != 0
	}
	if guessed {
		q.Guessed += hits
	}
}
