package unwind_test

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"trapline/capture/unwind"
)

// A goFunction is one function of a made-up Go program.
type goFunction struct {
	name  string
	flags byte
	code  []byte
	depth []goDepth // nil for C
}

// A goDepth is how deep the stack is up to an offset in the function.
type goDepth struct {
	end   int
	bytes int32
}

// Versions of Go's table by their magic numbers.
const (
	go116 = 0xfffffffa
	go118 = 0xfffffff0
	go120 = 0xfffffff1
)

const (
	goImageBase = 0x400000
	goImageText = 0x1000 // in the file
)

// goImage makes an ELF image of Go functions, with Go's table but no section headers.
func goImage(version uint32, functions ...goFunction) []byte {
	var code []byte
	for _, f := range functions {
		code = append(code, f.code...)
	}
	table := goTable(version, functions)
	image := make([]byte, goImageText, goImageText+len(code)+len(table)+8)
	image = append(image, code...)
	for len(image)%8 != 0 {
		image = append(image, 0)
	}
	image = append(image, table...)
	addGoHeaders(image)
	return image
}

// addGoHeaders writes the headers and the note that tells a Go program to the start of an
// image.
func addGoHeaders(image []byte) {
	le := binary.LittleEndian
	note := append(le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, 4), 4), 4), "Go\x00\x00id\x00\x00"...)
	var header bytes.Buffer
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 2}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	for _, part := range []any{&h,
		&elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: 5, Vaddr: goImageBase, Filesz: uint64(len(image)), Memsz: uint64(len(image)), Align: 4096},
		&elf.Prog64{Type: uint32(elf.PT_NOTE), Flags: 4, Off: 0x200, Vaddr: goImageBase + 0x200, Filesz: uint64(len(note)), Memsz: uint64(len(note)), Align: 4},
	} {
		binary.Write(&header, le, part)
	}
	copy(image, header.Bytes())
	copy(image[0x200:], note)
}

// goTable makes Go's table of functions that follow one another from goImageText on.
func goTable(version uint32, functions []goFunction) []byte {
	le := binary.LittleEndian
	names, values, places := goPlaces(functions)
	index := goIndex(version, functions, places)
	table := le.AppendUint32(nil, version)
	table = append(table, 0, 0, 1, 8)
	head := []uint64{uint64(len(functions)), 0}
	if version != go116 {
		head = append(head, goImageBase+goImageText)
	}
	at := uint64(8 + 8*(len(head)+5))
	parts := [][]byte{names, {0, 0, 0, 0}, {0}, values, index}
	for _, part := range parts {
		head = append(head, at)
		at += uint64(len(part))
	}
	for _, w := range head {
		table = le.AppendUint64(table, w)
	}
	return append(table, bytes.Join(parts, nil)...)
}

// A goPlace holds the offsets of a function's name, depths and code.
type goPlace struct{ name, values, entry int }

// goPlaces makes the tables of names and of depths. The last place is the end of the code.
func goPlaces(functions []goFunction) (names, values []byte, places []goPlace) {
	values = append(values, 0) // offset 0 is for none
	entry := 0
	for _, f := range functions {
		place := goPlace{len(names), len(values), entry}
		if f.depth == nil {
			place.values = 0
		}
		places = append(places, place)
		names = append(append(names, f.name...), 0)
		last := goDepth{0, -1}
		for _, d := range f.depth {
			values = binary.AppendVarint(values, int64(d.bytes-last.bytes))
			values = binary.AppendUvarint(values, uint64(d.end-last.end))
			last = d
		}
		values = append(values, 0)
		entry += len(f.code)
	}
	return names, values, append(places, goPlace{entry: entry})
}

// goIndex makes the index of functions by address, followed by their records.
func goIndex(version uint32, functions []goFunction, places []goPlace) []byte {
	le := binary.LittleEndian
	word := func(b []byte, v int) []byte { // half of an entry of the index
		if version == go116 {
			return le.AppendUint64(b, uint64(v))
		}
		return le.AppendUint32(b, uint32(v))
	}
	text := 0
	if version == go116 {
		text = goImageBase + goImageText
	}
	indexSize := len(word(nil, 0)) * (2*len(functions) + 1)
	var index, records []byte
	for i, f := range functions {
		index = word(word(index, text+places[i].entry), indexSize+len(records))
		records = word(records, text+places[i].entry)
		for _, field := range []int{places[i].name, 0, 0, places[i].values, 0, 0, 0, 0} {
			records = le.AppendUint32(records, uint32(field))
		}
		if version == go120 {
			records = le.AppendUint32(records, 0)
		}
		records = append(records, 0, f.flags, 0, 0)
	}
	index = word(index, text+places[len(functions)].entry)
	return append(index, records...)
}

// Up to Go 1.20, functions took room for all of their frame and stored the frame
// pointer then.
var (
	goStore8 = goFunction{"main.small", 0, []byte{
		0x48, 0x83, 0xec, 0x18, // sub $24, %rsp
		0x48, 0x89, 0x6c, 0x24, 0x10, // mov %rbp, 16(%rsp)
		0x48, 0x8d, 0x6c, 0x24, 0x10, // lea 16(%rsp), %rbp
		0x48, 0x8b, 0x6c, 0x24, 0x10, // mov 16(%rsp), %rbp
		0x48, 0x83, 0xc4, 0x18, // add $24, %rsp
		0xc3, // ret
	}, []goDepth{{4, 0}, {23, 24}, {24, 0}}}
	goStore32 = goFunction{"main.large", 0, []byte{
		0x48, 0x81, 0xec, 0x18, 0x01, 0x00, 0x00, // sub $280, %rsp
		0x48, 0x89, 0xac, 0x24, 0x10, 0x01, 0x00, 0x00, // mov %rbp, 272(%rsp)
		0x90, // nop
	}, []goDepth{{7, 0}, {16, 280}}}
	goPush = goFunction{"main.pushes", 0, []byte{
		0x55,             // push %rbp
		0x48, 0x89, 0xe5, // mov %rsp, %rbp
		0x5d, // pop %rbp
		0xc3, // ret
	}, []goDepth{{1, 0}, {5, 8}, {6, 0}}}
	goPushR13 = goFunction{"main.assembly", 4, []byte{
		0x41, 0x55, // push %r13
		0x90, // nop
	}, []goDepth{{2, 0}, {3, 8}}}
	goSystemstack = goFunction{"runtime.systemstack", 0, []byte{
		0x48, 0x83, 0xec, 0x08, // sub $8, %rsp
		0x48, 0x89, 0x2c, 0x24, // mov %rbp, (%rsp)
		0x48, 0x8d, 0x2c, 0x24, // lea (%rsp), %rbp
		0x48, 0x8b, 0x62, 0x38, // mov 56(%rdx), %rsp
		0xff, 0xd7, // call *%rdi
		0x48, 0x8b, 0x60, 0x38, // mov 56(%rax), %rsp
		0x48, 0x8b, 0x2c, 0x24, // mov (%rsp), %rbp
		0x48, 0x83, 0xc4, 0x08, // add $8, %rsp
		0xc3, // ret
	}, []goDepth{{4, 0}, {30, 8}, {31, 0}}}
	goAsmcgocall = goFunction{"runtime.asmcgocall", 0, []byte{
		0x48, 0x83, 0xec, 0x08, // sub $8, %rsp
		0x48, 0x89, 0x2c, 0x24, // mov %rbp, (%rsp)
		0x48, 0x8d, 0x2c, 0x24, // lea (%rsp), %rbp
		0x48, 0x89, 0xe2, // mov %rsp, %rdx
		0x48, 0x8b, 0x66, 0x38, // mov 56(%rsi), %rsp
		0x48, 0x83, 0xec, 0x40, // sub $64, %rsp
		0x48, 0x83, 0xe4, 0xf0, // and $-16, %rsp
		0x48, 0x89, 0x7c, 0x24, 0x30, // mov %rdi, 48(%rsp)
		0x48, 0x8b, 0x7f, 0x08, // mov 8(%rdi), %rdi
		0x48, 0x29, 0xd7, // sub %rdx, %rdi
		0x48, 0x89, 0x7c, 0x24, 0x28, // mov %rdi, 40(%rsp)
		0xff, 0xd0, // call *%rax
		0x48, 0x89, 0xf4, // mov %rsi, %rsp
		0x48, 0x8b, 0x2c, 0x24, // mov (%rsp), %rbp
		0x48, 0x83, 0xc4, 0x08, // add $8, %rsp
		0xc3, // ret
	}, []goDepth{{4, 0}, {57, 8}, {58, 0}}}
	goExit   = goFunction{"runtime.goexit", 0, []byte{0x90, 0x90}, []goDepth{{2, 0}}}
	goTop    = goFunction{"runtime.top", 1, []byte{0x90, 0x90}, []goDepth{{2, 0}}}
	goFault  = goFunction{"runtime.sigpanic", 0, goPush.code, goPush.depth}
	goLinked = goFunction{"c_function", 0, []byte{
		0x55, // push %rbp
		0x90, // nop
	}, nil}
	goVectors = goFunction{"c_with_vectors", 0, []byte{
		0xf3, 0x0f, 0x1e, 0xfa, // endbr64
		0x66, 0x4c, 0x0f, 0x38, 0xf6, 0xc9, // adcx %rcx, %r9
		0x55,             // push %rbp
		0x48, 0x89, 0xe5, // mov %rsp, %rbp
		0xc5, 0xf8, 0x77, // vzeroupper
		0x48, 0x83, 0xe4, 0xe0, // and $-32, %rsp
		0xc5, 0xf8, 0x77, // vzeroupper
		0xc9, // leave
		0xc3, // ret
	}, nil}
)

// Code of versions that no test can build any more, and what no version's runtime has.
func TestGoRulesOfOtherVersions(t *testing.T) {
	type rules map[int]unwind.Rule // by the first offset that they hold at
	sp := func(cfa int32) unwind.Rule { return unwind.Rule{Kind: unwind.RuleStep, Base: unwind.RegSP, CFA: cfa} }
	saved := func(cfa int32) unwind.Rule {
		r := sp(cfa)
		r.SavesFP, r.FP = true, -16
		return r
	}
	interrupted := func(r unwind.Rule) unwind.Rule { r.Interrupted = true; return r }
	switched := unwind.Rule{Kind: unwind.RuleStep, Base: unwind.RegFP, CFA: 16, SavesFP: true, FP: -16, Switch: true}
	end := unwind.Rule{Kind: unwind.RuleEnd}
	for _, test := range []struct {
		name     string
		version  uint32
		function goFunction
		want     rules
	}{
		{"stored frame pointer", go116, goStore8, rules{0: sp(8), 4: sp(32), 9: saved(32), 23: sp(8)}},
		{"stored frame pointer", go118, goStore8, rules{0: sp(8), 4: sp(32), 9: saved(32), 23: sp(8)}},
		{"frame of more than 127 bytes", go120, goStore32, rules{0: sp(8), 7: sp(288), 15: saved(288)}},
		{"pushed frame pointer", go120, goPush, rules{0: sp(8), 1: saved(16), 5: sp(8)}},
		{"another register pushed", go120, goPushR13, rules{0: sp(8), 2: sp(16)}},
		{"system stack without flags", go116, goSystemstack, rules{0: sp(8), 4: sp(16), 8: saved(16), 16: switched, 22: saved(16), 30: sp(8)}},
		{"C call of Go 1.16", go116, goAsmcgocall, rules{0: sp(8), 4: sp(16), 8: saved(16), 19: switched,
			44: {Kind: unwind.RuleGoAsmcgocall, CFA: 40}, 49: saved(16), 57: sp(8)}},
		{"outermost without flags", go116, goExit, rules{0: end}},
		{"outermost", go118, goTop, rules{0: end}},
		{"fault", go120, goFault, rules{0: interrupted(sp(8)), 1: interrupted(saved(16)), 5: interrupted(sp(8))}},
		{"code in C", go120, goLinked, rules{0: sp(8), 1: saved(16)}},
		{"vector instructions", go120, goVectors, rules{0: sp(8), 11: saved(16), 21: switched, 25: sp(8)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			// Another function before it, so that its code is not at the start.
			code := goImage(test.version, goPush, test.function)
			image, err := unwind.ReadImage(bytes.NewReader(code))
			if err != nil {
				t.Fatal(err)
			}
			var want unwind.Rule
			for i := range test.function.code {
				if rule, ok := test.want[i]; ok {
					want = rule
				}
				if got := image.Rule(uint64(goImageText + len(goPush.code) + i)); got != want {
					t.Errorf("at %d: %+v, want %+v", i, got, want)
				}
			}
		})
	}
}

func FuzzGoRules(f *testing.F) {
	for _, version := range []uint32{go116, go118, go120} {
		f.Add(goImage(version, goStore8, goStore32, goSystemstack, goAsmcgocall, goExit), uint16(50))
	}
	f.Fuzz(func(t *testing.T, data []byte, offset uint16) {
		image, err := unwind.ReadImage(bytes.NewReader(data))
		if err != nil {
			return
		}
		for i := range uint64(64) {
			rule := image.Rule(goImageText + uint64(offset) + i)
			if rule.Base >= unwind.RegIP {
				t.Errorf("%+v", rule)
			}
		}
	})
}
