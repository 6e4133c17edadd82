package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fanmail/examples"
	"fanmail/experiment"
	"fanmail/local"
	"fanmail/shared/workflow"
)

// campaignName is the example campaign that both halves send.
const campaignName = examples.SpringSaleName

// recipientsFile is the list of the campaign; manifestKey is where the batches of the naive half lie.
const (
	recipientsFile = "recipients.csv"
	manifestKey    = "accident/manifest.jsonl"
)

func address(i int64) string { return fmt.Sprintf("recipient-%07d@example.com", i) }

// list is the recipients.csv of the experiment.
func list(n int64) []byte {
	var b bytes.Buffer
	b.WriteString("email,name,city,points,coupon\n")
	for i := int64(1); i <= n; i++ {
		fmt.Fprintf(&b, "%s,Name %d,Oslo,%d,SPRING-%05d\n", address(i), i, i%5000, i%100000)
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
	client := s3.NewFromConfig(experiment.ClientConfig(runtime.Endpoint()))
	put := func(key string, body []byte) error {
		_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(runtime.Bucket()), Key: &key, Body: bytes.NewReader(body)})
		return err
	}
	files := examples.SpringSale()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || name == recipientsFile {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return put("campaigns/"+campaignName+"/"+name, body)
	})
	if err != nil {
		return err
	}
	if err := put("campaigns/"+campaignName+"/"+recipientsFile, list(n)); err != nil {
		return err
	}
	lines, err := manifest(n, batch)
	if err != nil {
		return err
	}
	return put(manifestKey, lines)
}

// mailbox counts who of the list has a message, and who has more than one.
func mailbox(ctx context.Context, endpoint string) (mailed, doubled int64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_mailbox.jsonl", nil)
	if err != nil {
		return 0, 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	return countMailed(answer.Body)
}

func countMailed(mailbox io.Reader) (mailed, doubled int64, err error) {
	messages := map[string]int{}
	decoder := json.NewDecoder(mailbox)
	for {
		var message struct {
			To []string `json:"to"`
		}
		if err := decoder.Decode(&message); err == io.EOF {
			return mailed, doubled, nil
		} else if err != nil {
			return 0, 0, fmt.Errorf("reading the mailbox: %w", err)
		}
		for _, to := range message.To {
			switch messages[to]++; messages[to] {
			case 1:
				mailed++
			case 2:
				doubled++
			}
		}
	}
}
