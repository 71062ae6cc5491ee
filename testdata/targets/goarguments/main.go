// Goarguments calls functions whose arguments depend on the number of the call, while
// stacks grow and garbage is collected.
//
//	goarguments N
//
// Four goroutines call handle N times. For every 1,000 of these, grow is called 21 times
// in a goroutine with a small stack.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
)

type inner struct {
	A int32
	B int64
}

type request struct {
	path string
	n    int
	in   inner
	next *request
}

//go:noinline
func handle(r *request, id int, name string, data []byte, ok bool, small int8) (int, string) {
	if r.n != id || len(data) != id%5 {
		panic("wrong arguments")
	}
	return -id, name
}

// grow recurses until the stack of a new goroutine has to grow.
//
//go:noinline
func grow(depth int, tag string) int {
	var frame [3000]byte
	frame[depth] = byte(depth)
	if depth == 0 {
		return len(tag)
	}
	return grow(depth-1, tag) + int(frame[depth]) - depth
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	stop := make(chan struct{})
	var collector sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	const workers = 4
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < n; i += workers {
				text := strconv.Itoa(i)
				r := &request{path: "/" + text, n: i, in: inner{int32(-i), int64(i) << 20}}
				r.next = r
				if got, name := handle(r, i, "n"+text, []byte(text + "xxxxx")[:i%5], i%2 == 0, int8(i)); got != -i || name != "n"+text {
					panic("wrong results")
				}
				if i%1000 == 0 {
					var one sync.WaitGroup
					one.Go(func() { grow(20, text) })
					one.Wait()
				}
			}
		})
	}
	all.Wait()
	close(stop)
	collector.Wait()
	fmt.Println("ok")
}
