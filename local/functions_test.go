package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanmail/shared/deployment"
)

func TestBinariesAreFoundOrNamed(t *testing.T) {
	directory := t.TempDir()
	write := func(name string, mode os.FileMode) {
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("send/bootstrap", 0o755)
	write("plan", 0o755)
	write("finish", 0o644)
	binaries, err := findBinaries(directory, []deployment.Function{{Key: "send"}, {Key: "plan"}})
	if err != nil || binaries["send"] != filepath.Join(directory, "send/bootstrap") || binaries["plan"] != filepath.Join(directory, "plan") {
		t.Errorf("got %v %v", binaries, err)
	}
	_, err = findBinaries(directory, []deployment.Function{{Key: "send"}, {Key: "finish"}, {Key: "migrate"}})
	if err == nil || !strings.Contains(err.Error(), "finish") || !strings.Contains(err.Error(), "migrate") || strings.Contains(err.Error(), "function send") {
		t.Errorf("got %v", err)
	}
	if _, err := findBinaries("", nil); err == nil {
		t.Error("no directory is accepted")
	}
}
