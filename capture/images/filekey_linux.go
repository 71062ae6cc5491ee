package images

import (
	"os"

	"golang.org/x/sys/unix"

	"trapline/bpf"
)

// Mix is mix() in bpf/hash.h.
func Mix(h, v uint64) uint64 {
	h = (h ^ v) * 0x9FB21C651E98DF25
	return h ^ h>>29
}

// content identifies what is in a file.
type content struct {
	fileKey
	size, changed int64 // changed is the time of the last change, as the key includes it
}

func contentOf(f *os.File) (content, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return content{}, err
	}
	return statContent(&st), nil
}

func statContent(st *unix.Stat_t) content {
	return content{fileKey{deviceOf(st), st.Ino}, st.Size, st.Mtim.Sec<<32 ^ st.Mtim.Nsec}
}

// key is image_key() in bpf/stacks/image.h, for a file that the kernel has under a key
// that differs from c's on stacked file systems.
func (c content) key(file fileKey) uint64 {
	h := Mix(uint64(file.device), file.inode)
	h = Mix(h, uint64(c.size))
	h = Mix(h, uint64(c.changed))
	return h &^ bpf.ImageAnonymous
}

// contentKey is the key of a file that is not on a stacked file system.
func contentKey(st *unix.Stat_t) uint64 {
	c := statContent(st)
	return c.key(c.fileKey)
}

// deviceOf returns a file's device number as the kernel encodes it.
func deviceOf(st *unix.Stat_t) uint32 { return unix.Major(st.Dev)<<20 | unix.Minor(st.Dev) }

// A fileKey identifies a mapped file until the machine reboots.
type fileKey struct {
	device uint32
	inode  uint64
}
