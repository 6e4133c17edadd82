package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheSmallestFunctionIsMeasured(t *testing.T) {
	program := filepath.Join(t.TempDir(), "baseline", "bootstrap")
	if out, err := exec.Command("go", "build", "-o", program, "./baseline").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if took, err := start(program); err != nil || took <= 0 {
		t.Errorf("took %v: %v", took, err)
	}
	if err := measure([]string{program}, 2); err != nil {
		t.Error(err)
	}
}

func TestAProgramThatEndsIsNotMeasured(t *testing.T) {
	program, err := exec.LookPath("false")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := start(program); err == nil || !strings.Contains(err.Error(), "before it asked for work") {
		t.Errorf("got %v", err)
	}
	if err := measure(nil, 1); err == nil {
		t.Error("no error without a program")
	}
}

func TestTheMedianIsInTheMiddle(t *testing.T) {
	if got := median([]time.Duration{5, 1, 3}); got != 3 {
		t.Errorf("the median of 1, 3 and 5 is %d", got)
	}
}
