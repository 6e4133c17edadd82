package experiment

import (
	"bytes"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Folder is what a folder in the bucket holds, by file name.
type Folder map[string][]byte

// Campaigns is where the folders of campaigns are, and RecipientsFile the list in each.
const (
	Campaigns      = "campaigns/"
	RecipientsFile = "recipients.csv"
)

// Address is that of recipient i of a list; the first is 1.
func Address(i int64) string { return fmt.Sprintf("recipient-%07d@example.com", i) }

const campaignYAML = `from: Experiment <news@shop.example.com>
subject: "{{.name}}, number {{.number}}"
text: mail.txt
`

const mailText = "Dear {{.name}}, you are number {{.number}}.\n"

// Campaign is the folder of a campaign that mails n recipients a line of text each. settings are further lines of its campaign.yaml.
func Campaign(n int64, settings string) Folder {
	var list bytes.Buffer
	list.WriteString("email,name,number\n")
	for i := int64(1); i <= n; i++ {
		fmt.Fprintf(&list, "%s,Name %d,%d\n", Address(i), i, i)
	}
	return Folder{"campaign.yaml": []byte(campaignYAML + settings), "mail.txt": []byte(mailText), RecipientsFile: list.Bytes()}
}

// Upload puts a folder into the bucket at path: Campaigns and its name for a campaign.
func Upload(ctx context.Context, endpoint, bucket, path string, folder Folder) error {
	client := s3.NewFromConfig(ClientConfig(endpoint))
	for name, content := range folder {
		key := path + "/" + name
		if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(content)}); err != nil {
			return fmt.Errorf("uploading %s: %w", key, err)
		}
	}
	return nil
}
