package value

import (
	"fmt"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/format"
)

// capture returns what is recorded of a value.
func (l location) capture(name string, form valueForm) ([]layout.Value, error) {
	switch form.kind {
	case formOwn:
		return l.own(name, form)
	case formNumber:
		return l.numbers(name, form)
	case formBits:
		f, err := l.number(form.size, false, false)
		f.Left, f.Right = uint8(64-form.bits-form.shift), uint8(64-form.bits)
		return single(f, layout.Field{Name: name, Type: format.FieldUint, Size: uint16(form.size)}, err)
	case formPort:
		f, err := l.number(2, false, true)
		return single(f, layout.Field{Name: name, Type: format.FieldUint, Size: 2}, err)
	case formSymbol:
		f, err := l.value()
		return single(f, layout.Field{Name: name, Type: format.FieldSymbol, Size: 8}, err)
	case formText:
		return l.text(name, form)
	case formBytes:
		return l.bytes(name, form)
	case formIPv4:
		return l.ipv4(name)
	case formIPv6:
		return l.block(name, 16, layout.ShowIPv6, form)
	case formSockaddr:
		return l.block(name, sockaddrSize, layout.ShowSockaddr, form)
	case formErrno:
		f, err := l.number(8, true, false)
		if l.typ != nil && l.typ.scalar() {
			f, err = l.number(l.typ.size, true, false)
		}
		return single(f, layout.Field{Name: name, Type: format.FieldInt, Size: 8, Names: errnoNames()}, err)
	case formEnum:
		if l.typ == nil || l.typ.names == nil {
			return nil, fmt.Errorf("is not of an enumeration")
		}
		return l.own(name, form)
	}
	return l.structure(name, form)
}

func single(f layout.Fetch, field layout.Field, err error) ([]layout.Value, error) {
	if field.Count == 0 {
		field.Count = 1
	}
	return []layout.Value{{Fetch: f, Field: field}}, err
}

// sockaddrSize is the size in bytes of struct sockaddr_in6, the largest address shown
// completely.
const sockaddrSize = 28

// own records a value as its own type.
func (l location) own(name string, form valueForm) ([]layout.Value, error) {
	t := l.typ
	switch {
	case t != nil && t.field != nil:
		return l.recorded(name)
	case t == nil || t.scalar():
		f, field, err := l.scalar(name)
		return single(f, field, err)
	case t.kind == kindIPv4:
		return l.ipv4(name)
	case t.kind == kindIPv6:
		return l.block(name, 16, layout.ShowIPv6, form)
	case t.kind == kindSockaddr && l.memory:
		return l.block(name, sockaddrSize, layout.ShowSockaddr, form)
	case t.kind == kindGoString:
		return l.goString(name, form)
	case t.kind == kindGoSlice:
		return l.goSlice(name, form)
	case t.kind == kindArray && l.memory:
		return l.array(name, form)
	case t.kind == kindFloat:
		return nil, fmt.Errorf("is %s: programs cannot read vector registers, and floating-point memory is not shown", t.name)
	case t.kind == kindVoid:
		return nil, fmt.Errorf("has no value")
	case !l.memory && t.size > 0 && t.size <= 8:
		f, err := l.number(8, false, false)
		return single(f, layout.Field{Name: name, Type: format.FieldHex, Size: 8, CType: t.name}, err)
	}
	return l.structure(name, form)
}

// array records an array in memory: characters as text, numbers as elements.
func (l location) array(name string, form valueForm) ([]layout.Value, error) {
	element := l.typ.element()
	switch {
	case element.kind == kindChar:
		return l.text(name, form)
	case !element.scalar() || l.typ.count == 0 || l.typ.count > event.MaxElements || element.bigEndian:
		return nil, fmt.Errorf("is %s: name one of its elements", l.typ.name)
	}
	form.typ, form.size, form.count = element.fieldType(), element.size, l.typ.count
	got, err := l.numbers(name, form)
	if len(got) == 1 {
		got[0].Field.CType = l.typ.name
	}
	return got, err
}

// numbers records a number of the form's type, or an array of numbers.
func (l location) numbers(name string, form valueForm) ([]layout.Value, error) {
	field := layout.Field{Name: name, Type: form.typ, Size: uint16(form.size), Count: 1}
	if form.count == 0 {
		if form.space != layout.NoMemory {
			l.space = form.space
		}
		big := l.typ != nil && l.typ.bigEndian && l.typ.size == form.size
		f, err := l.number(form.size, form.typ == format.FieldInt, big)
		return single(f, field, err)
	}
	field.Count = uint16(form.count)
	f, err := l.pointed()
	f.As, f.Space, f.Max = layout.FetchBlock, l.content(form), uint16(form.count*form.size)
	return single(f, field, err)
}

// pointed returns the address in a pointer, register or word, or else the address of the
// value itself: ftrace's +0(%di):string is the text that di points to.
func (l location) pointed() (layout.Fetch, error) {
	isAddress := l.typ != nil && (l.typ.kind == kindPointer || l.typ.kind == kindInteger && l.typ.size == 8)
	if l.memory && !isAddress {
		return l.address()
	}
	return l.value()
}

// content returns the memory that an address found here points to.
func (l location) content(form valueForm) layout.Space {
	if form.space != layout.NoMemory {
		return form.space
	}
	return l.space
}

// bytes records memory of a given length.
func (l location) bytes(name string, form valueForm) ([]layout.Value, error) {
	f, err := l.pointed()
	f.As, f.Space, f.Max = layout.FetchBytes, l.content(form), uint16(form.max)
	got, err := single(f, layout.Field{Name: name, Type: format.FieldBytes, Size: 4}, err)
	if form.from != nil {
		got = append([]layout.Value{{Fetch: *form.from}}, got...)
	}
	return got, err
}

func (l location) text(name string, form valueForm) ([]layout.Value, error) {
	switch {
	case l.typ != nil && l.typ.kind == kindGoString:
		return l.goString(name, form)
	case l.typ != nil && l.typ.isText():
		return l.recorded(name)
	}
	limit := form.max
	if l.memory && l.typ != nil && l.typ.kind == kindArray && l.typ.count > 0 {
		limit = min(limit, l.typ.count)
	}
	f, err := l.pointed()
	f.As, f.Space, f.Max = layout.FetchString, l.content(form), uint16(limit)
	return single(f, layout.Field{Name: name, Type: format.FieldString, Size: 4}, err)
}

// ipv4 records an address or the target of a pointer to one.
func (l location) ipv4(name string) ([]layout.Value, error) {
	if l.typ != nil && l.typ.kind == kindPointer {
		to, err := l.deref()
		if err != nil {
			return nil, err
		}
		l = to
	}
	f, err := l.number(4, false, false)
	return single(f, layout.Field{Name: name, Type: format.FieldString, Size: 4, Show: layout.ShowIPv4}, err)
}

// block records bytes in memory unchanged.
func (l location) block(name string, size int, show layout.Show, form valueForm) ([]layout.Value, error) {
	f, err := l.pointed()
	f.As, f.Space, f.Max = layout.FetchBlock, l.content(form), uint16(size)
	return single(f, layout.Field{Name: name, Type: format.FieldString, Size: uint16(size), Show: show}, err)
}

// goString records a Go string, which is an address and a length.
func (l location) goString(name string, form valueForm) ([]layout.Value, error) {
	return l.counted(name, format.FieldString, form)
}

// goSlice records the bytes of a []byte, or the length of another slice.
func (l location) goSlice(name string, form valueForm) ([]layout.Value, error) {
	if element := l.typ.element(); element.kind == kindInteger && element.size == 1 {
		return l.counted(name, format.FieldBytes, form)
	}
	length, err := l.word(1)
	return single(length, layout.Field{Name: name + ".len", Type: format.FieldInt, Size: 8, CType: l.typ.name}, err)
}

// counted records bytes: their address is the first word of the value, and their number
// is the second.
func (l location) counted(name string, typ format.FieldType, form valueForm) ([]layout.Value, error) {
	length, err := l.word(1)
	if err != nil {
		return nil, err
	}
	f, err := l.word(0)
	length.Hidden = true
	f.As, f.Space, f.Max = layout.FetchBytes, l.space, uint16(form.max)
	return []layout.Value{{Fetch: length}, {Fetch: f, Field: layout.Field{Name: name, Type: typ, Size: 4, Count: 1, CType: l.typ.name}}}, err
}

// word returns the fetch of the i-th 8 bytes of a value.
func (l location) word(i int) (layout.Fetch, error) {
	if l.memory {
		l.add += int64(8 * i)
		return l.load(8)
	}
	if i >= len(l.pieces) {
		return layout.Fetch{}, fmt.Errorf("is only partly in registers")
	}
	return l.pieces[i], nil
}

// structure records the members of a structure that are numbers, each in a field of its
// own.
func (l location) structure(name string, form valueForm) ([]layout.Value, error) {
	if l.typ != nil && l.typ.kind == kindPointer {
		to, err := l.deref()
		if err != nil {
			return nil, err
		}
		l = to
	}
	if l.typ == nil || l.typ.members == nil {
		return nil, fmt.Errorf("is not a structure")
	}
	var all []layout.Value
	for _, m := range l.typ.members() {
		at := l.member(m)
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
		return nil, fmt.Errorf("is %s, none of whose fields is a number: name one of them", l.typ.name)
	}
	if len(all) > bpf.MaxFetches {
		return nil, fmt.Errorf("is %s, whose %d fields are too many to record: name those that matter", l.typ.name, len(all))
	}
	return all, nil
}

// recorded records a tracepoint's field like the whole record does.
func (l location) recorded(name string) ([]layout.Value, error) {
	field := *l.typ.field
	field.Name = name
	switch {
	case field.Dynamic: // the word that locates it in the record
		f := l.fetch
		f.Steps = []layout.FetchStep{{Add: int32(l.add), Space: layout.KernelMemory, Size: 4}}
		return single(f, field, nil)
	case l.typ.scalar():
		f, err := l.number(l.typ.size, l.typ.signed, false)
		return single(f, field, err)
	}
	f, err := l.address()
	f.As, f.Space, f.Max = layout.FetchBlock, l.space, field.Size*field.Count
	return single(f, field, err)
}
