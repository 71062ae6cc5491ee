package main

import (
	"fmt"
	"io"

	"trapline/capture/layout"
	"trapline/format"
)

// printFields prints arguments with their types. It skips the marks that say which
// arguments are missing or truncated.
func printFields(w io.Writer, indent string, fields []layout.Field) {
	for _, f := range fields {
		if !f.Type.Mark() {
			fmt.Fprintf(w, "%s%s:%s\n", indent, f.Name, fieldType(f))
		}
	}
}

// fieldType returns the type of a field as the event grammar spells it.
func fieldType(f layout.Field) string {
	t := ""
	switch f.Type {
	case format.FieldUint:
		t = fmt.Sprintf("u%d", 8*f.Size)
	case format.FieldInt:
		t = fmt.Sprintf("s%d", 8*f.Size)
	case format.FieldHex, format.FieldPointer:
		t = fmt.Sprintf("x%d", 8*f.Size)
	case format.FieldBool:
		t = "bool"
	case format.FieldChar:
		t = "char"
	case format.FieldString:
		t = "string"
	case format.FieldBytes:
		t = "bytes"
		if !f.Dynamic {
			t = fmt.Sprintf("bytes:%d", f.Size)
		}
	case format.FieldSymbol:
		t = "symbol"
	}
	if f.Count > 1 {
		t += fmt.Sprintf("[%d]", f.Count)
	}
	return t
}
