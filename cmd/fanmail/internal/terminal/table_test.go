package terminal

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestNumberGroupsDigits(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12345: "12,345", 500000: "500,000", 1234567: "1,234,567",
		-1: "-1", -999: "-999", -1000: "-1,000", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestTableAlignsColumns(t *testing.T) {
	var b strings.Builder
	if err := Table(&b, [][]string{{"a", "1"}, {"longer", "22", "why"}}); err != nil {
		t.Fatal(err)
	}
	if want := "a       1\nlonger  22  why\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestJSONIsOneLineAndKeepsMarkup(t *testing.T) {
	var b strings.Builder
	if err := JSON(&b, map[string]string{"html": "<p>a & b</p>\n"}); err != nil {
		t.Fatal(err)
	}
	if want := `{"html":"<p>a & b</p>\n"}` + "\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestPlainProgressIsFewLines(t *testing.T) {
	var b strings.Builder
	now := time.Unix(0, 0)
	p := &lines{w: &b, now: func() time.Time { return now }}
	p.Step("preparing")
	p.Step("preparing")
	for done := int64(0); done <= 2000; done++ {
		p.Count("wave 1", done, 2000)
	}
	now = now.Add(lineEvery)
	p.Count("wave 1", 2000, 2000)
	p.Done()
	got := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(got) != 1+11+1 {
		t.Fatalf("%d lines: %q", len(got), got)
	}
	if got[0] != "preparing" || got[1] != "wave 1: 0 of 2,000 (0 %)" || got[2] != "wave 1: 200 of 2,000 (10 %)" {
		t.Errorf("got %q", got[:3])
	}
}

func TestProgressIsPlainWhereThereIsNoTerminal(t *testing.T) {
	if _, plain := NewProgress(new(strings.Builder)).(*lines); !plain {
		t.Error("a bar on something that is no terminal")
	}
}

func TestCountedIsInTheSingularForOneOnly(t *testing.T) {
	for n, want := range map[int64]string{0: "0 addresses", 1: "1 address", 1200: "1,200 addresses"} {
		if got := Counted(n, "address", "addresses"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
