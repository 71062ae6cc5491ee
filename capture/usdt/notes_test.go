package usdt

import (
	"encoding/binary"
	"testing"
)

// sdtNoteBytes writes a note as sys/sdt.h does.
func sdtNoteBytes(n Note) []byte {
	pad := func(b []byte) []byte {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		return b
	}
	var desc []byte
	for _, v := range []uint64{n.Address, n.base, n.Semaphore} {
		desc = binary.LittleEndian.AppendUint64(desc, v)
	}
	desc = append(desc, n.Provider+"\x00"+n.Name+"\x00"+n.Arguments+"\x00"...)
	owner := sdtOwner + "\x00"
	var b []byte
	for _, v := range []uint32{uint32(len(owner)), uint32(len(desc)), sdtType} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(pad(append(b, owner...)), pad(desc)...)
}

func FuzzNotes(f *testing.F) {
	want := Note{Provider: "p", Name: "n", Arguments: "8@%rax", Address: 0x1234, base: 0x2000, Semaphore: 0x3000}
	two := append(sdtNoteBytes(want), sdtNoteBytes(want)...)
	f.Add(two)
	f.Add(two[:len(two)-9])
	notes, err := parseSDTNotes(two, binary.LittleEndian, 8)
	if err != nil || len(notes) != 2 || notes[1] != want {
		f.Fatalf("got %+v, %v", notes, err)
	}
	if notes, err := parseSDTNotes(two[:len(two)-9], binary.LittleEndian, 8); err == nil || len(notes) != 1 {
		f.Fatalf("cut notes: got %+v, %v", notes, err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, size := range []int{4, 8} {
			notes, _ := parseSDTNotes(b, binary.LittleEndian, size)
			for _, n := range notes {
				if n.Provider == "" || n.Name == "" || !isSDTText([]byte(n.Provider+n.Name+n.Arguments)) {
					t.Fatalf("%+v", n)
				}
			}
		}
	})
}
