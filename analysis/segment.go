package analysis

import (
	"math"

	"trapline/format"
)

// A segment maps the IDs of one segment to dictionary numbers. Tasks and probes are
// mapped as their IDs appear. Stacks and frames are mapped only at the end of the
// segment, because symbols come last.
type segment struct {
	dict   *dictionary
	source *format.Segment
	boot   string
	tasks  []taskEntry  // by TaskID
	probes []probeEntry // by ProbeID
	images []uint32     // by ImageID; 0 if not mapped yet
	frames []uint32     // by FrameID: number+1
	stacks []uint32     // by StackID: number+1
	names  []nameState  // by FrameID
	path   []uint32     // scratch
}

type nameState uint8

const (
	notLookedUp nameState = iota
	hasName
	hasNoName
)

type taskEntry struct {
	number uint32 // of the task, reduced to what the query asks for
	pass   bool
}

type probeEntry struct {
	number uint32
	pass   bool
	args   uint64 // bit i is set if the probe has argument Query.Args[i]
	fields []argField
}

// An argField is the field of a probe that an argument of the query refers to.
type argField struct {
	field *Field
	whole bool // rather than one element of an array
}

func newSegment(d *dictionary, s *format.Segment, boot string) *segment {
	return &segment{dict: d, source: s, boot: boot}
}

// update maps tasks and probes that were defined since the last call. Slices
// returned earlier stay valid but do not see new entries.
func (s *segment) update(q *Query, args []argName) {
	for id := len(s.tasks); id <= s.source.NumTasks(); id++ {
		s.tasks = append(s.tasks, s.taskEntry(format.TaskID(id), q))
	}
	for id := len(s.probes); id <= s.source.NumProbes(); id++ {
		n := s.dict.probe(s.source, format.ProbeID(id))
		p := s.dict.probeList[n]
		e := probeEntry{number: n, pass: q.Filter.matchProbe(p.Name)}
		for i := range args {
			var f argField
			if field, element, ok := MatchArg(p, q.Args[i]); ok {
				f = argField{&p.Fields[field], element < 0}
				e.args |= 1 << i
			}
			e.fields = append(e.fields, f)
		}
		s.probes = append(s.probes, e)
	}
}

func (s *segment) taskEntry(id format.TaskID, q *Query) taskEntry {
	ft, ok := s.source.Task(id)
	t := Task{Comm: "[unknown]"}
	if ok {
		t = Task{PID: ft.PID, TID: ft.TID, Comm: s.source.String(ft.Comm)}
	}
	e := taskEntry{pass: q.Filter.matchTask(t, ok)}
	switch q.Task {
	case ByThread:
		e.number = s.dict.task(t)
	case ByComm:
		e.number = s.dict.task(Task{Comm: t.Comm})
	case ByPID:
		e.number = s.dict.task(Task{PID: t.PID})
	}
	if q.Task >= ByPID {
		s.dict.nameProcess(t)
	}
	return e
}

// stack returns the dictionary number of a stack, plus 1, or 0 for no stack.
func (s *segment) stack(id format.StackID, kernel bool) uint32 {
	if id == 0 {
		return 0
	}
	if int(id) > s.source.NumStacks() {
		return s.dict.stack(kernel, format.CutNone, nil, true) + 1
	}
	if s.stacks == nil {
		s.stacks = make([]uint32, s.source.NumStacks()+1)
	}
	if n := s.stacks[id]; n != 0 {
		return n
	}
	st, ok := s.source.Stack(id)
	if !ok {
		s.stacks[id] = s.dict.stack(kernel, format.CutNone, nil, true) + 1
		return s.stacks[id]
	}
	s.path = s.path[:0]
	for _, f := range st.Frames {
		s.path = append(s.path, s.frame(f, st.Kernel))
	}
	s.stacks[id] = s.dict.stack(st.Kernel, st.Cut, s.path, false) + 1
	return s.stacks[id]
}

func (s *segment) frame(id format.FrameID, kernel bool) uint32 {
	if s.frames == nil {
		s.frames = make([]uint32, s.source.NumFrames()+1)
	}
	known := int(id) < len(s.frames)
	if known && s.frames[id] != 0 {
		return s.frames[id] - 1
	}
	f, ok := s.source.Frame(id)
	if !ok {
		return s.dict.lostFrame()
	}
	n := s.dict.frame(codePlace{s.image(f.Image), f.Flags, f.Kind, kernel, f.Offset}, s.source, id)
	if known {
		s.frames[id] = n + 1
	}
	return n
}

func (s *segment) image(id format.ImageID) uint32 {
	if s.images == nil {
		s.images = make([]uint32, s.source.NumImages()+1)
	}
	known := int(id) < len(s.images)
	if known && s.images[id] != 0 {
		return s.images[id]
	}
	img, ok := s.source.Image(id)
	if !ok {
		return 0
	}
	n := s.dict.image(s.source, img, s.boot)
	if known {
		s.images[id] = n
	}
	return n
}

// named reports whether the function of the frame is known.
func (s *segment) named(id format.FrameID) bool {
	if s.names == nil {
		s.names = make([]nameState, s.source.NumFrames()+1)
	}
	known := int(id) < len(s.names)
	if known && s.names[id] != notLookedUp {
		return s.names[id] == hasName
	}
	sym, ok := s.source.Symbol(id)
	has := ok && len(sym.Calls) > 0 && sym.Calls[0].Function != 0
	if known {
		s.names[id] = hasNoName
		if has {
			s.names[id] = hasName
		}
	}
	return has
}

// value decodes an argument from its columns.
func (s *segment) value(f *Field, columns []uint64, whole bool) Value {
	v := Value{Field: f, Number: columns[0]}
	// A number that does not fit an ID must not alias another ID.
	id := uint32(min(columns[0], math.MaxUint32))
	switch f.Type {
	case format.FieldString, format.FieldBytes:
		v.Text = s.source.String(format.StringID(id))
		v.Number = 0
		return v
	case format.FieldSymbol:
		if columns[0] != 0 {
			frame := s.dict.frameList[s.frame(format.FrameID(id), true)]
			v.Symbol = frame.Calls[0]
		}
		v.Number = 0
		return v
	}
	if whole && f.Count > 1 {
		v.Numbers = columns
	}
	return v
}
