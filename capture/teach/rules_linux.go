package teach

import (
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"trapline/bpf"
	"trapline/capture/ring"
)

// A ruleTable is the table of rules that BPF programs read. The recorder and keep_rule()
// in bpf/stacks/rules.h write it.
type ruleTable struct {
	mem  []byte
	sets []bpf.HooksRuleSet

	written uint64
	evicted uint64 // rules replaced because their set was full
}

// open maps the table of the programs.
func (r *ruleTable) open(m *ebpf.Map) (err error) {
	const sets = 1 << bpf.RuleSetBits
	if r.mem, err = ring.MapValues(m, sets*int(unsafe.Sizeof(bpf.HooksRuleSet{}))); err != nil {
		return err
	}
	r.sets = unsafe.Slice((*bpf.HooksRuleSet)(unsafe.Pointer(&r.mem[0])), sets)
	return nil
}

func (r *ruleTable) close() error {
	if r.mem == nil {
		return nil
	}
	mem := r.mem
	r.mem, r.sets = nil, nil
	return unix.Munmap(mem)
}

// write puts a rule into the set of its key. It replaces the rule with this key, else
// uses an empty way, else replaces another rule that the key selects.
func (r *ruleTable) write(key uint64, body ruleBody) {
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
		r.evicted++
	}
	r.written++
	// Programs may see the words in either order. The rule matches only if both are
	// there.
	atomic.StoreUint64(&set.Way[at].Body, uint64(body))
	atomic.StoreUint64(&set.Way[at].Tag, uint64(body)^key)
}
