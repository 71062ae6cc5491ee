package debuginfo

import (
	"debug/dwarf"

	"trapline/internal/cursor"
)

// maxNameHops limits the references followed from an entry to its name.
const maxNameHops = 16

// nameSize is the approximate size of an entry of Info.names without the name, in bytes.
const nameSize = 48

// name returns the linkage name of a function's entry, its plain name if it has no linkage
// name, or "".
func (d *Info) name(entry uint64) string {
	if entry&altRef != 0 {
		if d.alt == nil {
			return ""
		}
		return d.alt.name(entry &^ altRef)
	}
	d.mu.Lock()
	name, ok := d.names[entry]
	d.mu.Unlock()
	if ok {
		return name
	}
	name = d.readName(entry)
	d.mu.Lock()
	d.names[entry] = name
	d.memory.Add(nameSize + len(name))
	d.mu.Unlock()
	return name
}

func (d *Info) readName(entry uint64) string {
	info := scanner{s: d.info, step: 256, order: d.order}
	plain := ""
	for range maxNameHops {
		u := d.unitAt(entry)
		if u == nil {
			break
		}
		abbrevs := d.abbrevs.get(u.abbrevOff, u.encoding)
		if abbrevs == nil {
			break
		}
		var linkage, short string
		var next uint64
		info.read(entry, func(c *cursor.Cursor) {
			linkage, short, next = "", "", 0
			a := abbrevs.get(c.Uleb())
			if a == nil {
				return
			}
			for _, spec := range a.attrs {
				v := u.read(c, spec)
				if !c.OK() {
					return
				}
				switch spec.attr {
				case dwarf.AttrLinkageName, attrMIPSLinkageName:
					linkage = u.text(v)
				case dwarf.AttrName:
					short = u.text(v)
				case dwarf.AttrAbstractOrigin, dwarf.AttrSpecification:
					next = u.reference(v)
				}
			}
		})
		if linkage != "" {
			return linkage
		}
		if plain == "" {
			plain = short
		}
		if next == 0 {
			break
		}
		if next&altRef != 0 {
			if d.alt == nil {
				break
			}
			d, entry = d.alt, next&^altRef
			info = scanner{s: d.info, step: 256, order: d.order}
			continue
		}
		entry = next
	}
	return plain
}
