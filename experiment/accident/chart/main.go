// Command chart draws the result.json of the experiment: connections, environments and refused connections over time, the
// halves side by side on the same scales.
//
//	chart RESULT.JSON FILE.svg FILE.png ...
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// result is what the picture needs of result.json.
type result struct {
	Recipients     int64  `json:"recipients"`
	MaxConnections int    `json:"maxConnections"`
	Halves         []half `json:"halves"`
}

type half struct {
	Name    string   `json:"name"`
	Slots   int      `json:"slots"`
	Bound   int      `json:"bound"`
	Mailed  int64    `json:"mailed"`
	Samples []sample `json:"samples"`
}

type sample struct {
	Seconds      float64 `json:"t"`
	Connections  int     `json:"connections"`
	Environments int     `json:"environments"`
	Refused      int     `json:"refused"`
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: chart RESULT.JSON FILE.svg FILE.png ...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(from string, to []string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	for _, file := range to {
		if err := drawFile(r, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// drawFile draws in the format that the name ends with.
func drawFile(r result, file string) error {
	picture, err := draw(r, strings.TrimPrefix(filepath.Ext(file), "."))
	if err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := picture.WriteTo(out); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
