package format

// Limits of a dictionary block, small enough that no block comes near MaxPayload.
const (
	blockEntries = 64 << 10
	blockText    = 4 << 20 // bytes of strings
)

// writePending queues all entries that have not been queued yet, so that later blocks may
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

// writeRows queues blocks until no entries are pending.
func writeRows[T any](q *queue, pending func(max int) (uint32, []T), encode func(*encoder, uint32, []T)) {
	for {
		first, rows := pending(blockEntries)
		if len(rows) == 0 {
			return
		}
		q.do(func(e *encoder) { encode(e, first, rows) })
	}
}

// pendingStrings returns strings that have not been queued yet: at most blockText bytes
// of them, unless the first alone is longer.
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
