package layout

import (
	"fmt"
	"slices"

	"trapline/bpf"
	"trapline/format"
)

// A Record is what a program records of a hit besides its stacks, and where.
type Record struct {
	// Fields lay out the record that the program sends, in order of columns.
	Fields []Field
	// Fetch is what the program reads into the record itself, where it is not a
	// tracepoint's own.
	Fetch []Fetch
	// MarksAt is where the record says which values could not be read (4 bytes, a
	// bit for each field) and which were cut (4 bytes); 0: nowhere.
	MarksAt uint16
	// RecordSize is the size in bytes of the record's fixed part, the 8 common
	// bytes that are not sent included.
	RecordSize uint16
	// DataLocs are the record offsets of the words that say where dynamic fields
	// lie, at most bpf.MaxDataLocs. bpf.DataLocRelative is set in those of __rel_loc.
	DataLocs []uint16

	// DurationAt is the record offset of the field that says how long the call took
	// that returns here, in ns; 0: nowhere. It is unreadable where the program has not
	// seen the call begin.
	DurationAt uint16
	// DurationMark is that field's bit in the marks.
	DurationMark uint8

	// ForConditions: some values are recorded only because conditions look at them.
	ForConditions bool

	// Others are the names of all fields of a tracepoint of which some were chosen.
	Others []string
}

// A Field is where one argument lies in a record. Offsets count from the start of
// the trace record, whose first 8 bytes (common_type … common_pid) are never sent:
// they are at least 8 for tracepoints and functions alike.
type Field struct {
	Name     string
	Type     format.FieldType
	Offset   uint16
	Size     uint16 // bytes of one element; of the whole where Type is FieldString or FieldBytes
	Count    uint16 // elements of a fixed integer array; 1 otherwise
	Dynamic  bool   // a u32 at Offset holds length<<16 | record offset
	Relative bool   // Dynamic, and the offset counts from the end of the u32
	Show     Show   // FieldString: how the bytes in the record become text
	Names    string // what numbers are called, as format.Field.Names
	CType    string // as the program or the kernel declares it; "" not known
	Value    string // the argument that it shows, in the grammar's canonical spelling; "" none
}

// A Show is how the bytes of a text in the record become text.
type Show uint8

const (
	ShowText     Show = iota // they are it, up to a NUL
	ShowIPv4                 // 4 bytes in network order
	ShowIPv6                 // 16 bytes in network order
	ShowSockaddr             // struct sockaddr_in, sockaddr_in6 or sockaddr_un
)

// LayOut gives the fields of fetched values their places in the record. sites are what
// is fetched at each place, the record's own fetches among them. Where values may be
// unreadable or cut, two fields more say which were. The error says that programs
// cannot have these values: the record has no room for them, or lengths lie too far
// behind.
func (r *Record) LayOut(sites ...[]Fetch) error {
	if len(r.Fetch) == 0 {
		return nil
	}
	slots := Slots(r.Fetch)
	marked := slices.ContainsFunc(sites, func(fetches []Fetch) bool {
		return slices.ContainsFunc(fetches, func(f Fetch) bool { return f.fails() })
	})
	marked = marked || r.DurationAt != 0
	field := 0
	for i := range r.Fetch {
		f := &r.Fetch[i]
		if f.Hidden {
			continue
		}
		r.Fields[field].Offset = slots[i]
		r.Fields[field].Dynamic = f.As == FetchString || f.As == FetchBytes
		if r.Fields[field].Count == 0 {
			r.Fields[field].Count = 1
		}
		field++
	}
	if r.DurationAt != 0 {
		r.DurationAt = r.Fields[r.DurationMark].Offset
	}
	r.RecordSize = slots[len(r.Fetch)]
	if marked {
		r.Mark(r.RecordSize)
		r.RecordSize += 8
	}
	return r.checkSlots(slots)
}

// Mark adds the fields that say which values could not be read and which were cut.
func (r *Record) Mark(at uint16) {
	r.MarksAt = at
	r.Fields = append(r.Fields,
		Field{Type: format.FieldUnread, Offset: at, Size: 4, Count: 1},
		Field{Type: format.FieldCut, Offset: at + 4, Size: 4, Count: 1})
}

func (r *Record) checkSlots(slots []uint16) error {
	if r.RecordSize > bpf.MaxRecord {
		return fmt.Errorf("the arguments take %d bytes, and there is room for %d: name fewer", r.RecordSize, bpf.MaxRecord)
	}
	for i := range r.Fetch {
		if n := r.Fetch[i].LengthOf; n > 0 && slots[n-1] > 8*bpf.MaxFetches {
			return fmt.Errorf("a length lies behind %d bytes of other arguments: name what it is the length of before them", slots[n-1]-CommonSize)
		}
	}
	return nil
}

// A Value is one value of a record: how it is fetched and shown.
type Value struct {
	Fetch Fetch
	Field Field // empty for a hidden fetch
}

// Add adds the values of an argument. A hidden one is the length of the next.
func (r *Record) Add(all []Value) error {
	for _, v := range all {
		if len(r.Fetch) == bpf.MaxFetches {
			return fmt.Errorf("at most %d values can be recorded", bpf.MaxFetches)
		}
		if len(v.Fetch.Steps) > bpf.MaxSteps {
			return fmt.Errorf("%s lies behind %d memory accesses, and at most %d are possible", v.Field.Name, len(v.Fetch.Steps), bpf.MaxSteps)
		}
		if v.Fetch.Hidden {
			r.Fetch = append(r.Fetch, v.Fetch)
			continue
		}
		if n := len(r.Fetch); n > 0 && r.Fetch[n-1].Hidden && v.Fetch.As == FetchBytes {
			v.Fetch.LengthOf = uint8(n)
		}
		r.Fetch = append(r.Fetch, v.Fetch)
		r.Fields = append(r.Fields, v.Field)
	}
	return nil
}

// eachField calls yield with each field and its fetches: its own, behind hidden ones.
func (r *Record) eachField(yield func(f *Field, fetch []Fetch)) {
	first, field := 0, 0
	for i := range r.Fetch {
		if r.Fetch[i].Hidden {
			continue
		}
		yield(&r.Fields[field], r.Fetch[first:i+1])
		first = i + 1
		field++
	}
}

// FetchedLike returns how what the record has is fetched at another place, where the
// record there would be fetched as it is: each field like the one of its name. What
// is not found there, or is of another size, is unreadable.
func (r *Record) FetchedLike(there *Record) []Fetch {
	found := make(map[string][]Fetch)
	there.eachField(func(f *Field, fetch []Fetch) { found[f.Name] = fetch })
	var all []Fetch
	r.eachField(func(f *Field, fetch []Fetch) {
		variant := found[f.Name]
		same := len(variant) == len(fetch)
		for i := range fetch {
			same = same && variant[i].As == fetch[i].As && variant[i].Max == fetch[i].Max
		}
		for i, v := range fetch {
			if same {
				length := v.LengthOf
				v = variant[i]
				v.LengthOf = length
			} else {
				v = v.Unreadable()
			}
			all = append(all, v)
		}
	})
	return all
}
