package format_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The code writes the example in FORMAT.md. -update rewrites its hexadecimal dump.
func TestSpecificationExample(t *testing.T) {
	page, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(language string) (inside []byte) {
		m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(page)
		if m == nil {
			t.Fatalf("FORMAT.md has no block of %s", language)
		}
		return m[1]
	}
	text, digits := string(block("text")), block("hex")
	file := build(t, text)
	if *update {
		var fresh strings.Builder
		for at := 0; at < len(file); at += 16 {
			row := file[at:min(at+16, len(file))]
			fresh.WriteString(strings.TrimSpace(strings.Join(regexp.MustCompile("..").FindAllString(hex.EncodeToString(row), -1), " ")) + "\n")
		}
		page = bytes.Replace(page, append([]byte("```hex\n"), digits...), []byte("```hex\n"+fresh.String()), 1)
		if err := os.WriteFile("FORMAT.md", page, 0o644); err != nil {
			t.Fatal(err)
		}
		digits = []byte(fresh.String())
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(string(digits)), ""))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, want) {
		t.Errorf("the bytes in FORMAT.md differ from what the code writes")
	}
	if got := dump(t, want); got != text {
		t.Errorf("the bytes in FORMAT.md are dumped as\n%s", got)
	}
}
