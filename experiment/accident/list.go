package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"fanmail/examples"
	"fanmail/experiment"
	"fanmail/local"
	"fanmail/shared/workflow"
)

// campaignName is the example campaign that both halves send.
const campaignName = examples.SpringSaleName

// batchesFolder is where the batches of the naive half lie.
const (
	batchesFolder = "accident"
	manifestFile  = "manifest.jsonl"
)

// list is the recipients.csv of the experiment.
func list(n int64) []byte {
	var b bytes.Buffer
	b.WriteString("email,name,city,points,coupon\n")
	for i := int64(1); i <= n; i++ {
		fmt.Fprintf(&b, "%s,Name %d,Oslo,%d,SPRING-%05d\n", experiment.Address(i), i, i%5000, i%100000)
	}
	return b.Bytes()
}

// manifest divides recipients 1 to n into batches, in the form of Plan's manifests.
func manifest(n, size int64) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	for first := int64(1); first <= n; first += size {
		last := min(n, first+size-1)
		if err := encoder.Encode(workflow.Batch{Number: int((first-1)/size) + 1, First: first, Last: last, Pending: last - first + 1}); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// upload puts the example campaign with a list of n recipients, and the naive half's batches, into the bucket.
func upload(ctx context.Context, runtime *local.Runtime, n, batch int64) error {
	files := examples.SpringSale()
	folder := experiment.Folder{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		folder[name], err = fs.ReadFile(files, name)
		return err
	})
	if err != nil {
		return err
	}
	folder[experiment.RecipientsFile] = list(n)
	lines, err := manifest(n, batch)
	if err != nil {
		return err
	}
	return errors.Join(
		experiment.Upload(ctx, runtime.Endpoint(), runtime.Bucket(), experiment.Campaigns+campaignName, folder),
		experiment.Upload(ctx, runtime.Endpoint(), runtime.Bucket(), batchesFolder, experiment.Folder{manifestFile: lines}))
}
