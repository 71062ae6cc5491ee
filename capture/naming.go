package capture

import (
	"errors"

	"trapline/capture/images"
	"trapline/format"
	"trapline/internal/naming"
	"trapline/internal/symbol"
)

// A symbolizer names frames. Indexed images stay open across segments, within the limits
// of package naming.
type symbolizer struct {
	kernel *images.Kernel
	user   *naming.Namer
	ahead  chan struct{} // closed when nameAhead is done; may be nil
}

func newSymbolizer(kernel *images.Kernel) *symbolizer {
	return &symbolizer{kernel: kernel, user: naming.New(naming.Limits{})}
}

// nameAhead names frames in the background before the segment ends, so that few remain at
// its end, when no hits are processed. It works on one image at a time to leave CPU time
// to the reader of the rings.
func (s *symbolizer) nameAhead(frames []images.Frame) {
	ahead := make(chan struct{})
	s.ahead = ahead
	go func() {
		defer close(ahead)
		s.name(frames, naming.Options{Workers: 1})
	}()
}

// busy reports whether nameAhead is running.
func (s *symbolizer) busy() bool {
	if s.ahead == nil {
		return false
	}
	select {
	case <-s.ahead:
		return false
	default:
		return true
	}
}

// wait waits for nameAhead.
func (s *symbolizer) wait() {
	if s.ahead != nil {
		<-s.ahead
	}
}

// close closes all images.
func (s *symbolizer) close() error {
	s.wait()
	return s.user.Close()
}

// name returns the calls at each user frame by index, nil if it has no name.
func (s *symbolizer) name(frames []images.Frame, opt naming.Options) [][]symbol.Call {
	named := make([]naming.Frame, len(frames))
	for i, f := range frames {
		named[i] = naming.Frame{Offset: f.Offset, Return: f.Flags&format.FrameReturn != 0}
		if f.Image != nil && (f.Image.Kind == format.ImageELF || f.Image.Kind == format.ImageVDSO) {
			named[i].Image = openable{f.Image}
		}
	}
	calls, _ := s.user.Name(named, opt) // names are complete even if a file that was read cannot be closed
	return calls
}

// An openable is an image of user space as package naming opens it.
type openable struct{ *images.Image }

var errNotOpened = errors.New("the image cannot be opened")

// Open implements naming.Image.
func (o openable) Open() (*naming.Source, error) {
	r, done := images.Open(o.Image)
	if r == nil {
		return nil, errNotOpened
	}
	return &naming.Source{ReaderAt: r, Options: symbol.Options{Path: o.Path, Root: o.Root, Held: o.Debug},
		Intact: func() bool { return images.Intact(o.Image) }, Close: func() error { done(); return nil }}, nil
}
