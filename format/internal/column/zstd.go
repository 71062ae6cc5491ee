package column

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// decoder returns the shared decoder. DecodeAll is safe for concurrent use, and produces at
// most as many bytes as its destination has capacity for.
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

// NewCompressor returns an encoder for levels 1 (fastest) to 4, or nil for level 0.
// Negative levels mean 1.
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
		zstd.WithWindowSize(1<<20), // an encoder allocates twice as much, and few planes are longer
		zstd.WithSingleSegment(true),
		// Low bytes of times do not repeat, but their distribution is uneven.
		zstd.WithAllLitEntropyCompression(true),
		zstd.WithEncoderCRC(false)) // blocks have their own
	if err != nil {
		panic("format: zstd encoder options: " + err.Error())
	}
	return e
}
