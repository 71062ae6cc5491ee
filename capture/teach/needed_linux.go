package teach

import (
	"debug/elf"
	"path/filepath"

	"trapline/capture/locate"
)

// maxNeeded limits the libraries of one program.
const maxNeeded = 256

// neededLibraries returns the paths of the shared libraries that the dynamic linker loads
// before a program's first instruction, as far as they are found.
func neededLibraries(program string) []string {
	var paths []string
	libraries := locate.New("", 0)
	seen := map[string]bool{program: true}
	for queue := []string{program}; len(queue) > 0 && len(paths) < maxNeeded; queue = queue[1:] {
		f, err := elf.Open(queue[0])
		if err != nil {
			continue
		}
		names, _ := f.ImportedLibraries()
		f.Close()
		for _, name := range names {
			path, err := filepath.EvalSymlinks(libraries.SharedLibrary(name))
			if err == nil && !seen[path] {
				seen[path] = true
				paths, queue = append(paths, path), append(queue, path)
			}
		}
	}
	return paths
}
