package cost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// file is the path of the tables from the module's root.
const file = "internal/cost/costs.json"

// Replace replaces the table with the same name in costs.json and in all pages. root is the
// root directory of the module.
func Replace(root string, t Table) error {
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return err
	}
	tables, err := parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	i := slices.IndexFunc(tables, func(old Table) bool { return old.Name == t.Name })
	if i < 0 {
		return fmt.Errorf("%s has no table %q", file, t.Name)
	}
	tables[i] = t
	changed := map[string][]byte{}
	if changed[file], err = encode(tables); err != nil {
		return err
	}
	for _, name := range Pages() {
		page, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if changed[name], err = Fill(page, tables); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, data := range changed {
		if err := os.WriteFile(filepath.Join(root, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// encode returns the text of costs.json.
func encode(tables []Table) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	err := e.Encode(tables)
	return b.Bytes(), err
}
