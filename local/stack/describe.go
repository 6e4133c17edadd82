package stack

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"time"
)

// created is the stack's CreationTime. Nothing here has an age.
var created = time.Unix(0, 0).UTC()

type described struct {
	XMLName   xml.Name        `xml:"DescribeStacksResponse"`
	Namespace string          `xml:"xmlns,attr"`
	Stacks    []describedItem `xml:"DescribeStacksResult>Stacks>member"`
	RequestID string          `xml:"ResponseMetadata>RequestId"`
}

type describedItem struct {
	StackID      string   `xml:"StackId"`
	StackName    string   `xml:"StackName"`
	CreationTime string   `xml:"CreationTime"`
	StackStatus  string   `xml:"StackStatus"`
	Outputs      []Output `xml:"Outputs>member"`
}

// describeStacks answers by name, by ARN, or with all.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
func (s *Service) describeStacks(r *http.Request, id string) (any, *failure) {
	// One stack has one page, so no token was ever given out.
	if token := r.PostForm.Get("NextToken"); token != "" {
		return nil, fail(formations, "ValidationError", "NextToken %s is invalid.", token)
	}
	name := r.PostForm.Get("StackName")
	if name != "" && name != s.config.Name && name != s.arn() {
		return nil, fail(formations, "ValidationError", "Stack with id %s does not exist", name)
	}
	return described{
		Namespace: formations, RequestID: id,
		Stacks: []describedItem{{
			StackID: s.arn(), StackName: s.config.Name, CreationTime: created.Format(time.RFC3339),
			StackStatus: "CREATE_COMPLETE", Outputs: s.config.Outputs,
		}},
	}, nil
}

func (s *Service) arn() string {
	return fmt.Sprintf("arn:aws:cloudformation:%s:%s:stack/%s/local", s.config.Region, s.config.Account, s.config.Name)
}

type caller struct {
	XMLName   xml.Name `xml:"GetCallerIdentityResponse"`
	Namespace string   `xml:"xmlns,attr"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	ARN       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

// getCallerIdentity takes everybody for the same user: nothing here checks a signature.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (s *Service) getCallerIdentity(id string) any {
	return caller{
		Namespace: tokens, RequestID: id,
		Account: s.config.Account, ARN: "arn:aws:iam::" + s.config.Account + ":user/local", UserID: "local",
	}
}
