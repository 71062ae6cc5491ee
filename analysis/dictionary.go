package analysis

import (
	"encoding/binary"

	"trapline/format"
)

// A dictionary interns everything that the segments of all captures name.
type dictionary struct {
	*codeDictionary
	tasks     map[Task]uint32 // into taskList
	taskList  []*Task
	processes map[uint32]string   // PID → name
	probes    map[string][]uint32 // name → indices into probeList
	probeList []*Probe
	names     map[string]*ValueNames // by encoded names
	values    map[valueKey]uint32    // into valueList
	valueList []Value
	scratch   []byte
}

type valueKey struct {
	arg    int // index into Query.Args
	kind   format.FieldType
	state  ValueState
	number uint64
	text   string // of strings and bytes; the elements of arrays
	symbol *Call
}

func newDictionary(demangle func(string) string) *dictionary {
	return &dictionary{
		codeDictionary: newCodeDictionary(demangle),
		tasks:          make(map[Task]uint32),
		processes:      make(map[uint32]string),
		probes:         make(map[string][]uint32),
		names:          make(map[string]*ValueNames),
		values:         make(map[valueKey]uint32),
	}
}

func (d *dictionary) task(t Task) uint32 {
	n, ok := d.tasks[t]
	if !ok {
		n = uint32(len(d.taskList))
		d.tasks[t] = n
		d.taskList = append(d.taskList, &t)
	}
	return n
}

// nameProcess records the name of a process: that of its main thread, otherwise
// that of the first thread seen.
func (d *dictionary) nameProcess(t Task) {
	if _, ok := d.processes[t.PID]; !ok || t.TID == t.PID {
		d.processes[t.PID] = t.Comm
	}
}

// probe interns a probe. Probes of the same name may have different fields, because
// kernels differ.
func (d *dictionary) probe(s *format.Segment, id format.ProbeID) uint32 {
	p := d.newProbe(s, id)
	for _, n := range d.probes[p.Name] {
		if sameProbe(d.probeList[n], p) {
			return n
		}
	}
	n := uint32(len(d.probeList))
	d.probeList = append(d.probeList, p)
	d.probes[p.Name] = append(d.probes[p.Name], n)
	return n
}

func (d *dictionary) newProbe(s *format.Segment, id format.ProbeID) *Probe {
	fp, ok := s.Probe(id)
	if !ok {
		return &Probe{Name: "[lost]", Period: 1}
	}
	p := &Probe{Name: s.String(fp.Name), Event: s.String(fp.Event), Kind: fp.Kind, Period: max(fp.Period, 1)}
	shape, _ := s.Shape(fp.Shape)
	p.marks = findMarks(shape)
	column := 0
	for i, f := range shape.Fields {
		first := column
		column += int(f.Count)
		if f.Type.Mark() {
			continue
		}
		p.Fields = append(p.Fields, Field{Name: s.String(f.Name), Type: f.Type, size: int(f.Size), Count: int(f.Count),
			Names: d.valueNames(s.String(f.Names)), column: first, mark: i})
	}
	return p
}

func sameProbe(a, b *Probe) bool {
	if a.Kind != b.Kind || a.Event != b.Event || a.Period != b.Period || len(a.Fields) != len(b.Fields) {
		return false
	}
	for i := range a.Fields {
		if a.Fields[i] != b.Fields[i] {
			return false
		}
	}
	return true
}

// valueNames interns the names of the numbers of an argument. It returns nil if
// there are none.
func (d *dictionary) valueNames(text string) *ValueNames {
	if text == "" {
		return nil
	}
	n, ok := d.names[text]
	if !ok {
		n = parseValueNames(text)
		d.names[text] = n
	}
	return n
}

// value interns a value of argument number arg of Query.Args.
func (d *dictionary) value(arg int, v Value) uint32 {
	k := valueKey{arg: arg, kind: v.Field.Type, state: v.State, number: v.Number, text: v.Text, symbol: v.Symbol}
	if v.Numbers != nil {
		b := d.scratch[:0]
		for _, n := range v.Numbers {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
		d.scratch = b
		k.text = string(b)
	}
	n, ok := d.values[k]
	if !ok {
		n = uint32(len(d.valueList))
		v.Numbers = append([]uint64(nil), v.Numbers...)
		d.values[k] = n
		d.valueList = append(d.valueList, v)
	}
	return n
}
