package format

// A queue runs the jobs of a Writer, in order, on one goroutine.
type queue struct {
	jobs  chan func(*encoder)
	done  chan struct{}
	spare chan *hitBlock // to be used again
}

// queueLength bounds the blocks that wait, and so the memory of a Writer: at
// most this many are being filled faster than they are written.
const queueLength = 8

func newQueue(e *encoder) *queue {
	q := &queue{
		jobs:  make(chan func(*encoder), queueLength),
		done:  make(chan struct{}),
		spare: make(chan *hitBlock, queueLength),
	}
	go func() {
		defer close(q.done)
		for job := range q.jobs {
			job(e)
		}
	}()
	return q
}

// do hands a job over. After an error jobs write nothing.
func (q *queue) do(job func(*encoder)) { q.jobs <- job }

// wait returns when all jobs handed over have been done.
func (q *queue) wait() {
	done := make(chan struct{})
	q.do(func(*encoder) { close(done) })
	<-done
}

// close returns when all jobs have been done. There can be no more.
func (q *queue) close() {
	close(q.jobs)
	<-q.done
}

// hitBlock returns an empty block for hits of a shape with so many columns in all.
func (q *queue) hitBlock(shape ShapeID, columns int) *hitBlock {
	var b *hitBlock
	select {
	case b = <-q.spare:
	default:
		b = new(hitBlock)
	}
	b.reset(shape, columns)
	return b
}

// hits has a block written, which the caller gives up.
func (q *queue) hits(b *hitBlock) {
	q.do(func(e *encoder) {
		e.hits(b)
		select {
		case q.spare <- b:
		default:
		}
	})
}
