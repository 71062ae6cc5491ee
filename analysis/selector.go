package analysis

import "trapline/format"

// A selector finds the rows of decoded blocks that pass a filter.
type selector struct {
	query  Query
	cpus   cpuSet
	dict   *dictionary
	stacks bool // stacks are requested or filtered on
}

func newSelector(q Query) selector {
	q.Task = ByThread
	return selector{
		query: q, cpus: newCPUSet(q.Filter.CPUs), dict: newDictionary(demangler(q)),
		stacks: q.Kernel || q.User || len(q.Filter.DSOs)+len(q.Filter.Symbols) > 0,
	}
}

// picked is a row, expressed in dictionary numbers.
type picked struct {
	task, probe  uint32
	kernel, user *Stack
}

// pick resolves a row. ok is false if the row does not pass the filter.
func (s *selector) pick(seg *segment, b *rows, r int) (hit picked, ok bool) {
	filter := &s.query.Filter
	probe := seg.probes[inside(b.probe[r], len(seg.probes))]
	task := seg.tasks[inside(b.task[r], len(seg.tasks))]
	if !probe.pass || !task.pass || !s.cpus.has(b.cpu[r]) {
		return hit, false
	}
	hit.task, hit.probe = task.number, probe.number
	if s.stacks {
		hit.kernel, hit.user = s.stack(seg, b.kernel[r], true), s.stack(seg, b.user[r], false)
		ok = MatchCall(Leaf(hit.kernel, hit.user), filter.DSOs, filter.Symbols)
		return hit, ok
	}
	return hit, true
}

func (s *selector) stack(seg *segment, id uint32, kernel bool) *Stack {
	st := s.dict.stackAt(seg.stack(format.StackID(id), kernel))
	if st != nil {
		s.dict.expand(st)
	}
	return st
}

// inside returns id, or 0 if id is undefined.
func inside(id uint32, n int) int {
	if int(id) < n {
		return int(id)
	}
	return 0
}
