package symbol

import (
	"bytes"
	"encoding/hex"
	"path/filepath"

	"trapline/internal/debuginfo"
)

// readDWARF opens the debug information of the image or its debug file.
func (e *ELF) readDWARF() (d *debuginfo.Info) {
	var err error
	defer func() {
		if err != nil {
			d = nil
		}
	}()
	defer guard("reading debug information", &err)
	for _, find := range []func() *object{func() *object { return e.object }, e.debug} {
		o := find()
		if o == nil {
			continue
		}
		if d = debuginfo.New(o.file, e.memory, e.executable); d == nil {
			continue
		}
		if alt := e.findAltFile(o); alt != nil {
			d.AddAlt(alt.file)
		}
		d.ReadUnits()
		return d
	}
	return nil
}

// findAltFile opens the file to which dwz moved data shared by several debug files.
// .gnu_debugaltlink has its name and build ID.
func (e *ELF) findAltFile(o *object) *object {
	paths, id := e.altPaths(o)
	for _, path := range paths {
		if alt := e.openMatching(path, id, nil); alt != nil {
			return alt
		}
	}
	return nil
}

// altPaths returns where the file that .gnu_debugaltlink names may be, and its build ID.
func (e *ELF) altPaths(o *object) (paths []string, id []byte) {
	s := o.section(".gnu_debugaltlink")
	if s == nil || s.Size > 4096 {
		return nil, nil
	}
	b, err := o.contents(s)
	if err != nil {
		return nil, nil
	}
	name, id, ok := bytes.Cut(b, []byte{0})
	if !ok || len(name) == 0 || len(id) < 2 {
		return nil, nil
	}
	hexID := hex.EncodeToString(id)
	if path := string(name); filepath.IsAbs(path) {
		paths = append(paths, filepath.Join(e.opt.Root, path), path)
	} else if o.path != "" {
		paths = append(paths, filepath.Join(filepath.Dir(o.path), path))
	}
	for _, dir := range e.debugDirs() {
		paths = append(paths, filepath.Join(dir, ".build-id", hexID[:2], hexID[2:]+".debug"))
	}
	return paths, id
}
