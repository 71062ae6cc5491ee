//go:build linux

package e2e

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"trapline/format"
)

// newerCapture returns a capture with a format version that does not exist yet. See
// format/FORMAT.md for the layout: a header of 52 bytes that ends with the checksums of
// payload and header, then 8 bytes of magic and the version.
func newerCapture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := format.NewWriter(&b, nil, nil)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	const header = 52
	le, sum := binary.LittleEndian, crc32.MakeTable(crc32.Castagnoli)
	capture := b.Bytes()
	payload := capture[header : header+int(le.Uint32(capture[8:]))]
	le.PutUint16(payload[8:], format.Version+1)
	le.PutUint32(capture[44:], crc32.Checksum(payload, sum))
	le.PutUint32(capture[48:], crc32.Checksum(capture[:48], sum))
	if _, err := format.NewReader(bytes.NewReader(capture)); err == nil {
		t.Fatal("the reader accepts a newer version")
	}
	return capture
}
