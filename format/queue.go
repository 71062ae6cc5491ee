package format

// A queue runs the jobs of a Writer in order, on one goroutine.
type queue struct {
	jobs  chan func(*encoder)
	done  chan struct{}
	spare chan *hitBlock // for reuse
}

// queueLength bounds how many blocks may wait to be written, and so the memory of a
// Writer.
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

// do queues a job. After an error, jobs write nothing.
func (q *queue) do(job func(*encoder)) { q.jobs <- job }

// wait returns when all queued jobs are done.
func (q *queue) wait() {
	done := make(chan struct{})
	q.do(func(*encoder) { close(done) })
	<-done
}

// close waits for all jobs and ends the goroutine.
func (q *queue) close() {
	close(q.jobs)
	<-q.done
}

// hitBlock returns an empty block for hits of a shape. columns includes those that all
// hits have.
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

// hits queues a block to be written, and takes ownership of it.
func (q *queue) hits(b *hitBlock) {
	q.do(func(e *encoder) {
		e.hits(b)
		select {
		case q.spare <- b:
		default:
		}
	})
}
