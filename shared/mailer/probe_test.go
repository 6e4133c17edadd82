package mailer

import (
	"testing"

	"github.com/google/uuid"
)

func TestAProofGoesToTheSimulatorUnderItsIDAlone(t *testing.T) {
	id := uuid.New()
	got := Proof("news@example.com", "fanmail-test", id)
	if *got.FromEmailAddress != "news@example.com" || *got.ConfigurationSetName != "fanmail-test" ||
		len(got.Destination.ToAddresses) != 1 || got.Destination.ToAddresses[0] != simulator ||
		len(got.EmailTags) != 1 || *got.EmailTags[0].Name != TagProof || *got.EmailTags[0].Value != id.String() {
		t.Errorf("%+v", got)
	}
	if Proof("news@example.com", "", id).ConfigurationSetName != nil {
		t.Error("a configuration set without a name is sent")
	}
}
