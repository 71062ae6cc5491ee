package naming

import (
	"container/list"
	"errors"
	"sync"

	"trapline/internal/symbol"
)

// Limits bound what a [Namer] keeps. A field that is 0 gets its default.
type Limits struct {
	Memory int64 // bytes of the indexes of unused images; default 32 MiB
	Images int   // images kept open; default 256
	Names  int   // frames whose names are kept; default 131,072, which take about 30 MB
}

func (l Limits) withDefaults() Limits {
	if l.Memory == 0 {
		l.Memory = 32 << 20
	}
	if l.Images == 0 {
		l.Images = 256
	}
	if l.Names == 0 {
		l.Names = 1 << 17
	}
	return l
}

// A cache holds indexed images, the most recently used ones first.
type cache struct {
	limits Limits

	mu     sync.Mutex
	images map[Image]*list.Element // of *entry
	recent *list.List
	memory int64 // of the unused images
}

// An entry is an image, indexed on first use.
type entry struct {
	image  Image
	users  int
	size   int64 // as counted in cache.memory
	open   sync.Once
	elf    *symbol.ELF // nil if the image has no names
	intact func() bool // may be nil
	closer func() error
}

func newCache(limits Limits) *cache {
	return &cache{limits: limits, images: make(map[Image]*list.Element), recent: list.New()}
}

// use calls ask with the image's index, or nil if it has none. The index stays open
// until ask returns. Several goroutines may use the same image. valid is false if the image was
// overwritten before ask returned.
func (c *cache) use(image Image, ask func(*symbol.ELF)) (valid bool, err error) {
	e := c.acquire(image)
	e.open.Do(func() { e.read() })
	ask(e.elf)
	valid = e.intact == nil || e.intact()
	return valid, c.release(e)
}

func (c *cache) acquire(image Image) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.images[image]
	if !ok {
		element = c.recent.PushFront(&entry{image: image})
		c.images[image] = element
	}
	c.recent.MoveToFront(element)
	e := element.Value.(*entry)
	if e.users == 0 {
		c.memory -= e.size
		e.size = 0
	}
	e.users++
	return e
}

// release ends the use of an image, and closes those that exceed the limits.
func (c *cache) release(e *entry) error {
	c.mu.Lock()
	if e.users--; e.users == 0 && e.elf != nil {
		e.size = e.elf.Memory()
		c.memory += e.size
	}
	unused := c.evict(func() bool { return c.memory > c.limits.Memory || c.recent.Len() > c.limits.Images })
	c.mu.Unlock()
	return closeAll(unused)
}

// evict removes unused images, the least recently used first, until the limits are met.
func (c *cache) evict(more func() bool) (evicted []*entry) {
	for element := c.recent.Back(); element != nil && more(); {
		before := element.Prev()
		if e := element.Value.(*entry); e.users == 0 {
			c.memory -= e.size
			c.recent.Remove(element)
			delete(c.images, e.image)
			evicted = append(evicted, e)
		}
		element = before
	}
	return evicted
}

// close closes all unused images.
func (c *cache) close() error {
	c.mu.Lock()
	all := c.evict(func() bool { return true })
	c.mu.Unlock()
	return closeAll(all)
}

func closeAll(entries []*entry) error {
	var errs []error
	for _, e := range entries {
		errs = append(errs, e.close())
	}
	return errors.Join(errs...)
}

func (e *entry) read() {
	source, err := e.image.Open()
	if err != nil {
		return
	}
	e.closer, e.intact = source.Close, source.Intact
	if elf, err := symbol.NewELF(source, source.Options); err == nil {
		e.elf = elf
	}
}

func (e *entry) close() error {
	var errs []error
	if e.elf != nil {
		errs = append(errs, e.elf.Close())
	}
	if e.closer != nil {
		errs = append(errs, e.closer())
	}
	return errors.Join(errs...)
}
