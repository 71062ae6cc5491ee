package symbol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// An xzReader unpacks the blocks of an xz stream ("The .xz File Format", version 1.2). It
// reads the container itself because package xz takes as much memory for a block's
// dictionary as the block asks for, up to 4 GiB.
type xzReader struct {
	r     *bytes.Reader
	limit int  // bytes of a dictionary
	check byte // kind of checksum; valid after the stream's header
	begun bool // the stream's header was read
	count int  // of blocks begun
	block xzBlock
}

type xzBlock struct {
	r     io.Reader // nil between blocks
	sum   hash.Hash // nil: not checked
	start int       // bytes left in the stream where the packed data begins
}

var errXZ = errors.New("damaged stream")

// maxXZBlocks limits the blocks, because each takes memory for a dictionary. xz puts at
// least 1 MiB in a block, so this is enough for maxMiniDebug.
const maxXZBlocks = 32

// Kinds of checksums that are verified, and the sizes of all kinds in bytes.
const (
	xzCRC32 = 1
	xzCRC64 = 4
)

var xzCheckSizes = [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}

func (x *xzReader) Read(b []byte) (int, error) {
	for {
		if x.block.r == nil {
			if err := x.next(); err != nil {
				return 0, err
			}
		}
		n, err := x.block.r.Read(b)
		if x.block.sum != nil {
			x.block.sum.Write(b[:n])
		}
		if err == io.EOF {
			err = x.endBlock()
		}
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
	}
}

// next begins the next block. It returns io.EOF after the last one. What follows, an index
// of the blocks, is not needed.
func (x *xzReader) next() error {
	if !x.begun {
		if err := x.begin(); err != nil {
			return err
		}
	}
	first, err := x.r.ReadByte()
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	if first == 0 {
		return io.EOF
	}
	if x.count++; x.count > maxXZBlocks {
		return errors.New("too many blocks")
	}
	header := make([]byte, (int(first)+1)*4)
	header[0] = first
	if _, err := io.ReadFull(x.r, header[1:]); err != nil {
		return io.ErrUnexpectedEOF
	}
	body, sum := header[:len(header)-4], header[len(header)-4:]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(sum) {
		return errXZ
	}
	capacity, err := dictionary(body)
	if err != nil {
		return err
	}
	// No distance is larger than the output.
	config := lzma.Reader2Config{DictCap: int(max(lzma.MinDictCap, min(capacity, int64(x.limit))))}
	x.block = xzBlock{start: x.r.Len()}
	switch x.check {
	case xzCRC32:
		x.block.sum = crc32.NewIEEE()
	case xzCRC64:
		x.block.sum = crc64.New(crc64.MakeTable(crc64.ECMA))
	}
	x.block.r, err = config.NewReader2(x.r)
	return err
}

// begin reads the stream's header.
func (x *xzReader) begin() error {
	var h [12]byte
	if _, err := io.ReadFull(x.r, h[:]); err != nil {
		return io.ErrUnexpectedEOF
	}
	if string(h[:6]) != "\xfd7zXZ\x00" || h[6] != 0 || h[7] > 15 || crc32.ChecksumIEEE(h[6:8]) != binary.LittleEndian.Uint32(h[8:]) {
		return errXZ
	}
	x.check, x.begun = h[7], true
	return nil
}

// dictionary reads a block's header up to its checksum, and returns the size of the
// dictionary. LZMA2 must be the only filter.
func dictionary(header []byte) (int64, error) {
	const lzma2 = 0x21
	flags, b := header[1], header[2:]
	if flags&3 != 0 || flags&0x3c != 0 {
		return 0, errors.New("filters other than LZMA2")
	}
	for _, size := range []byte{0x40, 0x80} { // of the packed and of the unpacked data
		if flags&size == 0 {
			continue
		}
		_, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, errXZ
		}
		b = b[n:]
	}
	if len(b) < 3 || b[0] != lzma2 || b[1] != 1 {
		return 0, errors.New("filters other than LZMA2")
	}
	return lzma.DecodeDictCap(b[2])
}

// endBlock checks the sum of a block.
func (x *xzReader) endBlock() error {
	packed := x.block.start - x.r.Len()
	tail := make([]byte, -packed&3+xzCheckSizes[x.check])
	if _, err := io.ReadFull(x.r, tail); err != nil {
		return io.ErrUnexpectedEOF
	}
	if sum := x.block.sum; sum != nil {
		want := tail[-packed&3:]
		got := sum.Sum(nil) // big-endian; the file has the other order
		for i := range got {
			if got[i] != want[len(want)-1-i] {
				return errXZ
			}
		}
	}
	x.block = xzBlock{}
	return nil
}
