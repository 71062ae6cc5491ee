package teach

import (
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/ring"
)

// Table is the table of step rules that the programs read. Only the recorder writes it.
type Table struct {
	mem  []byte
	sets []bpf.HooksRuleSet

	Written uint64
	Evicted uint64 // rules that had to make room for others
}

func NewTable(m *ebpf.Map) (*Table, error) {
	const sets = 1 << bpf.RuleSetBits
	mem, err := ring.MapValues(m, sets*int(unsafe.Sizeof(bpf.HooksRuleSet{})))
	if err != nil {
		return nil, err
	}
	return &Table{mem: mem, sets: unsafe.Slice((*bpf.HooksRuleSet)(unsafe.Pointer(&mem[0])), sets)}, nil
}

func (r *Table) Close() error { return unix.Munmap(r.mem) }

// Write puts a rule into the set of its key: over the one with that key, else
// where there is room, else over another, chosen by the key.
func (r *Table) write(key uint64, body ruleBody) {
	set := &r.sets[key>>(64-bpf.RuleSetBits)]
	at := -1
	for i := range set.Way {
		w := &set.Way[i]
		switch {
		case w.Body^w.Tag == key && w.Body != 0:
			if w.Body == uint64(body) {
				return
			}
			at = i
		case w.Body == 0 && at < 0:
			at = i
		}
	}
	if at < 0 {
		at = int(key>>8) % bpf.RuleWays
		r.Evicted++
	}
	r.Written++
	// In whatever order a program sees the two words: they match only if both are there.
	atomic.StoreUint64(&set.Way[at].Body, uint64(body))
	atomic.StoreUint64(&set.Way[at].Tag, uint64(body)^key)
}
