package analysis

import (
	"encoding/hex"

	"trapline/analysis/internal/table"
	"trapline/format"
)

// An imageKey identifies an image: by build ID if it has one, otherwise only within
// one boot of one machine. Elsewhere a file of the same path may contain different
// functions at the same offsets.
type imageKey struct {
	kind          format.ImageKind
	path, buildID string
	boot          string
	device, inode uint64
}

// A symbolKey identifies a named function.
type symbolKey struct {
	image    uint32
	function string
	inlined  bool
}

// A codeDictionary interns the code that stacks refer to: images, frames, calls and
// the stacks themselves.
type codeDictionary struct {
	demangle func(string) string // nil keeps the names of the symbol table

	images    map[imageKey]uint32 // into imageList
	imageList []*Image            // entry 0 is nil, the unknown image
	frames    *table.Table        // codePlace → index into frameList
	frameList []*Frame
	stacks    map[string]uint32 // encoded kind, cut and frames → stackList
	stackList []*Stack
	encoded   []byte // scratch

	calls      uint32            // number of calls created
	functions  map[string]string // linkage name → shown name
	symbols    map[symbolKey]SymbolID
	addresses  *table.Table // image and offset of nameless calls
	unnamed    []SymbolID   // parallel to addresses
	lastSymbol SymbolID
	cuts       map[format.StackCut]*Call
	lostCall   *Call
}

func newCodeDictionary(demangle func(string) string) *codeDictionary {
	d := &codeDictionary{
		demangle:  demangle,
		images:    make(map[imageKey]uint32),
		imageList: []*Image{nil},
		frames:    table.New(2),
		stacks:    make(map[string]uint32),
		functions: make(map[string]string),
		symbols:   make(map[symbolKey]SymbolID),
		addresses: table.New(2),
		cuts:      make(map[format.StackCut]*Call),
	}
	d.lostCall = d.standIn("[truncated: lost with a damaged part of the capture]", false)
	return d
}

// image interns an image.
func (d *codeDictionary) image(s *format.Segment, img format.Image, boot string) uint32 {
	k := imageKey{kind: img.Kind, path: s.String(img.Path), buildID: s.String(img.BuildID)}
	if k.buildID == "" {
		k.boot, k.device, k.inode = boot, img.Device, img.Inode
	}
	n, ok := d.images[k]
	if !ok {
		n = uint32(len(d.imageList))
		d.images[k] = n
		d.imageList = append(d.imageList, &Image{Kind: img.Kind, Path: k.path, BuildID: hex.EncodeToString([]byte(k.buildID))})
	}
	return n
}

// A codePlace is a frame of a segment, expressed in dictionary numbers.
type codePlace struct {
	image  uint32
	flags  format.FrameFlags
	kind   format.FrameKind
	kernel bool
	offset uint64
}

func (p codePlace) key() [2]uint64 {
	return [2]uint64{uint64(p.image)<<32 | uint64(p.flags)<<16 | uint64(p.kind)<<8 | uint64(flag(p.kernel)), p.offset}
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (p codePlace) guessed() bool { return p.flags&format.FrameGuessed != 0 }

// frame interns a frame. A name from any segment serves all of them, since the
// symbols of one segment may be lost to damage.
func (d *codeDictionary) frame(p codePlace, s *format.Segment, id format.FrameID) uint32 {
	key := p.key()
	n := d.frames.Index(key[:])
	isNew := n == len(d.frameList)
	if isNew {
		d.frameList = append(d.frameList, &Frame{Image: d.imageList[p.image], Offset: p.offset, Flags: p.flags})
	}
	f := d.frameList[n]
	if isNew || f.Calls[0].Function == "" {
		if sym, _ := s.Symbol(id); len(sym.Calls) > 0 {
			f.Calls = d.named(p, s, sym)
		} else if isNew {
			f.Calls = []*Call{d.nameless(p)}
		}
	}
	return uint32(n)
}

// lostFrame returns the stand-in for frames whose description was lost to damage.
func (d *codeDictionary) lostFrame() uint32 {
	n := d.frames.Index([]uint64{^uint64(0), 0}) // no codePlace has this key
	if n == len(d.frameList) {
		d.frameList = append(d.frameList, &Frame{Calls: []*Call{d.lostCall}})
	}
	return uint32(n)
}

// nameless returns the call for an address without a function name. Each such
// address is a symbol.
func (d *codeDictionary) nameless(p codePlace) *Call {
	c := &Call{Image: d.imageList[p.image], Offset: p.offset, Kernel: p.kernel, Guessed: p.guessed()}
	d.identify(c, d.addressID(p))
	return c
}

func (d *codeDictionary) addressID(p codePlace) SymbolID {
	n := d.addresses.Index([]uint64{uint64(p.image), p.offset})
	if n == len(d.unnamed) {
		d.unnamed = append(d.unnamed, d.newSymbol())
	}
	return d.unnamed[n]
}

func (d *codeDictionary) named(p codePlace, s *format.Segment, sym format.Symbol) []*Call {
	list := make([]Call, len(sym.Calls))
	calls := make([]*Call, len(list))
	for i, sc := range sym.Calls {
		c := &list[i]
		*c = Call{
			Linkage:        s.String(sc.Function),
			File:           s.String(sc.File),
			Line:           int(sc.Line),
			Image:          d.imageList[p.image],
			Offset:         p.offset,
			FunctionOffset: sc.Offset,
			Kernel:         p.kernel,
			Inlined:        i < len(list)-1,
			Guessed:        p.guessed(),
		}
		c.Function = d.function(c.Linkage)
		if c.Function == "" {
			d.identify(c, d.addressID(p))
		} else {
			d.identify(c, d.symbol(symbolKey{p.image, c.Function, c.Inlined}))
		}
		calls[i] = c
	}
	return calls
}

func (d *codeDictionary) function(linkage string) string {
	shown, ok := d.functions[linkage]
	if !ok {
		shown = linkage
		if d.demangle != nil {
			shown = d.demangle(linkage)
		}
		d.functions[linkage] = shown
	}
	return shown
}

func (d *codeDictionary) symbol(k symbolKey) SymbolID {
	id, ok := d.symbols[k]
	if !ok {
		id = d.newSymbol()
		d.symbols[k] = id
	}
	return id
}

func (d *codeDictionary) newSymbol() SymbolID {
	d.lastSymbol++
	return d.lastSymbol
}

func (d *codeDictionary) identify(c *Call, id SymbolID) {
	d.calls++
	c.Symbol, c.Index = id, d.calls
}

// standIn returns a call that replaces missing frames.
func (d *codeDictionary) standIn(text string, kernel bool) *Call {
	c := &Call{Function: text, Kernel: kernel, Truncated: true}
	d.identify(c, d.symbol(symbolKey{function: text}))
	return c
}

func (d *codeDictionary) cut(c format.StackCut) *Call {
	call, ok := d.cuts[c]
	if !ok {
		call = d.standIn("[truncated: "+c.String()+"]", false)
		d.cuts[c] = call
	}
	return call
}
