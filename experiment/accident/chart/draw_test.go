package main

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var measured = result{Recipients: 20000, MaxConnections: 60, Halves: []half{
	{Name: "naive", Slots: 57, Mailed: 2650, Samples: []sample{{-0.1, 1, 1, 0}, {0, 1, 2, 0}, {5, 55, 200, 1041}}},
	{Name: "fanmail", Slots: 57, Bound: 18, Mailed: 20000, Samples: []sample{{0, 1, 2, 0}, {9, 14, 14, 0}}},
}}

func TestThePictureHasBothHalvesAndTheirLimits(t *testing.T) {
	var b bytes.Buffer
	picture, err := draw(measured, "svg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := picture.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Naive senders: 2,650 of 20,000 mailed", "Fanmail: 20,000 of 20,000 mailed", "the server's 57 slots", "Fanmail's bound, 18",
		"connections", "environments", "refused connections, in all", "seconds",
	} {
		if !strings.Contains(strings.ReplaceAll(b.String(), "&#39;", "'"), want) {
			t.Errorf("the picture does not say %q", want)
		}
	}
}

func TestTheHalvesHaveTheSameScales(t *testing.T) {
	for row, want := range []float64{60, 200, 1041} {
		if xMin, xMax, yMin, yMax := scales(measured, row); xMin != -0.1 || xMax != 9 || yMin != 0 || yMax < want || yMax > 1.2*want {
			t.Errorf("row %d: x from %g to %g, y from %g to %g", row, xMin, xMax, yMin, yMax)
		}
	}
}

func TestOneHalfAndNoSampleAreDrawn(t *testing.T) {
	for _, r := range []result{
		{Recipients: 1, MaxConnections: 60, Halves: measured.Halves[1:]},
		{Recipients: 1, MaxConnections: 60, Halves: []half{{Name: "fanmail", Slots: 57}}},
	} {
		if _, err := draw(r, "png"); err != nil {
			t.Error(err)
		}
	}
	if _, err := draw(result{}, "png"); err == nil {
		t.Error("no half, and no error")
	}
	if _, err := draw(measured, "doc"); err == nil {
		t.Error("an unknown format, and no error")
	}
}

func TestFilesAreWrittenInTheFormatOfTheirName(t *testing.T) {
	directory := t.TempDir()
	from, to := filepath.Join(directory, "result.json"), filepath.Join(directory, "a.png")
	text := `{"recipients":2,"maxConnections":60,"halves":[{"name":"naive","slots":57,"samples":[{"t":0,"connections":1},{"t":1,"connections":2}]}]}`
	if err := os.WriteFile(from, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(from, []string{to}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(to)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := png.Decode(file); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]string{{filepath.Join(directory, "none"), to}, {to, to}} {
		if err := run(bad[0], bad[1:]); err == nil {
			t.Errorf("%s: no error", bad[0])
		}
	}
}
