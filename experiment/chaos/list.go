package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// campaignName is the campaign of the experiment.
const campaignName = "chaos"

const campaignYAML = `from: Chaos <news@shop.example.com>
subject: "{{.name}}, number {{.number}}"
text: mail.txt
inDoubt: prove
`

const mailText = "Dear {{.name}}, you are number {{.number}}.\n"

// addresses is the list: recipient i+1 is element i.
func addresses(n int64) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("recipient-%07d@example.com", i+1)
	}
	return list
}

// csv is the recipients.csv of a list.
func csv(list []string) []byte {
	var b bytes.Buffer
	b.WriteString("email,name,number\n")
	for i, address := range list {
		fmt.Fprintf(&b, "%s,Name %d,%d\n", address, i+1, i+1)
	}
	return b.Bytes()
}

// upload puts the campaign's folder into the bucket.
func (r *runtime) upload(ctx context.Context, list []string) error {
	for name, content := range map[string][]byte{"campaign.yaml": []byte(campaignYAML), "mail.txt": []byte(mailText), "recipients.csv": csv(list)} {
		key := "campaigns/" + campaignName + "/" + name
		if _, err := r.objects.PutObject(ctx, &s3.PutObjectInput{Bucket: &r.bucket, Key: &key, Body: bytes.NewReader(content)}); err != nil {
			return fmt.Errorf("uploading %s: %w", name, err)
		}
	}
	return nil
}
