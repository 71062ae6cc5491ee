package probe

import (
	"fmt"

	"trapline/bpf"
	"trapline/format"
)

// A valueForm is what an argument is asked to be recorded as.
type valueForm struct {
	kind  formKind
	typ   format.FieldType // formNumber
	size  int              // bytes of a number
	count int              // elements of an array; 0: it is none
	bits  int              // formBits: how many, beginning at shift, of size bytes
	shift int
	space Space  // memory that the value or the text lies in; NoMemory: what is usual
	max   int    // limit of text and bytes
	from  *Fetch // formBytes: their length; nil: max
}

type formKind uint8

const (
	formOwn formKind = iota // as the type says
	formNumber
	formBits
	formText
	formBytes
	formSymbol
	formIPv4
	formIPv6
	formPort
	formSockaddr
	formErrno
	formEnum   // numbers by the names of the own type
	formStruct // the members of the own type, one by one
)

// A captured is one argument as it is fetched and shown.
type captured struct {
	fetch Fetch
	field Field
}

// capture returns what is recorded of a value.
func (p place) capture(name string, form valueForm) ([]captured, error) {
	switch form.kind {
	case formOwn:
		return p.own(name, form)
	case formNumber:
		return p.numbers(name, form)
	case formBits:
		f, err := p.number(form.size, false, false)
		f.Left, f.Right = uint8(64-form.bits-form.shift), uint8(64-form.bits)
		return one2(f, Field{Name: name, Type: format.FieldUint, Size: uint16(form.size)}, err)
	case formPort:
		f, err := p.number(2, false, true)
		return one2(f, Field{Name: name, Type: format.FieldUint, Size: 2}, err)
	case formSymbol:
		f, err := p.value()
		return one2(f, Field{Name: name, Type: format.FieldSymbol, Size: 8}, err)
	case formText:
		return p.text(name, form)
	case formBytes:
		return p.bytes(name, form)
	case formIPv4:
		return p.ipv4(name)
	case formIPv6:
		return p.block(name, 16, ShowIPv6, form)
	case formSockaddr:
		return p.block(name, sockaddrSize, ShowSockaddr, form)
	case formErrno:
		f, err := p.number(8, true, false)
		if p.typ != nil && p.typ.scalar() {
			f, err = p.number(p.typ.size, true, false)
		}
		return one2(f, Field{Name: name, Type: format.FieldInt, Size: 8, Names: errnoNames()}, err)
	case formEnum:
		if p.typ == nil || p.typ.names == nil {
			return nil, fmt.Errorf("is not of an enumeration")
		}
		return p.own(name, form)
	}
	return p.structure(name, form)
}

func one2(f Fetch, field Field, err error) ([]captured, error) {
	if field.Count == 0 {
		field.Count = 1
	}
	return []captured{{f, field}}, err
}

// sockaddrSize is the size in bytes of struct sockaddr_in6, the longest that is shown whole.
const sockaddrSize = 28

// own records a value as its type says.
func (p place) own(name string, form valueForm) ([]captured, error) {
	t := p.typ
	switch {
	case t != nil && t.field != nil:
		return p.recorded(name)
	case t == nil || t.scalar():
		f, field, err := p.scalar(name)
		return one2(f, field, err)
	case t.kind == kindIPv4:
		return p.ipv4(name)
	case t.kind == kindIPv6:
		return p.block(name, 16, ShowIPv6, form)
	case t.kind == kindSockaddr && p.memory:
		return p.block(name, sockaddrSize, ShowSockaddr, form)
	case t.kind == kindGoString:
		return p.goString(name, form)
	case t.kind == kindGoSlice:
		return p.goSlice(name, form)
	case t.kind == kindArray && p.memory:
		return p.array(name, form)
	case t.kind == kindFloat:
		return nil, fmt.Errorf("is %s: programs cannot read vector registers, and floating-point memory is not shown", t.name)
	case t.kind == kindVoid:
		return nil, fmt.Errorf("has no value")
	case !p.memory && t.size > 0 && t.size <= 8:
		f, err := p.number(8, false, false)
		return one2(f, Field{Name: name, Type: format.FieldHex, Size: 8, CType: t.name}, err)
	}
	return p.structure(name, form)
}

// array records an array in memory: text for characters, its elements for numbers.
func (p place) array(name string, form valueForm) ([]captured, error) {
	element := p.typ.element()
	switch {
	case element.kind == kindChar:
		return p.text(name, form)
	case !element.scalar() || p.typ.count == 0 || p.typ.count > maxElements || element.bigEndian:
		return nil, fmt.Errorf("is %s: name one of its elements", p.typ.name)
	}
	form.typ, form.size, form.count = element.fieldType(), element.size, p.typ.count
	got, err := p.numbers(name, form)
	if len(got) == 1 {
		got[0].field.CType = p.typ.name
	}
	return got, err
}

// numbers records a number of the form's type, or an array of them.
func (p place) numbers(name string, form valueForm) ([]captured, error) {
	field := Field{Name: name, Type: form.typ, Size: uint16(form.size), Count: 1}
	if form.count == 0 {
		if form.space != NoMemory {
			p.space = form.space
		}
		big := p.typ != nil && p.typ.bigEndian && p.typ.size == form.size
		f, err := p.number(form.size, form.typ == format.FieldInt, big)
		return one2(f, field, err)
	}
	field.Count = uint16(form.count)
	f, err := p.pointed()
	f.As, f.Space, f.Max = FetchBlock, p.content(form), uint16(form.count*form.size)
	return one2(f, field, err)
}

// pointed returns the address that a pointer, a register or a word holds, or else that
// of the value itself: ftrace's +0(%di):string is the text that di points to.
func (p place) pointed() (Fetch, error) {
	isAddress := p.typ != nil && (p.typ.kind == kindPointer || p.typ.kind == kindInteger && p.typ.size == 8)
	if p.memory && !isAddress {
		return p.address()
	}
	return p.value()
}

// content is the memory that an address found here belongs to.
func (p place) content(form valueForm) Space {
	if form.space != NoMemory {
		return form.space
	}
	return p.space
}

// bytes records as much memory as a length says.
func (p place) bytes(name string, form valueForm) ([]captured, error) {
	f, err := p.pointed()
	f.As, f.Space, f.Max = FetchBytes, p.content(form), uint16(form.max)
	got, err := one2(f, Field{Name: name, Type: format.FieldBytes, Size: 4}, err)
	if form.from != nil {
		got = append([]captured{{fetch: *form.from}}, got...)
	}
	return got, err
}

func (p place) text(name string, form valueForm) ([]captured, error) {
	switch {
	case p.typ != nil && p.typ.kind == kindGoString:
		return p.goString(name, form)
	case p.typ != nil && p.typ.isText():
		return p.recorded(name)
	}
	limit := form.max
	if p.memory && p.typ != nil && p.typ.kind == kindArray && p.typ.count > 0 {
		limit = min(limit, p.typ.count)
	}
	f, err := p.pointed()
	f.As, f.Space, f.Max = FetchString, p.content(form), uint16(limit)
	return one2(f, Field{Name: name, Type: format.FieldString, Size: 4}, err)
}

// ipv4 records an address that is there, or that a pointer points to.
func (p place) ipv4(name string) ([]captured, error) {
	if p.typ != nil && p.typ.kind == kindPointer {
		to, err := p.deref()
		if err != nil {
			return nil, err
		}
		p = to
	}
	f, err := p.number(4, false, false)
	return one2(f, Field{Name: name, Type: format.FieldString, Size: 4, Show: ShowIPv4}, err)
}

// block records bytes in memory as they are.
func (p place) block(name string, size int, show Show, form valueForm) ([]captured, error) {
	f, err := p.pointed()
	f.As, f.Space, f.Max = FetchBlock, p.content(form), uint16(size)
	return one2(f, Field{Name: name, Type: format.FieldString, Size: uint16(size), Show: show}, err)
}

// goString records a Go string: the address of its bytes and their number.
func (p place) goString(name string, form valueForm) ([]captured, error) {
	return p.counted(name, format.FieldString, form)
}

// goSlice records the bytes of a []byte, and of other slices the length.
func (p place) goSlice(name string, form valueForm) ([]captured, error) {
	if element := p.typ.element(); element.kind == kindInteger && element.size == 1 {
		return p.counted(name, format.FieldBytes, form)
	}
	length, err := p.word(1)
	return one2(length, Field{Name: name + ".len", Type: format.FieldInt, Size: 8, CType: p.typ.name}, err)
}

// counted records as many bytes as the second word of a value says, at the address
// that is its first.
func (p place) counted(name string, typ format.FieldType, form valueForm) ([]captured, error) {
	length, err := p.word(1)
	if err != nil {
		return nil, err
	}
	f, err := p.word(0)
	length.Hidden = true
	f.As, f.Space, f.Max = FetchBytes, p.space, uint16(form.max)
	return []captured{{fetch: length}, {f, Field{Name: name, Type: typ, Size: 4, Count: 1, CType: p.typ.name}}}, err
}

// word returns the fetch of the i-th 8 bytes of a value.
func (p place) word(i int) (Fetch, error) {
	if p.memory {
		p.add += int64(8 * i)
		return p.load(8)
	}
	if i >= len(p.pieces) {
		return Fetch{}, fmt.Errorf("is only partly in registers")
	}
	return p.pieces[i], nil
}

// structure records the members of a structure that are numbers, one by one.
func (p place) structure(name string, form valueForm) ([]captured, error) {
	if p.typ != nil && p.typ.kind == kindPointer {
		to, err := p.deref()
		if err != nil {
			return nil, err
		}
		p = to
	}
	if p.typ == nil || p.typ.members == nil {
		return nil, fmt.Errorf("is not a structure")
	}
	var all []captured
	for _, m := range p.typ.members() {
		at := p.member(m)
		if m.name == "" || !(at.typ.scalar() || at.typ.kind == kindIPv4 || at.typ.kind == kindGoString) {
			continue
		}
		got, err := at.own(name+"."+m.name, form)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("is %s, none of whose fields is a number: name one of them", p.typ.name)
	}
	if len(all) > bpf.MaxFetches {
		return nil, fmt.Errorf("is %s, whose %d fields are too many to record: name those that matter", p.typ.name, len(all))
	}
	return all, nil
}
