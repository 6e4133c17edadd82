package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheListIsGood(t *testing.T) {
	got := string(list(2))
	want := "email,name,city,points,coupon\nrecipient-0000001@example.com,Name 1,Oslo,1,SPRING-00001\nrecipient-0000002@example.com,Name 2,Oslo,2,SPRING-00002\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheManifestCoversEverybodyOnce(t *testing.T) {
	got, err := manifest(5, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"number":1,"first":1,"last":2,"pending":2}
{"number":2,"first":3,"last":4,"pending":2}
{"number":3,"first":5,"last":5,"pending":1}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestBatchesAreSmallEnoughToFillTheServer(t *testing.T) {
	for n, want := range map[int64]int64{1: 1, 200: 1, 1500: 7, 10_000: 50, 500_000: 50} {
		if got := (&options{recipients: n}).batch(); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
}
