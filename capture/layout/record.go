package layout

import (
	"fmt"
	"slices"

	"trapline/bpf"
	"trapline/format"
)

// A Record describes the record that a program sends of a hit, without its stacks.
type Record struct {
	// Fields are the fields of the record in order of their columns.
	Fields []Field
	// Fetch lists the values that the program fetches. It is empty if the record is a
	// tracepoint's own.
	Fetch []Fetch
	// MarksAt is the record offset of two 4-byte words with a bit for each field: which
	// values could not be read, and which were truncated. 0 means that there are none.
	MarksAt uint16
	// RecordSize is the size in bytes of the fixed part of the record. It includes the 8
	// common bytes, which are not sent.
	RecordSize uint16
	// DataLocs are the record offsets of the words that locate dynamic fields, at most
	// bpf.MaxDataLocs. bpf.DataLocRelative is set in those of __rel_loc.
	DataLocs []uint16

	// DurationAt is the record offset of the field with the duration of the call that
	// returns here, in ns; 0 means none. The field is unreadable if the program has not
	// seen the call begin.
	DurationAt uint16
	// DurationMark is the bit of that field in the marks.
	DurationMark uint8

	// ForConditions reports whether some values are recorded only because conditions use
	// them.
	ForConditions bool

	// Others are the names of all fields of a tracepoint if only some are recorded.
	Others []string
}

// A Field says where one argument lies in a record. Offsets count from the start of the
// trace record. Its first 8 bytes (common_type … common_pid) are never sent, so offsets
// are at least 8, for tracepoints and functions alike.
type Field struct {
	Name     string
	Type     format.FieldType
	Offset   uint16
	Size     uint16 // bytes of one element; of the whole if Type is FieldString or FieldBytes
	Count    uint16 // elements of a fixed integer array; 1 otherwise
	Dynamic  bool   // a u32 at Offset holds length<<16 | record offset
	Relative bool   // Dynamic, and the offset counts from the end of the u32
	Show     Show   // FieldString: how to turn the bytes into text
	Names    string // names of numbers, as in format.Field.Names
	CType    string // type as the program or the kernel declares it; "" if not known
	Value    string // the argument that the field shows, in its canonical spelling; "" if none
}

// A Show says how to turn the bytes of a field into text.
type Show uint8

const (
	ShowText     Show = iota // as they are, up to a NUL
	ShowIPv4                 // 4 bytes in network order
	ShowIPv6                 // 16 bytes in network order
	ShowSockaddr             // struct sockaddr_in, sockaddr_in6 or sockaddr_un
)

// LayOut assigns record offsets to the fields of fetched values. sites are the fetches at
// each site of the probe, including the record's own. If a value may be unreadable or
// truncated, LayOut adds two fields of marks. It returns an error if the record is too
// large or if a length lies too far from its start.
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

// Mark adds the fields that say which values are unreadable and which are truncated.
func (r *Record) Mark(at uint16) {
	r.MarksAt = at
	r.Fields = append(r.Fields,
		Field{Type: format.FieldUnread, Offset: at, Size: 4, Count: 1},
		Field{Type: format.FieldCut, Offset: at + 4, Size: 4, Count: 1})
}

func (r *Record) checkSlots(slots []uint16) error {
	if r.RecordSize > bpf.MaxRecord {
		return fmt.Errorf("the arguments take %d bytes, and there is room for %d: record fewer", r.RecordSize, bpf.MaxRecord)
	}
	for i := range r.Fetch {
		if n := r.Fetch[i].LengthOf; n > 0 && slots[n-1] > 8*bpf.MaxFetches {
			return fmt.Errorf("a length follows %d bytes of other arguments: put the argument it belongs to first", slots[n-1]-CommonSize)
		}
	}
	return nil
}

// A Value is one value of a record: how to fetch it and how to show it.
type Value struct {
	Fetch Fetch
	Field Field // unused for a hidden fetch
}

// Add adds the values of an argument. A hidden value is the length of the next.
func (r *Record) Add(all []Value) error {
	for _, v := range all {
		if len(r.Fetch) == bpf.MaxFetches {
			return fmt.Errorf("at most %d values can be recorded", bpf.MaxFetches)
		}
		if len(v.Fetch.Steps) > bpf.MaxSteps {
			return fmt.Errorf("%s needs %d memory accesses, and at most %d are possible", v.Field.Name, len(v.Fetch.Steps), bpf.MaxSteps)
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

// eachField calls yield for each field with its fetch, after the hidden ones it needs.
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

// FetchedLike returns how to fetch the record's values at another site, given the record
// that the site would have by itself. Fields correspond by name. A field that the other
// record lacks, or that differs in size, becomes unreadable.
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
