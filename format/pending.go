package format

// Entries of one dictionary block: small enough that no block comes near
// MaxPayload, whatever the entries are.
const (
	blockEntries = 64 << 10
	blockText    = 4 << 20 // bytes of strings
)

// writePending has the entries written that no block has yet, so that blocks after it may
// refer to them.
func (in *interners) writePending(q *queue) {
	for {
		first, rows := in.pendingStrings()
		if len(rows) == 0 {
			break
		}
		q.do(func(e *encoder) { e.strings(first, rows) })
	}
	writeRows(q, in.images.pending, (*encoder).images)
	writeRows(q, in.frames.pending, (*encoder).frames)
	writeRows(q, in.stacks.pending, (*encoder).stacks)
	writeRows(q, in.tasks.pending, (*encoder).tasks)
	writeRows(q, in.shapes.pending, (*encoder).shapes)
	writeRows(q, in.probes.pending, (*encoder).probes)
}

// writeRows has blocks written until no entries are pending.
func writeRows[T any](q *queue, pending func(max int) (uint32, []T), encode func(*encoder, uint32, []T)) {
	for {
		first, rows := pending(blockEntries)
		if len(rows) == 0 {
			return
		}
		q.do(func(e *encoder) { encode(e, first, rows) })
	}
}

// pendingStrings returns strings that are in no block yet, of at most blockText
// bytes unless the first alone is longer.
func (in *interners) pendingStrings() (first uint32, rows []string) {
	n, size := 0, 0
	for _, s := range in.strings.rows[in.strings.written:] {
		if size += len(s); n == blockEntries || n > 0 && size > blockText {
			break
		}
		n++
	}
	return in.strings.pending(n)
}
