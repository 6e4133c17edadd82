package mailer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/google/uuid"
)

func TestAProofGoesToTheSimulatorUnderItsIDAlone(t *testing.T) {
	var got struct {
		FromEmailAddress, ConfigurationSetName string
		Destination                            struct{ ToAddresses []string }
		EmailTags                              []struct{ Name, Value string }
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprint(w, `{"MessageId": "m1"}`)
	}))
	defer server.Close()
	client := sesv2.New(sesv2.Options{BaseEndpoint: aws.String(server.URL), Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	id := uuid.New()
	if err := Prove(t.Context(), client, "news@example.com", "fanmail-test", id); err != nil {
		t.Fatal(err)
	}
	if got.FromEmailAddress != "news@example.com" || got.ConfigurationSetName != "fanmail-test" || got.Destination.ToAddresses[0] != simulator ||
		len(got.EmailTags) != 1 || got.EmailTags[0].Name != TagProof || got.EmailTags[0].Value != id.String() {
		t.Errorf("%+v", got)
	}
}
