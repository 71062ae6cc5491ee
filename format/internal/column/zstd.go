package column

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// decoder is shared: DecodeAll is safe for concurrent use. The capacity of the
// destination bounds what it may produce.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(0),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(2*MaxBytes),
		zstd.WithDecoderMaxWindow(MaxBytes),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic("format: zstd decoder options: " + err.Error())
	}
	return d
})

// NewCompressor returns an encoder for levels 1 (fastest) to 4, nil for 0.
func NewCompressor(level int) *zstd.Encoder {
	if level == 0 {
		return nil
	}
	if level < 0 {
		level = 1
	}
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.EncoderLevel(min(level, 4))),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(1<<20), // an encoder keeps twice as much, and a plane is rarely longer
		zstd.WithSingleSegment(true),
		// Low bytes of times repeat nowhere, yet are not evenly spread.
		zstd.WithAllLitEntropyCompression(true),
		zstd.WithEncoderCRC(false)) // the block has its own
	if err != nil {
		panic("format: zstd encoder options: " + err.Error())
	}
	return e
}
