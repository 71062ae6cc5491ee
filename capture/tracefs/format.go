package tracefs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"trapline/bpf"
	"trapline/capture/layout"
	"trapline/format"
)

const (
	maxFormat     = 1 << 20 // bytes; real format files are smaller than 64 KiB
	maxFields     = 256
	maxArrayCount = 16 // a longer array becomes one column of bytes
)

// A declaration is one "field:" line.
type declaration struct {
	typ          string // without name, array and __data_loc
	name         string
	array        bool
	count        int // elements; -1 if the file has an expression
	dynamic      bool
	relative     bool
	offset, size int
	signed       bool
}

// parseFormat parses a tracepoint's format file, which f_show in
// kernel/trace/trace_events.c writes. system is the tracepoint's group: the records of
// system calls are made differently.
func parseFormat(system, text string) (*layout.Record, error) {
	if len(text) > maxFormat {
		return nil, errors.New("format file is longer than 1 MiB")
	}
	head, printFormat, _ := strings.Cut(text, "\nprint fmt: ")
	declarations, err := parseDeclarations(head)
	if err != nil {
		return nil, err
	}
	r := &layout.Record{RecordSize: layout.CommonSize}
	printed := parsePrintFormat(printFormat)
	if system == "exceptions" && strings.HasPrefix(head, "name: page_fault_user\n") {
		// These are user addresses, although the kernel prints them like its own
		// (arch/x86/include/asm/trace/exceptions.h).
		for name, p := range printed {
			printed[name] = printing{hex: p.hex || p.symbol}
		}
	}
	for i := range declarations {
		d := &declarations[i]
		if system == SystemCalls {
			addArgument(r, d)
		} else {
			addField(r, d, printed[d.name])
		}
	}
	renameSyscallNumber(r.Fields)
	// The data of dynamic fields lie in the order of the fields, so the last ones
	// determine where the record ends.
	if n := len(r.DataLocs); n > bpf.MaxDataLocs {
		r.DataLocs = r.DataLocs[n-bpf.MaxDataLocs:]
	}
	return r, nil
}

// parseDeclarations parses the fields of a format file, without the common ones.
func parseDeclarations(head string) ([]declaration, error) {
	var declarations []declaration
	for line := range strings.Lines(head) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "field:") {
			continue
		}
		d, err := parseDeclaration(line)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(d.name, "common_") && d.offset < layout.CommonSize {
			continue
		}
		if d.offset < layout.CommonSize {
			return nil, fmt.Errorf("field %q at offset %d is among the common fields", d.name, d.offset)
		}
		if declarations = append(declarations, d); len(declarations) > maxFields {
			return nil, fmt.Errorf("more than %d fields", maxFields)
		}
	}
	if len(declarations) == 0 && !strings.Contains(head, "field:") {
		return nil, errors.New("no fields: not a tracepoint's format file")
	}
	return declarations, nil
}

// addArgument adds an argument of a system call to a record.
func addArgument(r *layout.Record, d *declaration) {
	if d.dynamic {
		// Programs get only the registers, not the strings that the kernel copies for
		// ftrace: perf_call_bpf_enter in kernel/trace/trace_syscalls.c.
		return
	}
	r.RecordSize = max(r.RecordSize, uint16(d.offset+d.size))
	if d.size > 0 {
		r.Fields = append(r.Fields, d.syscallField())
	}
}

// addField adds a field to a record.
func addField(r *layout.Record, d *declaration, p printing) {
	r.RecordSize = max(r.RecordSize, uint16(d.offset+d.size))
	if d.size == 0 {
		return
	}
	f := d.field(p)
	if f.Dynamic {
		loc := f.Offset
		if f.Relative {
			loc |= bpf.DataLocRelative
		}
		r.DataLocs = append(r.DataLocs, loc)
	}
	r.Fields = append(r.Fields, f)
}

// renameSyscallNumber renames __syscall_nr to nr, as newer kernels and perf show it, or
// to syscall_nr if an argument is called nr.
func renameSyscallNumber(fields []layout.Field) {
	name := "nr"
	for i := range fields {
		if fields[i].Name == name {
			name = "syscall_nr"
		}
	}
	for i := range fields {
		if fields[i].Name == "__syscall_nr" {
			fields[i].Name = name
		}
	}
}

// parseDeclaration parses "field:TYPE NAME[COUNT];\toffset:N;\tsize:N;\tsigned:N;".
func parseDeclaration(line string) (d declaration, err error) {
	bad := func(what string) (declaration, error) {
		return d, fmt.Errorf("%s in line %.120q", what, line)
	}
	parts := strings.Split(strings.TrimPrefix(line, "field:"), ";")
	for _, part := range parts[1:] {
		key, value, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(value, 10, 15) // records have at most 8 KiB
		if err != nil {
			return bad("bad " + key)
		}
		switch key {
		case "offset":
			d.offset = int(n)
		case "size":
			d.size = int(n)
		case "signed":
			d.signed = n != 0
		}
	}
	if d.offset+d.size > 0x7fff {
		return bad("offset beyond any record")
	}
	text := strings.TrimSpace(parts[0])
	if rest, ok := strings.CutPrefix(text, "__data_loc "); ok {
		text, d.dynamic = rest, true
	} else if rest, ok := strings.CutPrefix(text, "__rel_loc "); ok {
		text, d.dynamic, d.relative = rest, true, true
	}
	if d.dynamic && d.size != 4 {
		return bad("dynamic field that is not a word")
	}
	if open := strings.LastIndexByte(text, '['); open > 0 && strings.HasSuffix(text, "]") {
		d.array = true
		if d.count, err = strconv.Atoi(text[open+1 : len(text)-1]); err != nil || d.count < 0 {
			d.count = -1
		}
		text = text[:open]
	}
	// The kernel writes "TYPE[] NAME" for dynamic arrays, "TYPE NAME[N]" for others.
	space := strings.LastIndexAny(text, " *")
	if space < 0 {
		return bad("no type")
	}
	d.typ, d.name = strings.TrimSpace(text[:space+1]), text[space+1:]
	if typ, ok := strings.CutSuffix(d.typ, "]"); ok {
		if open := strings.LastIndexByte(typ, '['); open > 0 {
			d.typ, d.array, d.count = typ[:open], true, -1
		}
	}
	if d.name == "" {
		return bad("no name")
	}
	return d, nil
}

// field returns the record's field.
func (d *declaration) field(p printing) layout.Field {
	f := layout.Field{Name: d.name, Offset: uint16(d.offset), Size: uint16(d.size), Count: 1, CType: d.typ,
		Dynamic: d.dynamic, Relative: d.relative, Type: format.FieldBytes}
	element := d.size
	switch {
	case d.dynamic:
		if p.text || d.array && d.typ == "char" && !p.bytes {
			f.Type = format.FieldString
		}
		return f
	case d.array && d.typ == "char":
		f.Type = format.FieldString
		return f
	case d.array:
		element = d.elementSize()
		if element <= 1 || d.size%element != 0 || d.size/element > maxArrayCount {
			return f // addresses and UUIDs are easier to read as one value
		}
		f.Size, f.Count = uint16(element), uint16(d.size/element)
	}
	f.Type = d.scalar(element, p)
	return f
}

// scalar returns the type of an element, or FieldBytes if it is not a number.
func (d *declaration) scalar(size int, p printing) format.FieldType {
	switch {
	case size != 1 && size != 2 && size != 4 && size != 8:
		return format.FieldBytes
	case p.symbol && size == 8:
		return format.FieldSymbol
	case strings.HasSuffix(d.typ, "*"):
		return format.FieldPointer
	case d.typ == "bool" || d.typ == "_Bool":
		return format.FieldBool
	case size == 1 && p.char:
		return format.FieldChar
	case p.hex:
		return format.FieldHex
	case d.signed:
		return format.FieldInt
	}
	return format.FieldUint
}

// elementSize returns the size of an array's elements in bytes, or 0 if unknown.
func (d *declaration) elementSize() int {
	if c, ok := integerTypes[d.typ]; ok {
		return c.size
	}
	if d.count > 0 && d.size%d.count == 0 {
		return d.size / d.count
	}
	return 0
}

// syscallField derives the type of a system call's argument from its C type. The slot is
// a whole register, but the call uses only the size of the type. The print format shows
// all arguments in hexadecimal, so it does not help.
func (d *declaration) syscallField() layout.Field {
	f := layout.Field{Name: d.name, Offset: uint16(d.offset), Size: uint16(d.size), Count: 1, CType: d.typ, Type: format.FieldUint}
	c, known := integerTypes[strings.TrimPrefix(d.typ, "const ")]
	switch {
	case d.size != 4 && d.size != 8:
		f.Type = format.FieldBytes
	case strings.HasSuffix(d.typ, "*"):
		f.Type = format.FieldPointer
	case d.typ == "unsigned long":
		f.Type = format.FieldHex // addresses and masks; lengths are size_t
	case known:
		f.Size = min(f.Size, uint16(c.size))
		if c.signed {
			f.Type = format.FieldInt
		}
	}
	return f
}

// A cType describes an integer type of C on 64-bit Linux.
type cType struct {
	size   int // bytes
	signed bool
}

var integerTypes = map[string]cType{
	"char": {1, true}, "signed char": {1, true}, "unsigned char": {1, false},
	"short": {2, true}, "unsigned short": {2, false},
	"int": {4, true}, "unsigned int": {4, false}, "unsigned": {4, false}, "uint": {4, false},
	"long": {8, true}, "unsigned long": {8, false},
	"long long": {8, true}, "unsigned long long": {8, false},
	"u8": {1, false}, "u16": {2, false}, "u32": {4, false}, "u64": {8, false},
	"s8": {1, true}, "s16": {2, true}, "s32": {4, true}, "s64": {8, true},
	"__u8": {1, false}, "__u16": {2, false}, "__u32": {4, false}, "__u64": {8, false},
	"__s8": {1, true}, "__s16": {2, true}, "__s32": {4, true}, "__s64": {8, true},
	"uint8_t": {1, false}, "uint16_t": {2, false}, "uint32_t": {4, false}, "uint64_t": {8, false},
	"int8_t": {1, true}, "int16_t": {2, true}, "int32_t": {4, true}, "int64_t": {8, true},
	"size_t": {8, false}, "ssize_t": {8, true}, "off_t": {8, true}, "loff_t": {8, true},
	"pid_t": {4, true}, "uid_t": {4, false}, "gid_t": {4, false}, "qid_t": {4, false},
	"mode_t": {4, false}, "umode_t": {2, false}, "key_t": {4, true}, "key_serial_t": {4, true},
	"clockid_t": {4, true}, "timer_t": {4, true}, "mqd_t": {4, true}, "rwf_t": {4, true},
}

// SystemCalls is the group of the tracepoints of individual system calls.
const SystemCalls = "syscalls"
