package endtoend

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"fanmail/local"
)

func TestACampaignSurvivesAVPCThatIsNotReady(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	const n = 60
	d.upload("spring", list(n))
	refusals := map[string]string{
		"prepare": "ResourceNotReadyException", "plan": "EC2ThrottledException",
		"send": "SubnetIPAddressLimitReachedException", "finish": "ResourceConflictException",
	}
	for function, exception := range refusals {
		if err := d.Lambda().Refuse("fanmail-local-"+function, exception, 1); err != nil {
			t.Fatal(err)
		}
	}
	d.auditSent("spring", d.succeed(d.start("spring")), n)
	for function := range refusals {
		if left := d.Lambda().Refusing("fanmail-local-" + function); left != 0 {
			t.Errorf("%d refusals of %s are left", left, function)
		}
	}
}

func TestADeploymentThatIsWrongIsNotHiddenByRetries(t *testing.T) {
	t.Parallel()
	d := deploy(t, local.Options{})
	d.upload("spring", list(3))
	if err := d.Lambda().Refuse("fanmail-local-plan", "KMSDisabledException", 1); err != nil {
		t.Fatal(err)
	}
	out := d.end(d.start("spring"))
	if name := aws.ToString(out.Error); name != "Lambda.KMSDisabledException" {
		t.Errorf("the execution is %s: %s: %s", out.Status, name, aws.ToString(out.Cause))
	}
	if r := d.status("spring"); r.State != "failed" {
		t.Errorf("the campaign is %s", r.State)
	}
	d.auditSent("spring", d.succeed(d.start("spring")), 3)
}
