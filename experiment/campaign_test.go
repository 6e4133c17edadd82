package experiment

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fanmail/local/s3"
)

func TestACampaignIsUploadedAsAFolder(t *testing.T) {
	service, err := s3.New(s3.Config{Directory: t.TempDir(), Buckets: []string{"bucket"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service)
	defer server.Close()
	if err := Upload(t.Context(), server.URL, "bucket", Campaigns+"spring", Campaign(2, "inDoubt: prove\n")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"campaign.yaml":  "from: Experiment <news@shop.example.com>\nsubject: \"{{.name}}, number {{.number}}\"\ntext: mail.txt\ninDoubt: prove\n",
		"mail.txt":       "Dear {{.name}}, you are number {{.number}}.\n",
		"recipients.csv": "email,name,number\nrecipient-0000001@example.com,Name 1,1\nrecipient-0000002@example.com,Name 2,2\n",
	} {
		answer, err := http.Get(server.URL + "/bucket/campaigns/spring/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if diff := cmp.Diff(want, string(got)); diff != "" || err != nil || answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, %v, %s", name, answer.Status, err, diff)
		}
	}
	err = Upload(t.Context(), server.URL, "none", "batches", Folder{"one.jsonl": nil})
	if err == nil || !strings.Contains(err.Error(), "uploading batches/one.jsonl: ") {
		t.Errorf("into a bucket that is not there: %v", err)
	}
}
