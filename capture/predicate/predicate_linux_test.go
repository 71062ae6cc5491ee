package predicate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"trapline/bpf"
	"trapline/capture/layout"
	"trapline/format"
	"trapline/internal/expr"
	"trapline/internal/expr/exprtest"
	"trapline/internal/testenv"
)

// The compiler's offsets are those of the C structure.
func TestSubjectLayout(t *testing.T) {
	var s bpf.HooksSubject
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"size", subjectSize, unsafe.Offsetof(s.Hit.Size)},
		{"pid", subjectPID, unsafe.Offsetof(s.Hit.Pid)},
		{"tid", subjectTID, unsafe.Offsetof(s.Hit.Tid)},
		{"comm", subjectComm, unsafe.Offsetof(s.Hit.Comm)},
		{"uid", subjectUID, unsafe.Offsetof(s.Uid)},
		{"cpu", subjectCPU, unsafe.Offsetof(s.Cpu)},
		{"record", subjectRecord, unsafe.Offsetof(s.Record)},
		{"text beyond the record", bpf.MaxRecord + expr.MaxText, unsafe.Sizeof(s.Record)},
	} {
		if c.got != c.want {
			t.Errorf("%s is at %d in the compiler and at %d in C", c.name, c.got, c.want)
		}
	}
}

// randomFields lays out exprtest.Vars in a record: integers, then a text of fixed size,
// one found by __data_loc and one by __rel_loc.
func randomFields() []layout.Field {
	var fields []layout.Field
	at := uint16(8)
	for _, v := range exprtest.Vars {
		f := layout.Field{Name: v.Name, Count: 1, Size: uint16(v.Type.Size), Type: format.FieldUint}
		if v.Type.Signed {
			f.Type = format.FieldInt
		}
		if v.Type == expr.Text {
			f.Type, f.Size = format.FieldString, 20
			if len(fields) > 16 {
				f.Size, f.Dynamic, f.Relative = 4, true, len(fields) == 18
			}
		}
		f.Offset = at
		at += f.Size
		fields = append(fields, f)
	}
	return fields
}

// randomSubject encodes values as a struct subject.
func randomSubject(r *rand.Rand, fields []layout.Field, v *exprtest.Values) []byte {
	b := make([]byte, unsafe.Sizeof(bpf.HooksSubject{}))
	for i := range b {
		b[i] = "ab-"[r.IntN(3)] // left over from earlier hits
	}
	record := b[subjectRecord:]
	marks := int(fields[len(fields)-1].Offset) + 4
	end := marks + 4
	for i, f := range fields {
		to := record[f.Offset-8:]
		switch {
		case i < 16:
			var word [8]byte
			binary.LittleEndian.PutUint64(word[:], v.Ints[i])
			copy(to[:f.Size], word[:])
		case !f.Dynamic:
			clear(to[:f.Size])
			copy(to[:f.Size], v.Texts[0])
		default:
			text := v.Texts[i-16]
			length := len(text)
			copy(record[end-8:], text)
			if r.IntN(2) == 0 { // with its NUL and bytes after it
				record[end-8+length] = 0
				length += 1 + r.IntN(5)
			}
			from := end
			if f.Relative {
				from -= int(f.Offset) + 4
			}
			binary.LittleEndian.PutUint32(to, uint32(length<<16|from))
			end += length
		}
	}
	binary.LittleEndian.PutUint32(record[marks-8:], v.Unread)
	binary.LittleEndian.PutUint16(b[subjectSize:], uint16(end-8))
	return b
}

// A predicateRunner evaluates compiled predicates in the kernel.
type predicateRunner struct {
	program *ebpf.Program
	subject *ebpf.Map
}

func newPredicateRunner(t *testing.T, c *compiled, kind ebpf.ProgramType, subject *ebpf.Map) *predicateRunner {
	t.Helper()
	const name = "subject"
	spec := &ebpf.CollectionSpec{
		Maps: map[string]*ebpf.MapSpec{name: {Name: name, Type: ebpf.Array, KeySize: 4, ValueSize: subject.ValueSize(), MaxEntries: 1}},
		Programs: map[string]*ebpf.ProgramSpec{predicateFunction: {Type: kind, License: "GPL",
			Instructions: append(asm.Instructions{asm.LoadMapValue(asm.R1, 0, 0).WithReference(name)}, c.instructions...)}},
	}
	if len(c.globs) > 0 {
		spec.Maps[globMap] = c.globSpec()
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: map[string]*ebpf.Map{name: subject}})
	if err != nil {
		var ve *ebpf.VerifierError
		if errors.As(err, &ve) {
			t.Fatalf("%v\n%v", strings.Join(ve.Log[max(0, len(ve.Log)-40):], "\n"), c.instructions)
		}
		t.Fatal(err)
	}
	r := &predicateRunner{coll.DetachProgram(predicateFunction), subject}
	coll.Close()
	t.Cleanup(func() { r.program.Close() })
	return r
}

func (r *predicateRunner) run(t *testing.T, subject []byte) uint32 {
	t.Helper()
	if err := r.subject.Put(uint32(0), subject); err != nil {
		t.Fatal(err)
	}
	result, err := r.program.Run(&ebpf.RunOptions{Data: make([]byte, 64)})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func verdict(b bool) uint32 {
	if b {
		return hitWanted
	}
	return hitUnwanted
}

// The kernel and Go evaluate thousands of random predicates to the same results.
func TestPredicatesInKernel(t *testing.T) {
	testenv.Root(t)
	subject, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: uint32(unsafe.Sizeof(bpf.HooksSubject{})), MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer subject.Close()
	expressions := 1000
	if testenv.InVM() {
		expressions = 300
	}
	random := rand.New(rand.NewPCG(5, 6))
	g := exprtest.Generator{Rand: random}
	fields := randomFields()
	held := 0
	for n := 0; n < expressions; {
		source := g.Expression()
		condition, err := expr.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		record := &layout.Record{Fields: fields, MarksAt: fields[len(fields)-1].Offset + 4}
		filter, err := record.NewFilter("random", []*expr.Expr{condition})
		if err != nil {
			continue
		}
		compiled, err := compile(filter)
		if err != nil {
			t.Fatal(err)
		}
		n++
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := newPredicateRunner(t, compiled, ebpf.SocketFilter, subject)
			for range 10 {
				values := g.Values(20)
				holds, known := filter.Predicate.Eval(values)
				want := verdict(holds)
				if !known {
					want = hitUnreadable
				}
				if got := r.run(t, randomSubject(random, fields, values)); got != want {
					t.Fatalf("the kernel has %d: %s, read as %s, of %x %q\n%v", got, source, filter, values.Ints, values.Texts, compiled.instructions)
				}
				if holds {
					held++
				}
			}
		})
	}
	if held < expressions || held > 9*expressions {
		t.Errorf("%d of %d hold: the values are not what the predicates are about", held, 10*expressions)
	}
}
