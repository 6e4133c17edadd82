package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanmail/shared/deployment"
)

func TestSendersReplaceBothNumbers(t *testing.T) {
	all, err := deployment.Functions()
	if err != nil {
		t.Fatal(err)
	}
	before := deployment.Bound(all)
	changed, err := withSenders(all, 3)
	if err != nil {
		t.Fatal(err)
	}
	var was int
	for i, f := range changed {
		switch f.Key {
		case "send":
			was = all[i].ReservedConcurrency
			if f.ReservedConcurrency != 3 {
				t.Errorf("send has %d", f.ReservedConcurrency)
			}
		case "plan":
			if f.Environment["FANMAIL_SENDERS"] != "3" || all[i].Environment["FANMAIL_SENDERS"] == "3" {
				t.Errorf("plan has %v, before %v", f.Environment, all[i].Environment)
			}
		}
	}
	if got := deployment.Bound(changed); got != before-was+3 {
		t.Errorf("bound is %d", got)
	}
	if same, err := withSenders(all, 0); err != nil || deployment.Bound(same) != before {
		t.Errorf("0 senders: %v %v", same, err)
	}
	if _, err := withSenders(all, -1); err == nil {
		t.Error("-1 senders are accepted")
	}
}

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
